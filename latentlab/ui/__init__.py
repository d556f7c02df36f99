"""The window: PySide6 and pyqtgraph, no torch."""

import PySide6.QtCore  # noqa: F401 - brings the search that the next line replaces

from latentlab.ui.import_hook import look_at_modules

look_at_modules()
