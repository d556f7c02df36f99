"""Edits on many pictures: what they can be applied to, the sheet that is saved, the samples that are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Done
from latentlab.core.state import Group, NamedLatent, with_strength
from latentlab.engine.edit_sheet import EditSheet
from latentlab.ui.applying import Applying
from latentlab.ui.pictures import Pictures
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, FakeJobs


@pytest.fixture
def applying(workspace: Workspace, qtbot: QtBot) -> Applying:
    """On a group of three, with glasses on."""
    widget = Applying(workspace, Pictures())
    qtbot.addWidget(widget)
    widget.show()
    widget.show_state(workspace.state, None)
    workspace.session.changed.connect(widget.show_state)
    workspace.change("Select", groups=(Group("some", np.array([3, 5, 8])),))
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 1.5), "Eyeglasses")
    return widget


def choose(applying: Applying, text: str) -> None:
    index = next(i for i in range(applying.choice.count()) if applying.choice.itemText(i).startswith(text))
    applying.choice.setCurrentIndex(index)
    applying.choice.activated.emit(index)


def test_nothing_is_offered_before_something_is_chosen(applying: Applying) -> None:
    assert not applying.button.isEnabled()
    assert not applying.strip.isVisible()
    assert [applying.choice.itemText(i) for i in range(applying.choice.count())] == [
        "Apply to many pictures…",
        "Apply to samples",
        "Apply to some (3)",
    ]
    choose(applying, "Apply to some")
    assert applying.button.isEnabled()
    assert applying.strip.isVisible()


def test_without_an_edit_it_says_why_both_rows_are_the_same(applying: Applying, workspace: Workspace) -> None:
    choose(applying, "Apply to some")
    assert not applying.words.isVisible()
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 0.0), "Off")
    assert applying.words.isVisible()
    assert "No edit is on" in applying.words.text()
    choose(applying, "Apply to many")
    assert not applying.words.isVisible(), "nothing is shown that could be the same"


def test_a_group_that_is_gone_is_no_longer_applied_to(applying: Applying, workspace: Workspace) -> None:
    choose(applying, "Apply to some")
    workspace.change("Delete", groups=())
    assert not applying.strip.isVisible()
    assert not applying.button.isEnabled()
    assert applying.save_to(Path("nowhere.png")) is None


def test_the_sheet_is_saved_by_a_job(
    applying: Applying, workspace: Workspace, jobs: FakeJobs, tmp_path: Path, settled: Callable[[], None]
) -> None:
    choose(applying, "Apply to some")
    applying.save_to(tmp_path / "sheet.png")
    job = jobs.started[-1]
    assert job.function == "latentlab.engine.edit_sheet:run"
    assert workspace.opened.encodings is not None
    np.testing.assert_array_equal(job.arguments["latents"], workspace.opened.encodings.latents[[3, 5, 8]])
    np.testing.assert_array_equal(job.arguments["edit"], workspace.state.edit)
    assert (job.arguments["checkpoint"], job.arguments["strengths"]) == (CHECKPOINT, {"Eyeglasses": 1.5})
    job.say(Done(EditSheet(str(tmp_path / "sheet.png"), 3, 1000)))
    settled()
    assert workspace.notices.log[-1].text == "Saved sheet.png: 3 pictures before and after."


def test_the_edited_ones_are_kept_among_the_samples(applying: Applying, workspace: Workspace) -> None:
    choose(applying, "Apply to some")
    applying.keep()
    assert workspace.opened.encodings is not None
    kept = workspace.state.samples.kept
    wanted = workspace.opened.encodings.latents[[3, 5, 8]] + workspace.state.edit
    np.testing.assert_allclose([item.latent for item in kept], wanted, rtol=1e-6)
    assert kept[0].name == "#3, Eyeglasses +1.5"
    assert workspace.session.undo_label == "Keep 3 edited"
    applying.keep()
    assert len(workspace.state.samples.kept) == 3
    assert "already" in workspace.notices.log[-1].text
    workspace.session.undo()
    assert workspace.state.samples.kept == ()


def test_samples_and_kept_samples_can_be_chosen(applying: Applying, workspace: Workspace) -> None:
    choose(applying, "Apply to samples")
    drawn = workspace.space.sample(24, workspace.state.samples.seed)
    np.testing.assert_array_equal([item.latent for item in applying.chosen(24)], drawn)
    assert len(applying.chosen(1000)) == 64
    one = NamedLatent(drawn[0], "mine")
    workspace.change("Keep", samples=replace(workspace.state.samples, kept=(one,)))
    assert applying.choice.currentText() == "Apply to samples"
    choose(applying, "Apply to kept")
    assert applying.chosen(24) == [one]
