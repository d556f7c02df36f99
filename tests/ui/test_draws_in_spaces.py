"""Draws of a model with two spaces: what edits are applied to and what is compared is what the samples panel shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.ui.applying import Applying
from latentlab.ui.main_window import MainWindow
from latentlab.ui.panels.attributes import AttributesPanel
from latentlab.ui.panels.compare import ComparePanel
from latentlab.ui.panels.samples import SamplesPanel
from tests.ui.conftest import SECOND, FakeEngine, deliver, mapped, some_info
from tests.ui.two_spaces import switch, with_two_spaces


@pytest.fixture
def two(window: MainWindow, engine: FakeEngine) -> MainWindow:
    return with_two_spaces(window, engine)


def truncate(window: MainWindow, psi: float) -> None:
    window.workspace.change("Truncation", samples=replace(window.workspace.state.samples, truncation=psi))
    deliver()


def applied_to_samples(window: MainWindow) -> Applying:
    panel = window.docks.raise_panel("attributes")
    assert isinstance(panel, AttributesPanel)
    applying = panel.applying
    index = applying.choice.findText("Apply to samples")
    applying.choice.setCurrentIndex(index)
    applying.choice.activated.emit(index)
    deliver()
    return applying


def test_edits_are_applied_to_the_samples_that_the_panel_shows(two: MainWindow) -> None:
    """In w these are draws of z that were taken there, as a seed is one picture in both."""
    applying = applied_to_samples(two)
    truncate(two, 0.5)
    switch(two, "w")
    samples = two.docks.panels["samples"]
    assert isinstance(samples, SamplesPanel)
    shown = [item.latent for item in samples.sheet.items][:4]
    assert shown
    np.testing.assert_array_equal([item.latent for item in applying.chosen(len(shown))], shown)
    assert len(applying.chosen(1000)) == 64


def test_where_truncation_has_no_effect_edits_are_applied_to_the_draws_as_they_are(two: MainWindow) -> None:
    """The panel shows them truncated in w, where the edits of z cannot be added."""
    applying = applied_to_samples(two)
    truncate(two, 0.5)
    z = two.workspace.opened.info.space("z")
    np.testing.assert_array_equal([item.latent for item in applying.chosen(5)], z.sample(5, 0))


def test_the_comparison_draws_in_the_space_one_works_in(two: MainWindow, engine: FakeEngine, tmp_path: Path) -> None:
    engine.second = some_info(sha256=SECOND)
    other = tmp_path / "other.pt"
    other.write_bytes(b"weights")
    panel = two.docks.raise_panel("compare")
    assert isinstance(panel, ComparePanel)
    panel.second.open(other)
    deliver()
    panel.choose("samples")
    switch(two, "w")
    first, second = (panel.pages["samples"].sheets[side] for side in ("first", "second"))  # type: ignore[attr-defined]
    z = two.workspace.opened.info.space("z")
    assert (first.space, second.space) == ("w", "z")
    assert len(first.items) >= 4
    wanted = mapped(z.sample(len(first.items), 0))
    np.testing.assert_array_equal([item.latent for item in first.items], wanted)
    np.testing.assert_array_equal([item.latent for item in second.items], z.sample(len(second.items), 0))
    truncate(two, 0.5)
    truncated = two.workspace.opened.info.space("w").truncated(wanted, 0.5)
    np.testing.assert_array_equal([item.latent for item in first.items], truncated)
