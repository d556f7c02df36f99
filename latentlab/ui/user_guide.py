"""The user guide, to read beside the window: the documentation that was installed with it, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextBlock, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from latentlab.core.bundled import docs_folder
from latentlab.ui import theme

TITLE = "User guide"
GUIDE = "user-guide.md"
ABOVE_HEADING_PX, BELOW_PX, BELOW_ITEM_PX, CELL_PX = 18, 8, 3, 2
FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub


class UserGuide(QDialog):
    """Stays open while one works; links lead to headings, to other pages of the documentation, and outside."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(TITLE)
        self.resize(780, 640)
        self.page = GUIDE
        self.pages = QTextBrowser()
        self.pages.setOpenLinks(False)
        self.pages.setFrameShape(QFrame.Shape.NoFrame)
        self.pages.setAccessibleName(TITLE)
        self.pages.anchorClicked.connect(self.follow)
        self.pages.document().setDocumentMargin(theme.PADDING_PX)
        self.back = QPushButton("Back to the guide")
        self.back.clicked.connect(lambda: self.read(GUIDE))
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.words = QLabel()
        self.words.setProperty("role", "caption")
        row = QHBoxLayout()
        row.addWidget(self.back)
        row.addWidget(self.words)
        row.addStretch()
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.PADDING_PX] * 4)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(self.pages, 1)
        column.addLayout(row)
        self.read(GUIDE)

    def read(self, name: str, heading: str = "") -> None:
        """A page of the documentation by its file's name, from a heading on."""
        self.page = name
        self.words.clear()
        document = self.pages.document()
        document.setMarkdown((docs_folder() / name).read_text("utf-8"), FEATURES)
        _give_room(document)
        self.back.setVisible(name != GUIDE)
        self.pages.moveCursor(QTextCursor.MoveOperation.Start)
        self._go_to(heading)

    def follow(self, link: QUrl) -> None:
        if link.scheme():
            QDesktopServices.openUrl(link)
        elif not link.path() or link.path() == self.page:
            self._go_to(link.fragment())
        elif (docs_folder() / link.path()).is_file() and Path(link.path()).name == link.path():
            self.read(link.path(), link.fragment())
        elif (elsewhere := docs_folder() / link.path()).is_file():  # of a checkout: whatever opens such files
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(elsewhere)))
        else:
            self.words.setText(f"{link.path()} was not installed with latentlab.")

    def _go_to(self, heading: str) -> None:
        block = self.pages.document().begin()
        while heading and block.isValid():
            if block.blockFormat().headingLevel() and slug(block.text()) == heading:
                self._show(block)
                return
            block = block.next()

    def _show(self, block: QTextBlock) -> None:
        """At the top, as a browser does."""
        self.pages.setTextCursor(QTextCursor(block))
        top = self.pages.document().documentLayout().blockBoundingRect(block).top()
        self.pages.verticalScrollBar().setValue(round(top) - theme.PADDING_PX)


def _give_room(document: QTextDocument) -> None:
    """Space between the paragraphs, which Qt sets without any; lines of code are broken as others are."""
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        shape = block.blockFormat()
        above, below = ABOVE_HEADING_PX if shape.headingLevel() else 0, BELOW_PX
        if _in_table(block):
            above = below = CELL_PX
        elif block.textList() is not None and block.next().textList() is not None:
            below = BELOW_ITEM_PX
        elif _is_code(block) and _is_code(block.next()):
            below = 0
        shape.setTopMargin(above if block.position() else 0)
        shape.setBottomMargin(below)
        shape.setNonBreakableLines(False)
        cursor.setPosition(block.position())
        cursor.setBlockFormat(shape)
        block = block.next()
    cursor.endEditBlock()


def _is_code(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)


def _in_table(block: QTextBlock) -> bool:
    return QTextCursor(block).currentTable() is not None


def slug(heading: str) -> str:
    """How links name a heading: "Sessions and saved pictures" is sessions-and-saved-pictures."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def is_installed() -> bool:
    return (docs_folder() / GUIDE).is_file()
