"""Where the current picture stands, in words and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.typicality import Nearest
from latentlab.ui.standing import Place, Standing, ordinal
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import DIM


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0th"), (1, "1st"), (11.2, "11th"), (21.6, "22nd"), (43, "43rd"), (112, "100th")]
)
def test_ordinals(number: float, text: str) -> None:
    assert ordinal(number) == text


@pytest.mark.parametrize(
    ("percentile", "word"), [(0.2, "near the mean"), (50, "typical"), (98, "unusual"), (99.95, "far out")]
)
def test_words(percentile: float, word: str) -> None:
    assert Place(percentile, None).word == word


def test_the_percentile_is_explained() -> None:
    assert Place(62, None).explained == "Typical: of 100 draws from the prior 62 lie nearer to its mean"
    assert Place(99.95, None).explained.startswith("Far out: of 100 draws from the prior 100")


def test_beside_a_measured_prior_the_percentile_is_of_the_encodings(workspace: Workspace, qtbot: QtBot) -> None:
    """Draws around them lie farther out than they do: of draws it would be another number."""
    info = workspace.opened.info
    workspace.opened.info = replace(info, spaces=(replace(info.spaces[0], prior="empirical"),))
    standing = Standing(workspace)
    standing.show_model()
    with qtbot.waitSignal(standing.found):
        pass
    assert standing.place is not None
    assert " encodings " in standing.place.explained
    assert standing.place.explained.endswith("lie nearer to their mean")


def test_captions() -> None:
    assert Place(62, None).caption() == "62nd percentile"
    assert Place(62, Nearest(4, 1.0, 0.8), "#4").caption() == "62nd percentile · 0.80 σ from #4"
    assert Place(62, Nearest(4, 0.0, 0.0), "#4").caption() == "62nd percentile · is #4"
    assert Place(62, Nearest(4, 0.0, 0.0), "#4").caption("#4") == "62nd percentile"
    assert Place(62, Nearest(4, 0.003, 0.002), "#4").caption("sample 0") == "62nd percentile · 0.00 σ from #4"
    assert Place(62, Nearest(4, 1.0, 0.8), "#4").caption("#4").endswith("0.80 σ from #4")


def test_it_measures_the_shown_latent_once_for_many_changes(workspace: Workspace, qtbot: QtBot) -> None:
    standing = Standing(workspace)
    found: list[Place] = []
    standing.found.connect(found.append)
    encodings = workspace.opened.encodings
    assert encodings is not None
    for index in (5, 6, 7):
        workspace.go_to(encodings.latents[index], f"#{index}")
        standing.ask()
    with qtbot.waitSignal(standing.found):
        pass
    assert [(place.name, place.nearest.distance) for place in found if place.nearest] == [("#7", 0.0)]


def test_a_latent_of_another_size_is_not_measured(workspace: Workspace, qtbot: QtBot) -> None:
    standing = Standing(workspace)
    workspace.go_to(np.zeros(DIM + 1, np.float32), "between two models")
    standing._measure()
    assert standing.place is None
