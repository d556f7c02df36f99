"""Projecting: layouts of the encodings for the map. Fits what is quick here, and the rest in a process of its own.

The only place of the map that knows of threads and processes. Shapes: N encodings, D latent.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import LatentlabError
from latentlab.core.projections import Projection
from latentlab.core.projections.job import from_arrays
from latentlab.core.registry import PROJECTIONS
from latentlab.core.requests import Progress
from latentlab.core.spaces import FloatArray
from latentlab.core.state import MapView
from latentlab.ui.running import Running, RunningJob

LINEAR = ("pca", "plane")  # fitted here: a matrix product
IN_PLACE = 4_000_000  # so many numbers (N x D) are fitted between two frames; more go to a thread
GUESSED = 50_000
STILL_MS = 100  # between two looks whether the hand has let go
JOB = "latentlab.core.projections.job:run"

Key = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class MapLayout:
    """Where the encodings are. A layout that is not settled has a way back by neighbours too, up to GUESSED of them."""

    points: FloatArray  # (N, 2)
    projection: Projection | None
    axes: tuple[str, str]
    key: Key
    settled: bool = True


class Projecting(QObject):
    """`ask` says what the map wants to show; `changed` says that `layout` is another one.

    Fitted projections are kept until other encodings come, so that switching back, or undo, is immediate.
    `in_hand` says whether a drag goes on. What a job sends then waits: nothing moves under a hand, and no frame of the
    drag pays for drawing all points anew.
    """

    changed = Signal()  # `layout`: another one, or the next step of one that settles
    progressed = Signal()  # `job` began, advanced or ended
    failed = Signal(str)  # the wanted layout cannot be had; `layout` stays
    noted = Signal(str)  # where a layout is less than what was asked for
    given_up = Signal(str)  # the job of the wanted layout (its MapView.projection) was cancelled or failed
    _fitted = Signal(object, object)  # (Key, Projection or the error), from the thread

    def __init__(
        self, running: Running, in_hand: Callable[[], bool] = lambda: False, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._running = running
        self._in_hand = in_hand
        self._waiting: MapLayout | None = None
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(STILL_MS)
        self._still.timeout.connect(self._put_waiting)
        self._encodings: EncodingSet | None = None
        self._kept: dict[Key, MapLayout] = {}
        self._jobs: dict[Key, RunningJob] = {}
        self._wanted: Key = ()
        self._in_thread: set[Key] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="projecting")
        self.layout: MapLayout | None = None
        self.destroyed.connect(partial(self._thread.shutdown, wait=False, cancel_futures=True))
        self._fitted.connect(self._take_fitted, Qt.ConnectionType.QueuedConnection)

    @property
    def job(self) -> RunningJob | None:
        """What is computed for the wanted layout, if anything."""
        return self._jobs.get(self._wanted)

    def open(self, encodings: EncodingSet | None) -> None:
        """Other encodings: everything kept is forgotten, everything that runs is cancelled."""
        if encodings is self._encodings:
            return
        running, self._jobs = list(self._jobs.values()), {}
        self._encodings = encodings
        self._kept.clear()
        self._in_thread.clear()
        self._wanted = ()
        self._waiting = None
        self.layout = None
        for job in running:
            job.cancel()

    def ask(self, view: MapView, directions: DirectionSet) -> None:
        """Show the layout of `view`: at once where it is kept or quick, else as soon as it exists."""
        encodings = self._encodings
        if encodings is None or not len(encodings):
            return
        key = layout_key(view, directions)
        if key == self._wanted:
            return
        self._wanted = key
        self._waiting = None
        self.progressed.emit()
        if key in self._kept:
            self._put(self._kept[key])
        elif view.projection in LINEAR:
            self._fit(key, encodings, lambda: fitted_here(view, directions, encodings))
        elif key not in self._jobs:
            self._start(key, view.projection, encodings)

    def cancel(self) -> None:
        """Gives up what is computed for the wanted layout; `given_up` follows."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    # --- quick ones -------------------------------------------------------------------------------------------

    def _fit(self, key: Key, encodings: EncodingSet, fit: Callable[[], Projection]) -> None:
        if encodings.latents.size <= IN_PLACE:
            try:
                self._finish(key, fit())
            except LatentlabError as error:
                self._refuse(key, str(error))
        elif key not in self._in_thread:
            self._in_thread.add(key)
            self._thread.submit(self._fit_in_thread, encodings, key, fit)

    def _fit_in_thread(self, encodings: EncodingSet, key: Key, fit: Callable[[], Projection]) -> None:
        try:
            result: object = fit()
        except Exception as error:  # noqa: BLE001 - reported on the GUI thread, whatever it is
            result = error
        self._fitted.emit((encodings, key), result)

    def _take_fitted(self, ticket: tuple[EncodingSet, Key], result: object) -> None:
        encodings, key = ticket
        if encodings is not self._encodings:
            return
        self._in_thread.discard(key)
        if isinstance(result, LatentlabError):
            self._refuse(key, str(result))
        elif isinstance(result, Exception):
            raise result
        else:
            self._finish(key, result)  # type: ignore[arg-type]

    # --- long ones --------------------------------------------------------------------------------------------

    def _start(self, key: Key, kind: str, encodings: EncodingSet) -> None:
        title = PROJECTIONS[kind].title
        # Averages of draws from a prior are shorter than any draw; encodings of data have no such length.
        arguments = {"kind": kind, "latents": encodings.latents, "parameters": {"spherical": encodings.samples}}
        job = self._running.start(f"{title} map", JOB, arguments)
        self._jobs[key] = job
        job.partial.connect(lambda points: self._settle(key, encodings, title, points))
        job.progress.connect(lambda _progress: self._tell(key))
        job.done.connect(lambda result: self._take_result(key, encodings, result))
        job.failed.connect(lambda _failure: self._take_failure(key, encodings))
        job.cancelled.connect(lambda: self._take_cancelled(key, encodings, kind))
        self.progressed.emit()

    def _settle(self, key: Key, encodings: EncodingSet, title: str, points: FloatArray) -> None:
        if encodings is self._encodings and key == self._wanted:
            axes = (f"{title} 1", f"{title} 2")
            self._put_when_still(MapLayout(points, _guess(encodings, key, points), axes, key, settled=False))

    def _tell(self, key: Key) -> None:
        if key == self._wanted:
            self.progressed.emit()

    def _take_result(self, key: Key, encodings: EncodingSet, result: dict[str, Any]) -> None:
        if encodings is self._encodings:
            self._jobs.pop(key, None)
            self._keep(key, from_arrays(result, encodings.latents))
            if key == self._wanted:
                self._put_when_still(self._kept[key])
            self.progressed.emit()

    def _take_failure(self, key: Key, encodings: EncodingSet) -> None:
        if encodings is self._encodings:
            self._jobs.pop(key, None)
            self.progressed.emit()
            if key == self._wanted:
                self._wanted = ()
                self.given_up.emit(key[0])  # Running has said why

    def _take_cancelled(self, key: Key, encodings: EncodingSet, kind: str) -> None:
        if encodings is self._encodings:
            self._jobs.pop(key, None)
            self.progressed.emit()
            if key == self._wanted:
                self._wanted = ()
                self.given_up.emit(kind)

    # --- both -------------------------------------------------------------------------------------------------

    def _finish(self, key: Key, projection: Projection) -> None:
        self._keep(key, projection)
        if key == self._wanted:
            self._put(self._kept[key])

    def _keep(self, key: Key, projection: Projection) -> None:
        self._kept[key] = MapLayout(projection.layout_, projection, projection.axes, key)
        self._thread.submit(_warmed, projection)
        for note in projection.notes:
            self.noted.emit(note)

    def _refuse(self, key: Key, message: str) -> None:
        if key == self._wanted:
            self._wanted = ()
            self.failed.emit(message)

    def _put_when_still(self, layout: MapLayout) -> None:
        """Latest wins: a later layout takes the place of one that still waits."""
        self._waiting = layout
        self._put_waiting()

    def _put_waiting(self) -> None:
        if self._waiting is None:
            return
        if self._in_hand():
            self._still.start()
            return
        layout, self._waiting = self._waiting, None
        self._put(layout)

    def _put(self, layout: MapLayout) -> None:
        if layout is not self.layout:
            self.layout = layout
            self.changed.emit()

    @property
    def progress(self) -> Progress | None:
        """Of the wanted layout; None when nothing is computed for it."""
        return self.job.latest if self.job is not None else None


