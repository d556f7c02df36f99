"""Fixtures for tests of the window. How to use them:

- `workspace`: what every panel is handed: a real Session, Decoding, Running and Notices around an engine and jobs that
  the test steers, with a small model open (D = 8, 8 x 8 RGB, 60 labelled encodings with thumbnails and attributes).
      panel = SlidersPanel(workspace); qtbot.addWidget(panel); follow(panel)
  The window is the only listener of a session; a test of one panel either calls `show_state` itself or asks for
  `follow(panel)`, which routes changes and replies to that panel as the window would.
- `engine`: a FakeEngine: `engine.requests` lists (consumer, request, lane, ticket). It answers at once, through the
  event loop; with `engine.hold = True` replies wait for `engine.release()`. Pictures are a function of the latents
  (`picture_of`), so that a test can tell which latent a picture shows.
- `trainer`: a FakeTrainer of tests/ui/fake_trainer.py: `trainer.runs[i]` has `arguments`, `step(…)`, `end(status)`.
- `jobs`: FakeJobs: `jobs.started[i]` has `function`, `arguments` and `say(Progress | Partial | Done | …)`.
- `window`: the MainWindow around `workspace`, shown, with its first panels made and the model open.
- `map_panel`: the map in a window of its own, following the session; tests/ui/map_hand.py has the hand for it.
- `settled()`: delivers queued signals and deferred deletions; no waiting for time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shiboken6
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.latent_model import Images, ImageShape, ModelInfo
from latentlab.core.requests import (
    Cancelled,
    Decode,
    Decoded,
    Encoded,
    Factorise,
    Factorised,
    InSpace,
    JobMessage,
    Lane,
    Opened,
    OpenFailed,
    OpenModel,
    Reply,
    Request,
    RequestFailed,
    Slot,
    ToSpace,
)
from latentlab.core.session import Session
from latentlab.core.settings import Settings
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import State
from latentlab.core.unsupervised import weight_components
from latentlab.ui.decoding import Decoding
from latentlab.ui.notices import Notices
from latentlab.ui.panel import Panel
from latentlab.ui.running import Running
from latentlab.ui.training.training import Training
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.fake_trainer import FakeTrainer

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from latentlab.ui.panels.map import MapPanel
    from latentlab.ui.panels.training import TrainingPanel

CHECKPOINT = "c0ffee" * 10 + "c0ff"
SECOND = "5eced" * 12 + "5ece"  # of the model beside it
DIM = 8


def picture_of(latents_BD: FloatArray, size: int = 8) -> Images:
    """(B, size, size, 3): the first three numbers of a latent as a colour, the fourth as a bright corner."""
    colours = np.clip(127 + 40 * latents_BD[:, :4], 0, 255).astype(np.uint8)
    images = np.repeat(np.repeat(colours[:, None, None, :3], size, 1), size, 2)
    images[:, 0, 0, :] = colours[:, 3:4]
    return images


def layer_weights(dim: int = DIM) -> FloatArray:
    """(6, dim): a first layer that listens to the third dimension most, then to the first."""
    weights_OD = np.zeros((6, dim), np.float32)
    weights_OD[:4, 2] = 1
    weights_OD[4:, 0] = 1
    return weights_OD


def mapped(latents_BD: FloatArray) -> FloatArray:
    """What the fake model makes of z in w: the same numbers in another order, and further out."""
    return np.asarray(2 * latents_BD[:, ::-1], np.float32)


@dataclass
class FakeEngine:
    """Satisfies `latentlab.core.requests.Engine`; its answers are true to the contract and instantaneous."""

    info: ModelInfo
    on_reply: Callable[[Reply], None] | None = None
    hold: bool = False
    refuse: str = ""  # a message: the next model is not opened
    needs_trust: bool = False  # the model opens only once it is trusted
    needs_latent: bool = False  # the model opens only once the size of its latents is said
    no_weights: str = ""  # a sentence: nothing can be read from the weights
    second: ModelInfo = field(default_factory=lambda: some_info(sha256=SECOND, family="alpha-gan"))
    second_encodings: EncodingSet | None = field(default_factory=lambda: some_encodings(seed=8))
    requests: list[tuple[str, Request, Lane, int]] = field(default_factory=list)
    opens: list[OpenModel] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    let_go_of: list[Slot] = field(default_factory=list)
    closed: bool = False
    _held: list[Reply] = field(default_factory=list)

    def open(self, request: OpenModel) -> None:
        self.opens.append(request)
        if self.needs_trust and not request.trust:
            message = f"{request.path} is a program, which can run code."
            self.reply(OpenFailed(request.path, message, needs_trust=True, slot=request.slot))
        elif self.needs_latent and not request.options.get("latent"):
            message = f"{request.path} leaves the size of its latents open (?). Say it: --latent 64."
            self.reply(OpenFailed(request.path, message, needs_latent=True, slot=request.slot))
        elif self.refuse:
            self.reply(OpenFailed(request.path, self.refuse, slot=request.slot))
        else:
            info, encodings = (self.info, None) if request.slot == "main" else (self.second, self.second_encodings)
            said = {"reading": dict(request.options), "guessed": ()} if info.reading and request.options else {}
            info = replace(info, path=request.path, **said)  # type: ignore[arg-type]
            self.reply(Opened(info, encodings, request.slot, 11_000_000))

    def let_go(self, slot: Slot) -> None:
        self.let_go_of.append(slot)

    def submit(self, consumer: str, request: Request, lane: Lane = Lane.LIVE) -> int:
        ticket = len(self.requests) + 1
        self.requests.append((consumer, request, lane, ticket))
        if isinstance(request, Decode):
            self.reply(Decoded(consumer, ticket, request, picture_of(request.latents), 1.5, "cpu"))
        elif isinstance(request, ToSpace):
            if (request.space, request.to) in self.info.mappings:
                self.reply(InSpace(consumer, ticket, request, mapped(request.latents)))
            else:
                self.reply(RequestFailed(consumer, ticket, f"There is no way from {request.space} to {request.to}."))
        elif isinstance(request, Factorise):
            components = weight_components(layer_weights(), request.count, self.info.space(request.space), CHECKPOINT)
            refusal = self.no_weights
            self.reply(Factorised(consumer, ticket, request, () if refusal else tuple(components), refusal))
        else:
            count = len(request.images)
            latents = np.full((count, DIM), 0.5, np.float32)
            mse = np.full(count, 0.01, np.float32)
            self.reply(Encoded(consumer, ticket, request, latents, picture_of(latents), mse))
        return ticket

    def withdraw(self, consumer: str) -> None:
        self.withdrawn.append(consumer)
        self._held = [reply for reply in self._held if getattr(reply, "consumer", None) != consumer]

    def close(self) -> None:
        self.closed = True

    def reply(self, reply: Reply) -> None:
        if self.hold:
            self._held.append(reply)
        elif self.on_reply is not None:
            self.on_reply(reply)

    def release(self) -> None:
        """Sends what was held, in order."""
        self.hold = False
        held, self._held = self._held, []
        for reply in held:
            self.reply(reply)


@dataclass
class FakeJob:
    function: str
    arguments: dict[str, Any]
    say: Callable[[JobMessage], None]
    running: bool = True
    cancelled: bool = False

    def cancel(self) -> None:
        if not self.cancelled:
            self.cancelled, self.running = True, False
            self.say(Cancelled())


@dataclass
class FakeJobs:
    started: list[FakeJob] = field(default_factory=list)
    closed: bool = False

    def start(self, function: str, arguments: dict[str, Any], on_message: Callable[[JobMessage], None]) -> FakeJob:
        job = FakeJob(function, arguments, on_message)
        self.started.append(job)
        return job

    def close(self) -> None:
        self.closed = True


def some_encodings(count: int = 60, dim: int = DIM, seed: int = 7) -> EncodingSet:
    """Two attributes that lie along the first two dimensions, three classes along the third."""
    latents = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    coded = [_coded(image) for image in picture_of(latents)]
    return EncodingSet(
        latents=latents,
        labels=np.digitize(latents[:, 2], [-0.4, 0.4]).astype(np.int64),
        label_names=("low", "middle", "high"),
        attributes=(latents[:, :2] > 0).astype(np.float32),
        attribute_names=("Eyeglasses", "Smiling"),
        thumbnails=Thumbnails(b"".join(coded), np.cumsum([0, *map(len, coded)])),
        pca=StoredPCA.fit(latents),
        kl_per_dimension=np.linspace(2, 0.1, dim).astype(np.float32),
    )


def some_info(dim: int = DIM, **parts: Any) -> ModelInfo:
    info = ModelInfo(
        path="faces.safetensors",
        format="native",
        family="vae",
        image=ImageShape(8, 8, 3),
        spaces=(LatentSpace("z", (dim,)),),
        encoder=True,
        sha256=CHECKPOINT,
    )
    return replace(info, **parts)


def some_directions(dim: int = DIM) -> DirectionSet:
    vectors = np.eye(dim, dtype=np.float32)
    return DirectionSet(
        Direction(name, vectors[i], method="balanced means", examples=60, auc=0.98, checkpoint=CHECKPOINT)
        for i, name in enumerate(("Eyeglasses", "Smiling"))
    )


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(some_info())


@pytest.fixture
def jobs() -> FakeJobs:
    return FakeJobs()


@pytest.fixture
def trainer() -> FakeTrainer:
    return FakeTrainer()


@pytest.fixture
def workspace(qapp: QApplication, engine: FakeEngine, jobs: FakeJobs, trainer: FakeTrainer) -> Iterator[Workspace]:
    from latentlab.ui.projecting import Projecting  # here, so that tests without a map need none of it

    encodings = some_encodings()
    start = encodings.latents[0].copy()
    state = State(origin=start, base=start, checkpoint=CHECKPOINT, name="#0", directions=some_directions())
    running = Running(jobs)
    decoding = Decoding(engine)
    decoding.checkpoint = CHECKPOINT
    training = Training(trainer)
    workspace = Workspace(
        session=Session(state),
        decoding=decoding,
        projecting=Projecting(running),
        running=running,
        notices=Notices(),
        settings=Settings(),
        opened=OpenedModel(some_info(), encodings),
        training=training,
    )
    yield workspace
    training.close()
    running.close()
    workspace.projecting.close()
    decoding.close()
    deliver()


@pytest.fixture
def follow(workspace: Workspace) -> Iterator[Callable[[Panel], None]]:
    """`follow(panel)`: the panel hears of changes and replies as it would in the window, until the test ends."""
    undo: list[Callable[[], object]] = []

    def start(panel: Panel) -> None:
        session, decoding = workspace.session, workspace.decoding

        def mine(consumer: str) -> bool:
            return consumer.partition("/")[0] == panel.key

        listeners: list[tuple[Any, Callable[[Any], None]]] = [
            (decoding.decoded, lambda reply: panel.show_decoded(reply) if mine(reply.consumer) else None),
            (decoding.encoded, lambda reply: panel.show_encoded(reply) if mine(reply.consumer) else None),
            (decoding.failed, lambda reply: panel.show_failure(reply) if mine(reply.consumer) else None),
        ]
        for signal, listener in listeners:
            signal.connect(listener)
            undo.append(lambda signal=signal, listener=listener: signal.disconnect(listener))
        session.changed.connect(panel.show_state)
        undo.append(lambda: session.changed.disconnect(panel.show_state))
        panel.show_model()
        panel.show_state(workspace.state, None)

    yield start
    for step in undo:
        step()


@pytest.fixture
def window(workspace: Workspace, qtbot: QtBot) -> Iterator[MainWindow]:
    from latentlab.ui.main_window import MainWindow

    window = MainWindow(workspace)
    window.docks.make_first()
    window.opening.begin(workspace.opened)
    with qtbot.waitExposed(window):
        window.show()
    window.opening.join()
    deliver()
    yield window
    if shiboken6.isValid(window):
        window.close()
        window.opening.join()
        window.deleteLater()
    deliver()


@pytest.fixture
def map_panel(qtbot: QtBot, workspace: Workspace, follow: Callable[[Panel], None]) -> Iterator[MapPanel]:
    """The map of `workspace`, 640 x 560, shown."""
    from latentlab.ui.panels.map import MapPanel

    panel = MapPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(640, 560)
    follow(panel)
    panel.show()
    qtbot.waitExposed(panel)
    deliver()
    yield panel
    workspace.projecting.close()


@pytest.fixture
def training_panel(workspace: Workspace, qtbot: QtBot, tmp_path: Path) -> TrainingPanel:
    """The Training panel of `workspace`, shown, asked what it offers; tests/ui/training_hand.py has the hand for it."""
    from latentlab.ui.panels.training import TrainingPanel

    workspace.settings.runs_folder = str(tmp_path / "runs")
    panel = TrainingPanel(workspace)
    qtbot.addWidget(panel, before_close_func=TrainingPanel.close_panel)
    panel.resize(640, 640)
    panel.show_model()
    panel.show_state(workspace.state, None)
    with qtbot.waitExposed(panel):
        panel.show()
    deliver()
    return panel


def deliver() -> None:
    """Queued signals and deferred deletions, delivered now."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents()
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def settled(qapp: QApplication) -> Callable[[], None]:
    return deliver


def _coded(image: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()
