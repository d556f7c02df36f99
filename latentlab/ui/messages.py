"""Dialogs to read in: what was said in this session, and what is known of the open model."""

from __future__ import annotations

import json
from importlib.metadata import version

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from latentlab.ui import theme
from latentlab.ui.notices import Notices
from latentlab.ui.workspace import OpenedModel


class TextDialog(QDialog):
    """A title, a text to read and to copy; closes with Escape."""

    def __init__(self, title: str, text: str, parent: QWidget, monospaced: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(640 if monospaced else 560, 420)  # a SHA-256 fits on its line
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


class ModelDialog(TextDialog):
    def __init__(self, opened: OpenedModel, parent: QWidget) -> None:
        super().__init__("About this model", model_text(opened), parent, monospaced=True)


def model_text(opened: OpenedModel) -> str:
    info, encodings = opened.info, opened.encodings
    lines = [
        f"file       {info.path}",
        f"format     {info.format}",
        f"family     {info.family}",
        f"pictures   {info.image.width} × {info.image.height}, {'colour' if info.image.channels == 3 else 'grey'}",
        *(f"space      {space.name}: {space.dim} numbers, prior {space.prior}" for space in info.spaces),
        f"encoder    {'yes' if info.encoder else 'no'}",
        f"condition  {', '.join((*(info.conditional or ()), *info.conditional_attributes)) or 'not conditional'}",
        f"encodings  {len(encodings):,}" if encodings is not None else "encodings  none",
        f"licence    {info.licence or 'not stated'}",
        f"SHA-256    {info.sha256}",
    ]
    for title, part in (("training", info.training), ("figures", info.figures)):
        if part:
            lines += ["", title, json.dumps(part, indent=2, ensure_ascii=False, default=str)]
    return "\n".join(lines)


def about_text() -> str:
    what = "see and steer what the latent space of a VAE or GAN has learned"
    return f"latentlab {version('latentlab')}: {what}. MIT licence."
