"""A t-SNE settles, is kept, cancelled, refused; another model ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.core.projections.job import run as run_projection
from latentlab.core.requests import Done, JobFailed, Partial, Progress
from latentlab.core.state import MapView, with_strength
from latentlab.ui.panels.map import MapPanel
from latentlab.ui.workspace import OpenedModel
from tests.ui.map_hand import empty_place, encodings_of, press, release


@pytest.fixture
def panel(map_panel: MapPanel) -> MapPanel:
    return map_panel


class _Silent:
    def progress(self, done: float, total: float, text: str = "") -> None: ...
    def partial(self, value: Any) -> None: ...


def tsne_result(encodings: EncodingSet) -> dict[str, Any]:
    """What the job would hand back, made quickly: a PCA under the name of t-SNE's neighbours."""
    points = encodings.principal.transform(encodings.latents)[:, :2] * 3
    return {
        "kind": "tsne",
        "spherical": False,
        "layout": points.astype(np.float32),
        "approximate": np.zeros(len(encodings), bool),
        "notes": (),
        "trustworthiness": 0.9,
    }


def test_tsne_settles_before_ones_eyes_and_is_kept(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace, encodings = panel.workspace, encodings_of(panel)
    panel.controls.projection_chosen.emit("tsne")
    (job,) = jobs.started
    assert job.function == "latentlab.core.projections.job:run"
    assert job.arguments["kind"] == "tsne"
    assert job.arguments["latents"] is encodings.latents
    assert panel.canvas.scene is not None
    before = panel.canvas.scene.cloud.points_N2
    job.say(Progress(100, 750, "iteration 100 of 750"))
    settled()
    assert panel.progress.isVisible()
    assert "13%" in panel.progress.text
    panel.progress.resize(230, panel.progress.height())
    assert panel.progress._title.text().startswith("t-SNE")
    assert "·" not in panel.progress._title.text(), "what there is no room for is not cut in two"
    assert panel.canvas.scene.cloud.points_N2 is before  # the old map until there is something to see
    step = np.random.default_rng(0).standard_normal((len(encodings), 2)).astype(np.float32)
    job.say(Partial(step))
    settled()
    assert panel.canvas.scene.cloud.points_N2 is step
    assert panel.canvas.overlay.crosshair == pytest.approx(step[0].tolist(), abs=1e-4)  # rides along on #0
    place = empty_place(panel)
    press(panel.canvas, place)
    release(panel.canvas, place)
    assert panel.canvas.overlay.caption.startswith("a guess from its neighbours, which still move\n")
    workspace.session.undo()
    job.say(Done(tsne_result(encodings)))
    settled()
    assert not panel.progress.isVisible()
    assert panel.canvas.overlay.crosshair is not None
    assert panel.controls.note.text() == "trustworthiness 0.90"
    press(panel.canvas, empty_place(panel))
    release(panel.canvas, empty_place(panel))
    assert panel.canvas.overlay.caption.startswith("a guess from its neighbours\n")
    workspace.session.undo()
    workspace.session.undo()
    assert workspace.state.view.projection == "pca"
    workspace.session.redo()
    assert len(jobs.started) == 1  # kept
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.key == ("tsne",)


def test_cancel_goes_back_to_the_map_before(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    before = workspace.state
    panel.controls.projection_chosen.emit("tsne")
    jobs.started[0].say(Partial(np.zeros((60, 2), np.float32)))
    settled()
    panel.progress.cancel_button.click()
    settled()
    assert jobs.started[0].cancelled
    assert workspace.state is before
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.key == ("pca", "1", "2")
    assert not panel.progress.isVisible()
    assert panel.controls.projection.currentData() == "pca"


def test_cancel_after_other_work_leaves_that_work(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    panel.controls.projection_chosen.emit("tsne")
    workspace.session.update(with_strength(workspace.state, "Smiling", 1.0), "Smiling")
    panel.progress.cancel_button.click()
    settled()
    assert workspace.state.view == MapView()
    assert workspace.state.strengths == {"Smiling": 1.0}


def test_a_failed_layout_is_said_and_the_map_stays(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    panel.controls.projection_chosen.emit("tsne")
    jobs.started[0].say(JobFailed("t-SNE ran out of memory; close something and try again.", "trace"))
    settled()
    assert panel.workspace.state.view.projection == "pca"
    assert not panel.progress.isVisible()


def test_another_model_cancels_what_runs(panel: MapPanel, jobs: Any, settled: Callable[[], None]) -> None:
    workspace = panel.workspace
    panel.controls.projection_chosen.emit("tsne")
    workspace.opened = OpenedModel(workspace.opened.info, replace(encodings_of(panel)))
    workspace.session.restart(replace(workspace.state, view=MapView()))
    panel.show_model()
    panel.show_state(workspace.state, None)
    settled()
    assert jobs.started[0].cancelled
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None


def test_the_real_job_hands_back_what_the_map_takes_up(panel: MapPanel, jobs: Any, settled: Any) -> None:
    """With so few encodings the method gives its PCA and a note: quick, and the whole way is walked."""
    workspace = panel.workspace
    workspace.opened = OpenedModel(
        workspace.opened.info, replace(encodings_of(panel), latents=np.eye(4, 8, dtype="f4"))
    )
    panel.show_model()
    workspace.session.restart(replace(workspace.state, view=MapView(projection="tsne")))
    job = jobs.started[-1]
    job.say(Done(run_projection(_Silent(), **job.arguments)))
    settled()
    layout = workspace.projecting.layout
    assert layout is not None
    assert layout.projection is not None
    assert workspace.notices.shown  # the note
