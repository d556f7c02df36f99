"""Dialogs to read in: what was said in this session."""

from __future__ import annotations

from importlib.metadata import version

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from latentlab.ui import theme
from latentlab.ui.notices import Notices


class TextDialog(QDialog):
    """A title, a text to read and to copy; closes with Escape."""

    def __init__(self, title: str, text: str, parent: QWidget, monospaced: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(640 if monospaced else 560, 420)  # columns keep their width
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(title)
        if monospaced:
            font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            font.setPixelSize(theme.BODY_PX - 1)
            self.text.setFont(font)
        copy = QPushButton("Copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(copy)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.PADDING_PX] * 4)
        column.setSpacing(theme.GRID_PX)
        column.addWidget(heading)
        column.addWidget(self.text)
        column.addLayout(row)


class MessagesDialog(TextDialog):
    def __init__(self, notices: Notices, parent: QWidget) -> None:
        said = [
            f"{notice.time:%H:%M:%S}  {notice.severity.value}: {notice.text}"
            + (f" ({notice.count} times)" if notice.count > 1 else "")
            + (f"\n{notice.details}" if notice.details else "")
            for notice in reversed(notices.log)
        ]
        super().__init__("Messages", "\n\n".join(said) or "Nothing has been said in this session.", parent)


def about_text() -> str:
    what = "see and steer what the latent space of a VAE or GAN has learned"
    return f"latentlab {version('latentlab')}: {what}. MIT licence."
