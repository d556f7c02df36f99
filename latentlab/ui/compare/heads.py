"""The headings of the two columns, what stands there before there is a second model, and the choice of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.bundled import bundled_models
from latentlab.core.comparing import in_short, in_words
from latentlab.core.latent_model import ModelInfo
from latentlab.core.model_folders import model_name, patterns
from latentlab.core.project_file import ENDING as SESSION_ENDING
from latentlab.core.registry import FAMILIES
from latentlab.ui import theme
from latentlab.ui.compare.pair import Pair
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.icons import icon
from latentlab.ui.model_words import described
from latentlab.ui.space_key import leave_space

RECENT_SHOWN = 6
OPEN = "Open a file…"
ARROW_PX = 22
BUTTONS_PX = 48  # the arrow and the cross beside the second name


class Choice(QMenu):
    """The bundled and recent models that are not in a column yet, and any file."""

    def __init__(self, pair: Pair, parent: QWidget) -> None:
        super().__init__(parent)
        self._pair = pair
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        bundled, recent = offered(self._pair)
        for path in bundled:
            self._add(path, described(path))
        if bundled and recent:
            self.addSeparator()
        for path in recent:
            self._add(path)
        self.addSeparator()
        self.addAction(icon("mdi6.folder-open-outline"), OPEN, lambda: choose_file(self._pair, self))

    def _add(self, path: Path, about: str = "") -> None:
        name = model_name(path).replace("&", "&&")
        action = self.addAction(f"{name}\t{about}" if about else name)
        action.setToolTip(str(path))
        action.triggered.connect(lambda: self._pair.second.open(path))


def offered(pair: Pair) -> tuple[list[Path], list[Path]]:
    """Bundled models and recent files, without those that are in a column."""
    shown = {pair.workspace.opened.info.path, pair.held.info.path if pair.held is not None else ""}
    bundled = bundled_models()
    others = [Path(path) for path in pair.workspace.settings.recent if not path.endswith(SESSION_ENDING)]
    recent = [path for path in others if path not in bundled and str(path) not in shown]
    return [path for path in bundled if str(path) not in shown], recent[:RECENT_SHOWN]


def choose_file(pair: Pair, parent: QWidget) -> None:
    settings = pair.workspace.settings
    name, _ = QFileDialog.getOpenFileName(
        parent,
        "A second checkpoint to compare with",
        settings.open_folder,
        f"Checkpoints ({patterns()});;All files (*)",
    )
    if name:
        settings.open_folder = str(Path(name).parent)
        pair.second.open(Path(name))


def said_of(info: ModelInfo, memory_bytes: int = 0) -> str:
    family = FAMILIES[info.family].title if info.family in FAMILIES else info.family
    return in_words(info, family.partition(":")[0], memory_bytes)


class Heads(QWidget):
    """Two columns: a name and what kind of model it is; the second can be changed and closed."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self._pair = pair
        self.first = QLabel()
        self.first.setProperty("role", "title")
        self.first.setFixedHeight(theme.CONTROL_PX)
        self.first.setAccessibleName("First model")
        self.second = QToolButton()
        self.second.setObjectName("model")
        self.second.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.second.setMenu(Choice(pair, self))
        self.second.setAccessibleName("Second model")
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("mdi6.close", "secondary"))
        self.close_button.setToolTip("Close the second model and free its memory")
        self.close_button.setAccessibleName("Close the second model")
        self.close_button.clicked.connect(pair.second.close)
        self.captions = [ElidedLabel(), ElidedLabel()]
        for caption, name in zip(self.captions, ("First model", "Second model"), strict=True):
            caption.setProperty("role", "caption")
            caption.setFont(theme.caption_font(caption))
            caption.setAccessibleName(f"About the {name.lower()}")
        self.second.setStyleSheet("QToolButton { padding-left: 0px; text-align: left }")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.PADDING_PX)
        row.addWidget(_column(self.captions[0], self.first), 1)
        row.addWidget(_column(self.captions[1], self.second, self.close_button), 1)

    def show_models(self) -> None:
        held, pair = self._pair.held, self._pair
        info = pair.workspace.opened.info
        self.captions[0].setText(in_short(info))
        self.captions[0].setToolTip(said_of(info))
        if held is not None:
            self.captions[1].setText(in_short(held.info, held.memory_bytes))
            self.captions[1].setToolTip(said_of(held.info, held.memory_bytes))
        self._show_names()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_names()

    def _show_names(self) -> None:
        """As much of them as fits: a file's name can be as long as a line."""
        room = (self.width() - theme.PADDING_PX) // 2
        held = self._pair.held
        first, second = self._pair.first_name, held.name if held is not None else ""
        self.first.setText(_shortened(self.first, first, room))
        self.first.setToolTip(first)
        self.second.setText(_shortened(self.second, second, room - BUTTONS_PX))
        # As narrow as it can be: a tool button centres its text, which is to begin where the caption below does.
        self.second.setFixedWidth(self.second.fontMetrics().horizontalAdvance(self.second.text()) + ARROW_PX)
        self.second.setToolTip(f"{second}\nChoose another model to compare with")


