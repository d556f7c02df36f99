"""Search: the way to a picture's latent where a model has no encoder."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from latentlab.ui import theme
from latentlab.ui.compare.finding import Finding
from latentlab.ui.icons import icon


class Search(QWidget):
    """A button, then how far the search is and how to stop it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self._finding = finding
        self.button = QPushButton(icon("mdi6.magnify"), "Search for it")
        self.button.setToolTip("This model has no encoder: optimisation looks for the latent that draws the picture")
        self.button.clicked.connect(lambda _=False: finding.search())
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the search")
        self.cancel = QPushButton("Cancel")
        self.cancel.setProperty("flat", True)
        self.cancel.clicked.connect(lambda _=False: finding.cancel())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.addStretch()
        row.addWidget(self.button)
        row.addWidget(self.progress, 2)
        row.addWidget(self.cancel)
        row.addStretch()

    def show_search(self) -> None:
        """Hidden where there is an encoder, or where what was found is of this very picture."""
        finding, job = self._finding, self._finding.job
        self.setVisible(finding.searches and (job is not None or not finding.fresh))
        self.button.setVisible(job is None)
        self.button.setText("Search again" if finding.found is not None else "Search for it")
        for part in (self.progress, self.cancel):
            part.setVisible(job is not None)
        if job is not None:
            self.progress.setRange(0, int(job.latest.total))
            self.progress.setValue(int(job.latest.done))
            self.progress.setToolTip(job.latest.text)
