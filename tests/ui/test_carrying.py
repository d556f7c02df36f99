"""Samples that are truncated in another space than the one worked in, and latents that are dropped from one."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.requests import Decode, ToSpace
from latentlab.core.state import NamedLatent
from latentlab.ui.carrying import show_carried
from latentlab.ui.latent_mime import Carried
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.arithmetic import ArithmeticPanel
from latentlab.ui.panels.samples import SamplesPanel
from latentlab.ui.panels.walk import WalkPanel
from tests.ui.conftest import DIM, FakeEngine, deliver, mapped
from tests.ui.two_spaces import DRAWS, switch, texts, with_two_spaces


@pytest.fixture
def two(window: MainWindow, engine: FakeEngine) -> MainWindow:
    return with_two_spaces(window, engine)


def samples_of(window: MainWindow) -> SamplesPanel:
    panel = window.docks.panel("samples")
    assert isinstance(panel, SamplesPanel)
    deliver()
    return panel


def truncate(panel: SamplesPanel, psi: float) -> None:
    panel.truncation.typed.emit(0, psi)
    deliver()


def test_truncation_in_z_draws_in_w_what_the_command_line_draws(two: MainWindow, engine: FakeEngine) -> None:
    samples, (z, w) = samples_of(two), two.workspace.opened.info.spaces
    np.testing.assert_array_equal(samples.sheet.items[0].latent, z.sample(1, 0)[0])
    truncate(samples, 0.5)
    drawn = mapped(z.sample(len(samples.sheet.items), 0))
    wanted = w.centre + 0.5 * (drawn - w.centre)
    np.testing.assert_allclose([item.latent for item in samples.sheet.items], wanted, rtol=1e-6)
    sheet = next(r for consumer, r, *_ in reversed(engine.requests) if consumer == "samples/sheet")
    assert isinstance(sheet, Decode)
    assert sheet.space == "w"
    assert "Truncated in w" in samples.hint.text()
    asked = sum(isinstance(request, ToSpace) for _, request, *_ in engine.requests)
    truncate(samples, 0.7)  # the way to w has been gone
    assert sum(isinstance(request, ToSpace) for _, request, *_ in engine.requests) == asked
    np.testing.assert_allclose(samples.sheet.items[0].latent, w.centre + 0.7 * (drawn[0] - w.centre), rtol=1e-6)
    truncate(samples, 1)
    np.testing.assert_array_equal(samples.sheet.items[0].latent, z.sample(1, 0)[0])
    assert "Truncated" not in samples.hint.text()


def test_a_truncated_sample_is_shown_in_w_and_the_sheet_stays(two: MainWindow) -> None:
    two.commands.add_keyframe()
    before = two.workspace.state
    samples = samples_of(two)
    truncate(samples, 0.5)
    here = two.workspace.state
    drawn = [item.latent for item in samples.sheet.items]
    samples.sheet.chosen.emit(3)
    deliver()
    state = two.workspace.state
    assert (state.space, state.name, state.samples.truncation) == ("w", "sample 3 of seed 0, truncation 0.5", 0.5)
    np.testing.assert_array_equal(state.latent, drawn[3])
    np.testing.assert_array_equal([item.latent for item in samples.sheet.items], drawn)
    assert samples.sheet.shown == 3
    assert any("lies in w, so work goes on there" in text and "1 keyframe in z" in text for text in texts(two))
    two.workspace.session.undo()
    deliver()
    assert two.workspace.state is here
    assert two.workspace.state.walk is before.walk
    two.opening.join()


def test_a_truncated_sample_is_kept_in_w(two: MainWindow) -> None:
    samples = samples_of(two)
    truncate(samples, 0.5)
    item = samples.sheet.items[2]
    samples.sheet.marked.emit(2)
    deliver()
    state = two.workspace.state
    assert (state.space, state.samples.kept) == ("z", ())
    assert [kept.latent.tobytes() for kept in state.elsewhere["w"].samples.kept] == [item.latent.tobytes()]
    assert samples.kept_button.text() == "1"
    samples.kept_button.click()
    assert [kept.name for kept in samples.sheet.items] == ["sample 2 of seed 0, truncation 0.5"]
    truncate(samples, 1)  # back to what lies in z
    assert samples.kept_button.text() == "0"
    assert len(samples.sheet.items) > 1
    two.workspace.session.undo()
    two.workspace.session.undo()
    deliver()
    assert "w" not in two.workspace.state.elsewhere


def test_a_sample_drawn_by_command_is_truncated_in_w(two: MainWindow) -> None:
    samples = samples_of(two)
    truncate(samples, 0)
    two.commands.draw_sample()
    deliver()
    state = two.workspace.state
    assert state.space == "w"
    np.testing.assert_allclose(state.latent, two.workspace.opened.info.spaces[1].centre, rtol=1e-6)
    assert two.workspace.session.undo_label == "Draw a sample"
    two.opening.join()


def test_what_is_dropped_from_z_is_taken_to_w_and_not_the_other_way(two: MainWindow) -> None:
    walk, arithmetic = two.docks.panel("walk"), two.docks.panel("arithmetic")
    assert isinstance(walk, WalkPanel)
    assert isinstance(arithmetic, ArithmeticPanel)
    there = Carried((NamedLatent(DRAWS[2].copy(), "from w"),), "w")
    before = two.workspace.state
    walk.drop(0, there)
    arithmetic.drop("a", there)
    assert two.workspace.state is before
    said = "lies in w, and the model has no way from there to z. Switch to w"
    assert sum(said in notice.text for notice in two.workspace.notices.log) >= 1
    latent = np.arange(DIM, dtype=np.float32)
    switch(two, "w")
    here = Carried((NamedLatent(latent, "from z"),), "z")
    walk.drop(0, here)
    arithmetic.drop("b", here)
    deliver()
    (keyframe,), (subtracted,) = two.workspace.state.walk.keyframes, two.workspace.state.arithmetic.b
    assert keyframe.name == "from z"
    np.testing.assert_array_equal(keyframe.latent, mapped(latent[None])[0])
    np.testing.assert_array_equal(subtracted.latent, mapped(latent[None])[0])


def test_what_is_dropped_on_the_picture_is_shown_in_its_space(two: MainWindow) -> None:
    show_carried(two.workspace, Carried((NamedLatent(DRAWS[2].copy(), "from w"),), "w"))
    deliver()
    assert two.workspace.state.space == "w"
    np.testing.assert_array_equal(two.workspace.state.latent, DRAWS[2])
    state = two.workspace.state
    show_carried(two.workspace, Carried((NamedLatent(np.zeros(3, np.float32), "short"),), "w"))
    assert two.workspace.state is state
    assert "no latent of this model's space w" in texts(two)[-1]
    two.opening.join()