def _shortened(widget: QWidget, text: str, room_px: int) -> str:
    widget.ensurePolished()  # bold text is wider
    return widget.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, max(room_px, 24))


def _column(caption: ElidedLabel, *parts: QWidget) -> QWidget:
    """A heading that takes half of the width whatever stands in it, so that it stays above its pictures."""
    column = QWidget()
    column.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    row = QHBoxLayout()
    row.setSpacing(2)
    row.addWidget(parts[0])
    row.addStretch()
    for part in parts[1:]:
        row.addWidget(part)
    rows = QVBoxLayout(column)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    rows.addLayout(row)
    rows.addWidget(caption)
    return column


class Empty(QWidget):
    """One line on what would be here, and the ways to get it."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self._pair = pair
        self.line = QLabel()
        self.line.setProperty("role", "caption")
        self.line.setWordWrap(True)
        self.line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.buttons: list[QPushButton] = []
        self._row = QVBoxLayout()
        self._row.setSpacing(theme.GRID_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, theme.PADDING_PX, theme.PADDING_PX, theme.PADDING_PX)
        column.setSpacing(theme.PADDING_PX)
        column.addStretch(2)
        column.addWidget(self.line)
        column.addLayout(self._row)
        column.addStretch(3)

    def show_models(self) -> None:
        self.line.setText(
            f"A second model beside {self._pair.first_name}: the same picture, attribute and seed in both. "
            "Drop a checkpoint here, or choose one."
        )
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        bundled, recent = offered(self._pair)
        for path in bundled:
            tip = f"{described(path)}\n{path}"
            self._add("mdi6.cube-outline", model_name(path), tip, lambda path=path: self._pair.second.open(path))  # type: ignore[misc]
        for path in recent[:2]:
            self._add("mdi6.history", model_name(path), str(path), lambda path=path: self._pair.second.open(path))  # type: ignore[misc]
        self._add("mdi6.folder-open-outline", OPEN, "Any checkpoint that opens", lambda: choose_file(self._pair, self))
        leave_space(self)

    def _add(self, symbol: str, text: str, tip: str, chosen: Callable[[], None]) -> None:
        button = QPushButton(icon(symbol), text.replace("&", "&&"))
        button.setToolTip(tip)
        button.setFixedWidth(220)
        button.setStyleSheet("text-align: left; padding-left: 12px")
        button.clicked.connect(lambda _=False: chosen())
        self._row.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.buttons.append(button)


class OpeningLine(QWidget):
    """Which file is being opened, and the way out; hidden when none is."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = ElidedLabel()
        self.text.setAccessibleName("What is being opened")
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)  # how long reading takes is not known before
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(64)
        cancel = QPushButton("Cancel")
        cancel.setProperty("flat", True)
        cancel.clicked.connect(lambda _=False: self.cancelled.emit())
        self.cancel_button = cancel
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID_PX)
        row.addWidget(self.text, 1)
        row.addWidget(self.progress)
        row.addWidget(cancel)
        self.hide()

    def show_opening(self, path: str) -> None:
        self.setVisible(bool(path))
        self.text.setText(f"Opening {model_name(Path(path))}…" if path else "")
