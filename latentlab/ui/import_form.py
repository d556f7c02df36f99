"""What a file does not say of itself, asked with pictures: one card for each plausible reading, the likeliest first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.atomic import displayed
from latentlab.core.readings import ENDING, WORDS, Guess, in_words
from latentlab.core.requests import Progress
from latentlab.ui import theme
from latentlab.ui.pictures import as_qimage, paint_picture

COLUMNS = 5
TILES = 2  # pictures of a card, across and down
TILE_PX = 60
EDGE_PX = 8
LINE_PX = 17
SIDE_PX = TILES * TILE_PX + 2 * EDGE_PX + 2
CARD = QSize(SIDE_PX, SIDE_PX + 2 * LINE_PX + 4)
WAITING = "Drawing what each plausible reading makes of the file…"


class GuessCard(QAbstractButton):
    """Four samples of a reading and its words; a quiet tile until they have been drawn."""

    twice = Signal()  # double-clicked

    def __init__(self, guess: Guess, likeliest: bool, used: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.guess = guess
        self.notes = [note for note, holds in (("likeliest", likeliest), ("in use", used)) if holds]
        self._pictures: list[QImage] = [as_qimage(image) for image in guess.images[: TILES * TILES]]
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        words = in_words(guess.reading)
        self.setAccessibleName(", ".join([words, *self.notes]))
        self.setToolTip(words)

    def sizeHint(self) -> QSize:
        return CARD

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.setChecked(True)
        self.twice.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        painter.setPen(QPen(QColor(colours.accent if chosen else colours.line), 2 if chosen else 1))
        painter.setBrush(QColor(colours.hover if self.underMouse() and not chosen else colours.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        for index, picture in enumerate(self._pictures):
            row, column = divmod(index, TILES)
            left, top = EDGE_PX + column * (TILE_PX + 2), EDGE_PX + row * (TILE_PX + 2)
            paint_picture(painter, QRectF(left, top, TILE_PX, TILE_PX), picture, colours)
        below = 2 * EDGE_PX + TILES * TILE_PX - 2
        self._write(painter, below, _short(self.guess), colours.text, bold=chosen)
        self._write(painter, below + LINE_PX, " · ".join(self.notes), colours.secondary)
        if self.hasFocus() and not chosen:
            painter.setPen(QPen(QColor(colours.accent), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 4, -4, -4), 6, 6)

    def _write(self, painter: QPainter, top: int, text: str, colour: str, bold: bool = False) -> None:
        font = theme.caption_font(self)
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(EDGE_PX, top, self.width() - 2 * EDGE_PX, LINE_PX), Qt.AlignmentFlag.AlignCenter, text)


class ImportForm(QDialog):
    """`chosen` carries the Guess that a person took; closing it otherwise leaves everything as it is."""

    chosen = Signal(object)

    def __init__(self, path: Path, in_use: dict[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("How this file is read")
        self._in_use = in_use
        self.cards: list[GuessCard] = []
        self._group = QButtonGroup(self)
        self._touched = False
        heading = QLabel(f"Which pictures of {displayed(path.name)} look right?")
        heading.setProperty("role", "title")
        unsaid = (
            "The file holds weights, but not what lies between its layers, nor the range of its pictures."
            if in_use.get("activation")
            else "The file has several outputs that may be the picture, and does not say which range it has."
            if in_use.get("picture")
            else "The file does not say which range its pictures have."
        )
        self.why = QLabel(f"{unsaid} Each card shows the same four samples under one plausible reading.")
        self.why.setWordWrap(True)
        self.why.setMinimumWidth(COLUMNS * 146)
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.GRID_PX)
        self._grid.setRowMinimumHeight(0, CARD.height())  # so that the first row does not push the window down
        self.said = QLabel(WAITING)
        self.said.setProperty("role", "caption")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the samples")
        kept = QLabel(f"The choice is kept beside the file, as {displayed(path.name)}{ENDING}, and not asked again.")
        kept.setProperty("role", "caption")
        kept.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(*[2 * theme.GRID_PX] * 4)
        self._column.setSpacing(theme.PADDING_PX)
        for widget in (heading, self.why):
            self._column.addWidget(widget)
        self._column.addLayout(self._grid)
        self._column.addWidget(self.said)
        self._column.addWidget(self.bar)
        self._column.addWidget(kept)
        self._column.addWidget(self._buttons())
        self._column.addStretch()

    def _buttons(self) -> QWidget:
        box = QDialogButtonBox()
        self.later_button = box.addButton("Decide later", QDialogButtonBox.ButtonRole.RejectRole)
        self.use_button = box.addButton("Read it this way", QDialogButtonBox.ButtonRole.AcceptRole)
        self.use_button.setProperty("primary", True)
        self.use_button.setEnabled(False)
        self.later_button.setAutoDefault(False)  # Return on a card means this card
        box.accepted.connect(self._choose)
        box.rejected.connect(self.reject)
        return box

    @property
    def selected(self) -> Guess | None:
        card = self._group.checkedButton()
        return card.guess if isinstance(card, GuessCard) else None

    def add(self, guess: Guess) -> None:
        """One more reading has been drawn. The one in use is preselected, else the first: the likeliest."""
        if any(card.guess.reading == guess.reading for card in self.cards):
            return
        used = all(self._in_use.get(name) == value for name, value in guess.reading.items())
        card = GuessCard(guess, likeliest=not self.cards, used=used)
        row, column = divmod(len(self.cards), COLUMNS)
        self._grid.addWidget(card, row, column)
        self._grid.setColumnStretch(COLUMNS, 1)
        self._group.addButton(card)
        self.cards.append(card)
        card.twice.connect(self._choose)
        card.pressed.connect(self._touch)
        if not self._touched and (used or len(self.cards) == 1):
            card.setChecked(True)
        if not self._touched and (chosen := self._group.checkedButton()) is not None:
            chosen.setFocus()  # again with each: a dialog that has just come up gives it to a button
        self.use_button.setEnabled(True)
        self.use_button.setDefault(True)
        self.adjustSize()

    def show_progress(self, progress: Progress) -> None:
        if progress.total:
            self.bar.setRange(0, round(progress.total))
            self.bar.setValue(round(progress.done))
            self.said.setText(f"{WAITING} {progress.text}")

    def finish(self, message: str = "") -> None:
        """Nothing more comes; `message` says why where that is a failure."""
        self.bar.hide()
        self.said.setText(message)
        self.said.setVisible(bool(message))
        self.adjustSize()

    def _touch(self) -> None:
        self._touched = True

    def _choose(self) -> None:
        guess = self.selected
        if guess is not None:
            self.accept()
            self.chosen.emit(guess)


def _short(guess: Guess) -> str:
    """ "LeakyReLU, tanh": what there is room for."""
    return ", ".join(WORDS.get(value, value) for value in guess.reading.values())
