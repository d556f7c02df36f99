"""The first map needs none of the libraries that take a second to import."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from PySide6.QtWidgets import QApplication
app = QApplication([])
import latentlab.ui.panels.map
from latentlab.core.directions import DirectionSet
from latentlab.core.encodings import EncodingSet
from latentlab.core.state import MapView
from latentlab.ui.projecting import Projecting
from latentlab.ui.running import Running
projecting = Projecting(Running(None))
projecting.open(EncodingSet(np.random.default_rng(0).standard_normal((500, 8)).astype(np.float32)))
projecting.ask(MapView(), DirectionSet())
assert projecting.layout is not None
projecting.layout.projection.inverse(projecting.layout.points[:1])
projecting.close()
heavy = {"torch", "sklearn", "scipy", "openTSNE", "umap", "pyqtgraph", "superqt", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_first_map_imports_nothing_heavy() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], check=True)
