"""Names where there is little room."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.state import NamedLatent
from latentlab.ui.names import in_short
from latentlab.ui.pictures import Pictures
from latentlab.ui.thumbnail_strip import ThumbnailStrip


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("sample 3 of seed 0", "sample 3"),
        ("sample of seed 38154", "seed 38154"),
        ("sample 3 of seed 0, edited", "sample 3, edited"),
        ("1030.png", "1030.png"),
        ("a sample of seed 3", "a sample of seed 3"),
    ],
)
def test_a_sample_is_called_by_its_number_or_its_seed(name: str, short: str) -> None:
    assert in_short(name) == short


def test_the_caption_is_short_and_the_tooltip_says_the_seed(qtbot: QtBot) -> None:
    """The same picture as a strip whose item has the short name itself."""
    latent = np.zeros(4, np.float32)
    strip = ThumbnailStrip(Pictures(), captioned=True)
    qtbot.addWidget(strip)
    strip.resize(200, 120)
    strip.set_items([NamedLatent(latent, "sample 3 of seed 0")])
    shown = strip.grab().toImage()
    assert "sample 3 of seed 0" in strip._tip(0)
    strip.set_items([NamedLatent(latent, "sample 3")])
    assert strip.grab().toImage() == shown
    strip.set_items([NamedLatent(latent, "sample 4")])
    assert strip.grab().toImage() != shown
