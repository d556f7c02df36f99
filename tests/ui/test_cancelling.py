"""Jobs that are cancelled at 0, 50 and 99 %, as the window sees them: the work of before, and nothing said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage

from latentlab.core.requests import Done, Partial, Progress
from latentlab.core.state import NamedLatent, Walk
from latentlab.ui.main_window import MainWindow
from latentlab.ui.notices import Severity
from tests.ui.conftest import DIM, FakeJobs, deliver

Starts = Callable[[MainWindow, Path], object]


def exports(window: MainWindow, folder: Path) -> None:
    ends = tuple(NamedLatent(np.full(DIM, value, np.float32), "end") for value in (0.0, 1.0))
    window.workspace.change("Keyframes", walk=Walk(ends))
    panel: Any = window.docks.raise_panel("walk")
    panel.export_to(folder / "walk.gif", "gif")


def lays_out(window: MainWindow, folder: Path) -> None:
    workspace = window.workspace
    workspace.change("Projection", view=replace(workspace.state.view, projection="tsne"))


def encodes(window: MainWindow, folder: Path) -> None:
    window.commands.map_making.encode(folder)


def draws(window: MainWindow, folder: Path) -> None:
    window.commands.map_making.draw()


def fits(window: MainWindow, folder: Path) -> None:
    panel: Any = window.docks.raise_panel("attributes")
    panel.method_choice.activated.emit(1)


def inverts(window: MainWindow, folder: Path) -> None:
    opened = window.workspace.opened
    opened.info = replace(opened.info, encoder=False, invertible=True)
    panel: Any = window.docks.raise_panel("image")
    picture = QImage(8, 8, QImage.Format.Format_RGB888)
    picture.fill(0)
    panel.exchange.take_image(picture)


STARTS: dict[str, Starts] = {
    "export": exports,
    "t-SNE": lays_out,
    "encode a folder": encodes,
    "draw samples": draws,
    "fit attributes": fits,
    "invert": inverts,
}


@pytest.mark.parametrize("name", STARTS)
def test_a_cancelled_job_leaves_the_work_of_before(
    name: str, window: MainWindow, jobs: FakeJobs, tmp_path: Path
) -> None:
    running, session = window.workspace.running, window.workspace.session
    deliver()
    for share in (0, 50, 99):
        before, encodings = session.state, window.workspace.opened.encodings
        STARTS[name](window, tmp_path)
        deliver()
        if name == "export":
            before = session.state  # its keyframes are work of their own
        job = jobs.started[-1]
        if share:
            job.say(Progress(share, 100, "on the way"))
        deliver()
        (handle,) = running.running
        handle.cancel()
        job.say(Done(object()))  # a result that was under way already
        job.say(Partial(object()))
        deliver()
        assert running.running == []
        assert session.state.view == before.view
        assert session.state.directions is before.directions
        assert np.array_equal(session.state.latent, before.latent)
        assert window.workspace.opened.encodings is encodings
        assert not [notice for notice in window.workspace.notices.log if notice.severity is Severity.ERROR]
    assert not list(tmp_path.iterdir())
