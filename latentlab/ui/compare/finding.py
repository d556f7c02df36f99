"""Finding: the latent that a model has for a picture, by its encoder as the picture changes, else by a search.

Shapes: D latent, H W C pictures, uint8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from latentlab.core.condition import Condition
from latentlab.core.inversion import Inversion
from latentlab.core.requests import Encoded, JobFailed
from latentlab.core.spaces import FloatArray
from latentlab.ui.compare.current import Picture
from latentlab.ui.compare.pair import Pair, Side
from latentlab.ui.picture_exchange import FOREIGN, INVERSION
from latentlab.ui.running import RunningJob

PIECE_MS = 8.0  # what takes longer cannot be interrupted, so it waits until the picture rests
REST_MS = 120


@dataclass(frozen=True, eq=False)
class Found:
    of: Picture  # the picture that was looked for
    latent: FloatArray  # (D,) in the model's first space
    picture: Picture  # its reconstruction
    mse: float  # in [0, 1] intensities
    condition: Condition | None
    searched: bool = False


class Finding(QObject):
    """`look_for` a picture; `changed` once `found` is another, or a search began, advanced or ended."""

    changed = Signal()

    def __init__(self, pair: Pair, place: str, side: Side, parent: QObject) -> None:
        super().__init__(parent)
        self._pair = pair
        self._place = place
        self._side: Side = side
        self._wanted: tuple[Picture, Condition | None] | None = None
        self._asked: dict[int, Picture] = {}  # by ticket
        self._cost_ms = 0.0
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._ask)
        self.found: Found | None = None
        self.live: Picture | None = None  # of a search under way
        self.job: RunningJob | None = None

    @property
    def fresh(self) -> bool:
        """Whether what was found is of the picture that is wanted."""
        return self.found is not None and self._wanted is not None and self.found.of is self._wanted[0]

    @property
    def encodes(self) -> bool:
        return self._pair.opened(self._side).info.encoder

    @property
    def searches(self) -> bool:
        """Whether a search is possible where there is no encoder."""
        info = self._pair.opened(self._side).info
        return not info.encoder and info.invertible and bool(info.path)

    def forget(self) -> None:
        """Another model, or another pair: nothing that was found holds any more."""
        self.cancel()
        self._rest.stop()
        self._wanted = self.found = self.live = None
        self._asked.clear()
        self._cost_ms = 0.0

    def look_for(self, image: Picture, condition: Condition | None) -> None:
        """An encoder is asked at once, or once the picture rests where that takes long. Calling again costs nothing."""
        wanted = self._wanted
        if wanted is not None and wanted[0] is image and wanted[1] == condition:
            return
        self._wanted = (image, condition)
        if not self.encodes:
            self.changed.emit()
        elif self._cost_ms > PIECE_MS:
            self._rest.start()
        else:
            self._ask()

    def _ask(self) -> None:
        if self._wanted is not None:
            image, condition = self._wanted
            self._asked[self._pair.encode(self._place, self._side, image, condition)] = image

    def take(self, reply: Encoded) -> None:
        """Of the picture it was asked for, which during a drag is older than the one that is wanted."""
        of = self._asked.get(reply.ticket)
        if of is None:
            return
        self._asked = {ticket: image for ticket, image in self._asked.items() if ticket > reply.ticket}
        self._cost_ms = reply.encode_ms
        picture, mse = reply.reconstructions[0], float(reply.mse[0])
        self.found = Found(of, reply.latents[0], picture, mse, reply.request.condition)
        self.changed.emit()

    # --- a search, where there is no encoder

    def search(self) -> None:
        """Looks for the wanted picture by optimisation, in a job."""
        if self._wanted is None or self.job is not None:
            return
        (image, condition), opened = self._wanted, self._pair.opened(self._side)
        arguments: dict[str, Any] = {"path": opened.info.path, "image": image, "condition": condition}
        if opened.info.format != "native":
            how = opened.for_jobs
            arguments |= {"loader": FOREIGN, "how": {"trust": how["trust"], "options": how["options"]}}
        job = self._pair.workspace.running.start(
            "Searching for the picture", INVERSION, arguments, on_partial=self._show_live
        )
        job.done.connect(partial(self._finish, image, condition))
        job.failed.connect(self._fail_search)
        job.progress.connect(lambda _progress: self.changed.emit())
        job.ended.connect(partial(self._end, job))
        self.job = job
        self.changed.emit()

    def cancel(self) -> None:
        job, self.job, self.live = self.job, None, None
        if job is not None:
            job.cancel()
            self.changed.emit()

    def _show_live(self, picture: Picture) -> None:
        if self.job is not None:
            self.live = picture
            self.changed.emit()

    def _finish(self, image: Picture, condition: Condition | None, found: Inversion) -> None:
        if self.job is not None:
            self.found = Found(image, found.latent, found.reconstruction, found.mse, condition, searched=True)

    def _fail_search(self, failure: JobFailed) -> None:
        self._pair.workspace.notices.error(failure.message, details=failure.details)

    def _end(self, job: RunningJob) -> None:
        if job is self.job:
            self.job = self.live = None
            self.changed.emit()
