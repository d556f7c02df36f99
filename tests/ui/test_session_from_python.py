"""A session that was written from Python is opened by the window as one of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

import latentlab
from latentlab.core.direction_making import DirectedModel
from latentlab.core.directions import Direction, DirectionSet
from latentlab.ui.main_window import MainWindow
from tests.ui.conftest import DIM, FakeEngine, deliver, some_directions, some_encodings, some_info


def test_the_window_goes_on_where_python_left_off(window: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "faces.pt").write_bytes(b"weights")
    hat = Direction("Hat", np.eye(DIM, dtype=np.float32)[5])
    directions = DirectionSet([*some_directions().values(), hat])
    info = some_info(path=str(tmp_path / "faces.pt"))
    model = cast(DirectedModel, SimpleNamespace(info=info, encodings=some_encodings(), directions=directions))
    latent = np.linspace(-1, 1, DIM, dtype=np.float32)
    latentlab.save_session(
        tmp_path / "work.latentlab", model, latent, strengths={"Hat": 2}, keyframes=[latent, -latent]
    )
    window.commands.open_path(tmp_path / "work.latentlab")
    deliver()
    assert engine.opens[-1].path == str(tmp_path / "faces.pt")
    state = window.workspace.state
    np.testing.assert_allclose(state.latent, latent + 2 * hat.vector)
    assert list(state.directions) == ["Eyeglasses", "Smiling", "Hat"]
    assert state.strengths == {"Hat": 2}
    assert [one.name for one in state.walk.keyframes] == ["keyframe 1", "keyframe 2"]
    assert not window.workspace.session.dirty
    assert window.files.path == tmp_path / "work.latentlab"
    np.testing.assert_array_equal(state.origin, latent)  # what "before" and reset go back to
