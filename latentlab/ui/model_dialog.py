"""About this model: a table of two columns to read and to copy."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from latentlab.ui import theme
from latentlab.ui.icons import icon
from latentlab.ui.model_facts import SHA, Fact, Facts, as_text, facts_of
from latentlab.ui.workspace import OpenedModel

TITLE = "About this model"
TITLES_PX = 190  # the first column


class ModelDialog(QDialog):
    """Closes with Escape."""

    def __init__(self, opened: OpenedModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(TITLE)
        self.resize(780, 600)  # a SHA-256 fits on its line
        groups = facts_of(opened)
        self.text = as_text(groups)
        heading = QLabel(TITLE)
        heading.setProperty("role", "title")
        self.table = QTextBrowser()  # one page: a label for each fact would take longer to lay out than one may wait
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setFont(theme.tabular(self.font()))
        self.table.setAccessibleName(TITLE)
        self.table.document().setDocumentMargin(theme.PADDING_PX)
        self.table.setHtml(_page(groups))
        self.sha_button = self._copying(f"Copy {SHA}", opened.info.sha256, "Of the whole file: names this very model")
        self.sha_button.setEnabled(bool(opened.info.sha256))
        self.copy_button = self._copying("Copy all", self.text, "Everything above, as text")
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(self.sha_button)
        row.addStretch()
        row.addWidget(self.copy_button)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.PADDING_PX] * 4)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(heading)
        column.addWidget(self.table, 1)
        column.addLayout(row)

    def _copying(self, words: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(icon("mdi6.content-copy"), words)
        button.setToolTip(tip)
        button.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        return button


def _page(groups: list[Facts]) -> str:
    rows = [line for number, group in enumerate(groups) for line in _section(group, first=number == 0)]
    return f'<table cellspacing="0" cellpadding="3">{"".join(rows)}</table>'


def _section(group: Facts, first: bool) -> list[str]:
    above = 0 if first else theme.PADDING_PX
    heading = f'<tr><td colspan="2" style="padding-top: {above}px"><b>{escape(group.heading)}</b></td></tr>'
    return [heading, *map(_row, group.rows)]


def _row(fact: Fact) -> str:
    title = f'<span style="color: {theme.current().secondary}" title="{escape(fact.tip)}">{escape(fact.title)}</span>'
    return f'<tr><td width="{TITLES_PX}">{title}</td><td>{escape(fact.text)}</td></tr>'
