"""The image panel: before and after, what changed, pictures in and out."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from pytestqt.qtbot import QtBot

from latentlab.core.inversion import Inversion
from latentlab.core.requests import Done, JobFailed, OpenModel, Partial
from latentlab.core.state import NamedLatent, State, with_strength
from latentlab.ui import latent_mime
from latentlab.ui.difference import difference
from latentlab.ui.image_view import ImageView, placed
from latentlab.ui.panel import Panel
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.workspace import OpenedModel, Workspace
from tests.ui.conftest import CHECKPOINT, DIM, FakeEngine, FakeJobs, deliver, picture_of, some_info

Follow = Callable[[Panel], None]


@pytest.fixture
def panel(workspace: Workspace, follow: Follow, qtbot: QtBot) -> ImagePanel:
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    ask(workspace)
    return panel


def ask(workspace: Workspace) -> None:
    """What the window does: the current picture is decoded under the consumer "image"."""
    from latentlab.core.requests import Decode

    state = workspace.state
    workspace.decoding.submit("image", Decode(state.checkpoint, state.latent[None], state.space, state.condition))
    deliver()


def edited(workspace: Workspace, strength: float = 2.0) -> State:
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", strength), "Add Eyeglasses")
    ask(workspace)
    return workspace.state


def dropped(panel: ImagePanel, mime: QMimeData) -> None:
    panel.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def a_file(path: Path, side: int = 20) -> QMimeData:
    gradient = np.linspace(0, 255, side * side * 3).reshape(side, side, 3).astype(np.uint8)
    Image.fromarray(gradient).save(path)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


# --- what is shown


def test_before_and_after(panel: ImagePanel, workspace: Workspace) -> None:
    state = edited(workspace)
    panel.hold_before(True)
    deliver()
    assert np.array_equal(panel.view.picture, picture_of(state.origin[None])[0])
    assert "before" in panel.caption.text()
    panel.hold_before(False)
    assert np.array_equal(panel.view.picture, picture_of(state.latent[None])[0])


def test_the_picture_before_is_decoded_only_when_wanted(
    panel: ImagePanel, workspace: Workspace, engine: FakeEngine
) -> None:
    edited(workspace)
    edited(workspace, 3)
    assert not [consumer for consumer, *_ in engine.requests if consumer == "image/before"]
    panel.toggle_before()
    deliver()
    edited(workspace, 4)
    assert len([consumer for consumer, *_ in engine.requests if consumer == "image/before"]) == 1


def test_another_origin_has_another_picture_before(panel: ImagePanel, workspace: Workspace) -> None:
    panel.toggle_before()
    deliver()
    other = np.full(DIM, 1.0, np.float32)
    workspace.go_to(other, "elsewhere")
    ask(workspace)
    assert np.array_equal(panel.view.picture, picture_of(other[None])[0])


def test_the_difference_follows_the_edit(panel: ImagePanel, workspace: Workspace) -> None:
    edited(workspace)
    panel.toggle_difference()
    deliver()
    now, before = (picture_of(latent[None])[0] for latent in (workspace.state.latent, workspace.state.origin))
    assert np.array_equal(panel.view.picture, difference(now, before, "signed", 2))
    panel._set_difference(kind="absolute", amplification=4)
    assert np.array_equal(panel.view.picture, difference(now, before, "absolute", 4))


def test_difference_is_grey_or_black_where_nothing_changed_and_clips() -> None:
    old, new = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), 130, np.uint8)
    assert (difference(old, old, "signed", 8) == 128).all()
    assert (difference(old, old, "absolute", 8) == 0).all()
    assert (difference(new, old, "signed", 2) == 158).all()
    assert (difference(old, new, "signed", 2) == 98).all()
    assert (difference(old, new, "absolute", 8) == 240).all()
    assert (difference(new, old, "signed", 16) == 255).all()


def test_a_painted_frame_is_announced_with_its_ticket(panel: ImagePanel, workspace: Workspace, qtbot: QtBot) -> None:
    with qtbot.waitExposed(panel):
        panel.show()
    with qtbot.waitSignal(panel.frame_shown) as caught:
        edited(workspace)
    assert caught.args == [panel._current.ticket]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("picture", "view", "ratio", "whole", "expected"),
    [
        ((64, 64), (500, 400), 1.0, False, (50, 0, 400, 400)),
        ((64, 64), (500, 400), 1.0, True, (58, 8, 384, 384)),  # 6 x
        ((64, 64), (500, 400), 2.0, True, (58, 8, 384, 384)),  # 12 device pixels each
        ((61, 30), (61, 61), 1.0, True, (0, 15, 61, 30)),
        ((1000, 500), (100, 100), 1.0, True, (0, 25, 100, 50)),
        ((64, 64), (0, 400), 1.0, True, (0, 0, 0, 0)),
    ],
)
def test_where_a_picture_goes(picture, view, ratio, whole, expected) -> None:  # type: ignore[no-untyped-def]
    assert placed(QSize(*picture), QSize(*view), ratio, whole) == QRect(*expected)


def test_odd_widths_and_grey_pictures_keep_their_pixels(qtbot: QtBot) -> None:
    view = ImageView()
    qtbot.addWidget(view)
    view.set_smooth(False)
    view.resize(61 * 5, 61 * 5)
    for channels in (1, 3):
        picture = np.random.default_rng(0).integers(0, 255, (61, 61, channels), np.uint8)
        view.show_picture(picture)
        grabbed = view.grab().toImage()
        for row, column in ((0, 0), (30, 7), (60, 60)):
            colour = grabbed.pixelColor(column * 5 + 2, row * 5 + 2)
            expected = picture[row, column] if channels == 3 else np.repeat(picture[row, column], 3)
            assert colour.getRgb()[:3] == tuple(int(part) for part in expected)


def test_the_stored_thumbnail_is_there_before_the_engine_answers(
    workspace: Workspace, engine: FakeEngine, follow: Follow, qtbot: QtBot
) -> None:
    engine.hold = True
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    assert np.array_equal(panel.view.picture, picture_of(workspace.state.latent[None])[0])
    workspace.go_to(np.full(DIM, 9, np.float32), "nowhere known")
    assert panel.view.picture is None


# --- pictures in


def test_a_dropped_file_is_encoded_and_compared(
    panel: ImagePanel, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    before = workspace.state
    mime = a_file(tmp_path / "holiday.png")
    with qtbot.waitSignal(workspace.decoding.encoded):
        dropped(panel, mime)
    deliver()
    original = workspace.state.original
    assert original is not None
    assert (original.name, original.image.shape, original.inverted) == ("holiday.png", (8, 8, 3), False)
    assert np.array_equal(workspace.state.latent, np.full(DIM, 0.5, np.float32))
    assert workspace.session.undo_label == "Encode holiday.png"
    assert not panel.comparison.isHidden()
    reconstruction = panel.comparison.pictures["reconstruction"].picture
    assert np.array_equal(reconstruction, picture_of(workspace.state.latent[None])[0])
    error = panel.comparison.pictures["error"].picture
    assert np.array_equal(error, difference(reconstruction, original.image, "absolute", 4))
    assert panel.comparison.captions["error"].text() == "MSE 0.0100"
    workspace.session.undo()
    assert workspace.state is before
    assert panel.comparison.isHidden()


def test_a_file_that_is_no_picture_is_refused_and_nothing_changes(
    panel: ImagePanel, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    before = workspace.state
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 9)
    with qtbot.waitSignal(workspace.notices.added) as caught:
        panel.exchange.read(str(broken))
    assert "broken.png" in caught.args[0].text
    assert workspace.state is before


def test_a_picture_of_ours_that_is_dropped_back_restores_latent_and_edits(
    panel: ImagePanel, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    saved = edited(workspace, 1.5)
    panel.exchange.save_to(tmp_path / "face.png", picture_of(saved.latent[None])[0])
    assert "Saved" in workspace.notices.shown[-1].text
    workspace.go_to(np.zeros(DIM, np.float32), "elsewhere")
    with qtbot.waitSignal(panel.exchange._read.arrived):
        panel.exchange.read(str(tmp_path / "face.png"))
    deliver()
    assert np.allclose(workspace.state.latent, saved.latent)
    assert workspace.state.strengths == {"Eyeglasses": 1.5}
    assert workspace.session.undo_label == "Restore face.png"


def test_a_picture_of_another_model_is_taken_as_a_picture(
    panel: ImagePanel, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    workspace.session.update(replace(workspace.state, checkpoint="e" * 64), "Another model")
    panel.exchange.save_to(tmp_path / "face.png", picture_of(workspace.state.latent[None])[0])
    workspace.session.undo()
    with qtbot.waitSignal(workspace.decoding.encoded):
        panel.exchange.read(str(tmp_path / "face.png"))
    assert "another model" in workspace.notices.shown[-1].text
    assert workspace.state.original is not None


def test_a_latent_that_is_dropped_becomes_the_current_one(panel: ImagePanel, workspace: Workspace) -> None:
    latent = np.arange(DIM, dtype=np.float32)
    dropped(panel, latent_mime.packed([NamedLatent(latent, "keyframe 1")], CHECKPOINT, "z"))
    assert np.array_equal(workspace.state.latent, latent)
    assert workspace.state.name == "keyframe 1"
    dropped(panel, latent_mime.packed([NamedLatent(latent + 1, "foreign")], "another", "z"))
    assert np.array_equal(workspace.state.latent, latent)


@pytest.fixture
def gan(workspace: Workspace) -> None:
    info = some_info(family="dcgan", encoder=False, invertible=True)
    workspace.opened = OpenedModel(info, workspace.opened.encodings)


def test_a_picture_is_inverted_by_the_file_as_it_is_read(
    gan: None, panel: ImagePanel, workspace: Workspace, jobs: FakeJobs
) -> None:
    reading = {"activation": "tanh", "range": "sigmoid"}
    workspace.opened.info = replace(workspace.opened.info, format="MLP generator", reading=reading)
    workspace.opened.request = OpenModel("G.pth", trust=True)
    panel.exchange._find_latent(np.full((8, 8, 3), 77, np.uint8), "face.png")
    arguments = jobs.started[-1].arguments
    assert arguments["loader"] == "latentlab.formats:open_checkpoint"
    assert arguments["how"] == {"trust": True, "options": reading}


def test_a_gan_inverts_a_picture_with_live_progress(
    gan: None, panel: ImagePanel, workspace: Workspace, jobs: FakeJobs, tmp_path: Path, qtbot: QtBot
) -> None:
    picture = np.full((8, 8, 3), 77, np.uint8)
    panel.exchange._find_latent(picture, "face.png")
    job = jobs.started[-1]
    assert job.function == "latentlab.measure.inversion:run"
    assert np.array_equal(job.arguments["image"], picture)
    assert job.arguments["path"] == "faces.safetensors"
    latent = np.full(DIM, 0.25, np.float32)
    live = picture_of(latent[None])[0]
    job.say(Partial(live))
    deliver()
    assert np.array_equal(panel.view.picture, live)
    assert workspace.state.original is None
    job.say(Done(Inversion(latent, picture, live, 0.1, 0.2, "regressor", 300, "face.png")))
    deliver()
    assert np.array_equal(workspace.state.latent, latent)
    assert workspace.state.original is not None
    assert workspace.state.original.inverted


def test_a_cancelled_or_failed_inversion_leaves_the_state_of_before(
    gan: None, panel: ImagePanel, workspace: Workspace, jobs: FakeJobs
) -> None:
    before, shown = workspace.state, panel.view.picture
    for ending in ("cancel", "fail"):
        panel.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "face.png")
        live = np.full((8, 8, 3), 9, np.uint8)
        jobs.started[-1].say(Partial(live))
        deliver()
        if ending == "cancel":
            workspace.running.running[-1].cancel()
        else:
            jobs.started[-1].say(JobFailed("no memory"))
        deliver()
        assert workspace.state is before
        assert np.array_equal(panel.view.picture, shown)
    assert workspace.notices.shown[-1].text == "no memory"


def test_a_model_that_can_do_neither_says_so(panel: ImagePanel, workspace: Workspace, engine: FakeEngine) -> None:
    workspace.opened = OpenedModel(some_info(encoder=False), None)
    panel.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "face.png")
    assert "no encoder, and no gradient goes through it" in workspace.notices.shown[-1].text
    workspace.opened = OpenedModel(some_info(encoder=False, path=""), None)
    panel.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "other.png")
    assert "Give explore() an encoder" in workspace.notices.shown[-1].text


def test_a_decoder_given_to_explore_is_inverted_too(panel: ImagePanel, workspace: Workspace, jobs: FakeJobs) -> None:
    workspace.opened = OpenedModel(some_info(encoder=False, invertible=True, path="", format="module"), None)
    panel.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "face.png")
    assert (jobs.started[-1].function, jobs.started[-1].arguments["path"]) == ("latentlab.measure.inversion:run", "")


def test_an_encoding_that_comes_after_another_model_is_forgotten(
    panel: ImagePanel, workspace: Workspace, engine: FakeEngine
) -> None:
    engine.hold = True
    panel.exchange._find_latent(np.zeros((8, 8, 3), np.uint8), "face.png")
    workspace.opened = OpenedModel(some_info(sha256="another"), workspace.opened.encodings)
    panel.show_model()
    engine.release()
    deliver()
    assert workspace.state.original is None


# --- pictures out


def test_copy_puts_pixels_and_latent_on_the_clipboard(panel: ImagePanel, workspace: Workspace) -> None:
    panel.copy_picture()
    mime = QGuiApplication.clipboard().mimeData()
    copied = mime.imageData()
    assert (copied.width(), copied.height()) == (8, 8)
    carried = latent_mime.unpacked(mime, CHECKPOINT)
    assert carried is not None
    assert carried.space == "z"
    assert np.array_equal(carried.latents[0].latent, workspace.state.latent)
    # The offscreen platform frees what still lies on its clipboard too late: the process would end by a signal.
    QGuiApplication.clipboard().clear()


def test_a_drag_carries_latent_pixels_and_a_file_with_its_recipe(panel: ImagePanel, workspace: Workspace) -> None:
    mime = panel.exchange.mime(panel._now())
    path = Path(mime.urls()[0].toLocalFile())
    assert path.suffix == ".png"
    with Image.open(path) as image:
        assert CHECKPOINT in image.info["latentlab"]
    assert mime.hasImage()
    assert latent_mime.unpacked(mime, CHECKPOINT)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/tmp/x", "..", "C:\\\\con", "a/b\x00c", "🙂" * 300, "\udcff", ""]
)
def test_the_name_of_a_latent_leads_out_of_no_folder(panel: ImagePanel, workspace: Workspace, name: str) -> None:
    """Names of encodings come from the checkpoint, which a stranger may have made."""
    state = workspace.state
    workspace.session.restart(replace(state, name=name))
    mime = panel.exchange.mime(panel._now())
    path = Path(mime.urls()[0].toLocalFile())
    assert path.is_file()
    assert path.resolve().parent == Path(panel.exchange._folder.path()).resolve()


def test_a_drag_without_room_for_its_file_carries_the_rest(
    panel: ImagePanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    mime = panel.exchange.mime(panel._now())
    assert not mime.urls()
    assert mime.hasImage()
    assert latent_mime.unpacked(mime, CHECKPOINT)
    assert "No space left" in workspace.notices.shown[-1].text


def test_a_picture_that_cannot_be_saved_is_said(panel: ImagePanel, workspace: Workspace, tmp_path: Path) -> None:
    panel.exchange.save_to(tmp_path / "no such folder" / "face.png", np.zeros((8, 8, 3), np.uint8))
    assert "no such folder" in workspace.notices.shown[-1].text
    assert not list(tmp_path.iterdir())
