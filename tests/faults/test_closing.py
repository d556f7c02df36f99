"""The window closed while everything it can do is being done. `python -m benchmarks.faults` does it a hundred times."""

from __future__ import annotations

import sys

import pytest

from benchmarks.closing import ACTIVITIES, closed
from latentlab.core.bundled import DEFAULT, assets_folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for what is left as Linux shows it")
def test_closed_while_a_map_an_export_a_run_and_pictures_are_made() -> None:
    """A layout, two exports, training, pictures and another model at once: status 0, and nothing is left of them."""
    found = closed("all at once", assets_folder() / DEFAULT, ACTIVITIES["all at once"].spread_s / 4)
    assert found.left == ()
    assert found.status == 0, found.said
    assert "Traceback" not in found.said