def _guess(encodings: EncodingSet, key: Key, points: FloatArray) -> Projection | None:
    """The way back from a layout that still settles, as its neighbours give it; None where finding them is slow."""
    if len(points) > GUESSED:
        return None
    arrays = {
        "kind": key[0],
        "spherical": encodings.samples,
        "layout": points,
        "approximate": np.zeros(len(points), bool),
        "notes": (),
        "trustworthiness": None,
    }
    return from_arrays(arrays, encodings.latents)


def layout_key(view: MapView, directions: DirectionSet) -> Key:
    """Two views with the same key have the same layout."""
    if view.projection == "pca":
        return ("pca", view.x, view.y)
    if view.projection == "plane":
        # A direction that was fitted anew under its old name is another axis.
        return ("plane", *((axis, _vector(directions, axis)) for axis in (view.x, view.y)))
    return (view.projection,)


def _vector(directions: DirectionSet, name: str) -> bytes:
    return directions[name].vector.tobytes() if name in directions else b""


def fitted_here(view: MapView, directions: DirectionSet, encodings: EncodingSet) -> Projection:
    """A linear map, ready to be asked back from. Raises OptionError for axes that do not exist, DataError."""
    if view.projection == "pca":
        projection: Projection = PROJECTIONS["pca"].load()(view.x, view.y, encodings.principal)
    else:
        projection = PROJECTIONS["plane"].load()(view.x, view.y, directions)
    return projection.fit(encodings.latents)


def _warmed(projection: Projection) -> Projection:
    """The first question back builds what finds neighbours: a moment that no drag should pay for."""
    placed = projection.layout_[np.isfinite(projection.layout_).all(axis=1)][:1]
    if len(placed):
        projection.inverse(placed)
    return projection
