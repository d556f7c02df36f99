"""Colours, type and spacing of the window: two themes, one grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QWidget

GLYPHS = Path(__file__).parent / "glyphs"

Choice = Literal["system", "dark", "light"]


@dataclass(frozen=True)
class Theme:
    dark: bool
    window: str
    panel: str
    line: str
    text: str
    secondary: str
    accent: str
    classes: tuple[str, ...]  # ten colour-blind-safe colours, from Okabe-Ito and Tol
    control: str  # buttons, fields
    hover: str
    on_accent: str  # text on the accent
    danger: str
    warning: str
    good: str
    disabled: str


DARK = Theme(
    True, "#17181b", "#1f2125", "#2d3036", "#e7e8ea", "#9aa0a8", "#6ea8fe",
    ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#88ccee", "#ddcc77", "#aa4499", "#bbbbbb"),
    control="#292c32", hover="#31353c", on_accent="#0d1626", danger="#ff8a80", warning="#f2c14e", good="#6fcf97",
    disabled="#666c75",
)  # fmt: skip
LIGHT = Theme(
    False, "#f6f7f9", "#ffffff", "#e2e5ea", "#1b1d21", "#5f6670", "#2563eb",
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#332288", "#999933", "#666666"),
    control="#eef0f3", hover="#eef1f6", on_accent="#ffffff", danger="#b3261e", warning="#8a5a00", good="#18794e",
    disabled="#a4aab3",
)  # fmt: skip

GRID_PX = 8
PADDING_PX = 12
CONTROL_PX = 28
ICON_PX = 18
BODY_PX = 13
CAPTION_PX = 11
SPIN_PADDING_PX = 7

_current = DARK


def current() -> Theme:
    return _current


def use(theme: Theme) -> None:
    global _current
    _current = theme


def chosen(choice: Choice) -> Theme:
    """The theme a choice stands for; "system" follows the desktop, and is dark where the desktop says nothing."""
    if choice == "system":
        return LIGHT if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK
    return LIGHT if choice == "light" else DARK


def apply(application: QApplication, theme: Theme) -> None:
    """Dresses the whole application; icons and panels that read `current()` follow when they are next painted."""
    use(theme)
    if application.style().name() != "fusion":
        application.setStyle("Fusion")
    font = QFont(application.font())
    font.setPixelSize(BODY_PX)
    application.setFont(font)
    application.setPalette(palette(theme))
    application.setStyleSheet(stylesheet(theme))


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def caption_font(widget: QWidget) -> QFont:
    """11 px with tabular digits: what a label under a picture is set in."""
    font = tabular(widget.font())
    font.setPixelSize(CAPTION_PX)
    return font


def pad(field: QAbstractSpinBox) -> None:
    """As a combo box beside it; Qt gives the text of a spin box none of a stylesheet's padding."""
    field.lineEdit().setTextMargins(SPIN_PADDING_PX, 0, 0, 0)


def tabular(font: QFont) -> QFont:
    """The font with digits of one width, for numbers that change."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette(theme: Theme) -> QPalette:
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.window,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.secondary,
        QPalette.ColorRole.Button: theme.control,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.danger,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Accent: theme.accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.LinkVisited: theme.accent,
        QPalette.ColorRole.Light: theme.hover,
        QPalette.ColorRole.Midlight: theme.hover,
        QPalette.ColorRole.Mid: theme.line,
        QPalette.ColorRole.Dark: theme.line,
        QPalette.ColorRole.Shadow: theme.window,
    }
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.disabled))
    return result


def _glyph(name: str, theme: Theme) -> str:
    """A path for a stylesheet, which cannot take icons."""
    return (GLYPHS / f"{name}-{'dark' if theme.dark else 'light'}.svg").as_posix()


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(c) for c in QColor(colour).getRgbF()[:3])  # type: ignore[index]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def stylesheet(theme: Theme) -> str:
    """What Fusion's palette cannot say: padding, lines, focus, thin sliders and scroll bars.

    Dynamic properties: `role="caption"` sets small secondary text, `role="title"` a heading, `flat=true` a button
    without a ground, `primary=true` the one button that matters.
    """
    t = theme
    down = _glyph("chevron-down", theme)
    box_off, box_on, box_part = (_glyph(f"box-{state}", theme) for state in ("off", "on", "part"))
    return f"""
QToolTip {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 6px; }}
QMainWindow, QDialog {{ background: {t.window}; }}
QMainWindow::separator {{ background: {t.window}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QDockWidget {{ color: {t.secondary}; font-size: {CAPTION_PX}px; font-weight: 600; }}
QDockWidget > QWidget {{ background: {t.panel}; }}
QMenuBar {{ background: {t.window}; border: none; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 8px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 10px; border-radius: 4px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QMenu::item:disabled {{ color: {t.disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
QToolBar {{ background: {t.window}; border: none; spacing: 2px; padding: 2px 8px 6px 8px; }}
QToolBar::separator {{ width: 1px; background: {t.line}; margin: 6px 6px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 5px;
  padding: 3px 5px; min-height: 20px; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {t.control}; border-color: {t.line}; color: {t.accent}; }}
QToolButton:focus {{ border-color: {t.accent}; }}
QToolButton:disabled {{ color: {t.disabled}; }}
QToolButton[popupMode="1"], QToolButton[popupMode="2"] {{ padding-right: 18px; }}
QToolButton::menu-indicator {{ image: url("{down}"); width: 12px; height: 12px;
  subcontrol-origin: padding; subcontrol-position: right center; right: 3px; }}
QToolButton::menu-button {{ border: none; background: transparent; width: 16px; }}
QToolButton::menu-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
QToolButton#search {{ background: {t.control}; border-color: {t.line}; color: {t.secondary}; padding: 3px 10px; }}
QToolButton#search:hover {{ color: {t.text}; }}
QToolButton#search:focus {{ border-color: {t.accent}; }}
QToolButton#model {{ font-weight: 600; }}
QPushButton {{ background: {t.control}; border: 1px solid {t.line}; border-radius: 5px;
  padding: 2px 12px; min-height: {CONTROL_PX - 6}px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QPushButton:checked {{ background: {t.line}; border-color: {t.accent}; }}
QPushButton:focus {{ border-color: {t.accent}; }}
QPushButton:disabled {{ color: {t.disabled}; }}
QPushButton[primary="true"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[primary="true"]:disabled {{ background: {t.control}; color: {t.disabled}; border-color: {t.line}; }}
QPushButton[flat="true"] {{ background: transparent; border-color: transparent; color: {t.accent}; padding: 2px 6px; }}
QPushButton[flat="true"]:hover {{ background: {t.hover}; }}
QPushButton[flat="true"]:focus {{ border-color: {t.accent}; }}
QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox {{ background: {t.control}; border: 1px solid {t.line};
  border-radius: 5px; padding: 2px 6px; min-height: {CONTROL_PX - 6}px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ background: transparent; border: none; padding: 0 4px;
  min-height: 0; }}
QLineEdit > QToolButton {{ min-height: 0; padding: 0; border: none; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QLineEdit:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{ border-color: {t.accent}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {t.disabled}; }}
QComboBox:hover, QAbstractSpinBox:hover {{ background: {t.hover}; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; outline: none;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QCheckBox, QRadioButton {{ spacing: 6px; }}
QCheckBox::indicator {{ width: 16px; height: 16px; image: url("{box_off}"); }}
QCheckBox::indicator:checked {{ image: url("{box_on}"); }}
QCheckBox::indicator:indeterminate {{ image: url("{box_part}"); }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.accent}; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{ background: transparent; color: {t.secondary}; padding: 6px 12px; border: none;
  border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar:focus::tab:selected {{ color: {t.accent}; }}
QStatusBar {{ background: {t.window}; color: {t.secondary}; }}
QStatusBar::item {{ border: none; }}
QLabel[role="caption"] {{ color: {t.secondary}; font-size: {CAPTION_PX}px; }}
QLabel[role="title"] {{ color: {t.text}; font-weight: 600; }}
QLabel[role="danger"] {{ color: {t.danger}; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.line}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.disabled}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
  background: none; border: none; width: 0; height: 0; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -5px 0; border-radius: 7px;
  background: {t.text}; border: 1px solid {t.panel}; }}
QSlider::handle:horizontal:hover {{ background: {t.accent}; }}
QSlider:horizontal {{ min-height: 20px; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {t.accent}; margin: -6px 0; }}
QSlider::handle:horizontal:disabled {{ background: {t.disabled}; }}
QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QTreeView, QListView, QTableView {{ background: {t.panel}; border: none; outline: none; }}
QTreeView::item, QListView::item {{ padding: 3px 4px; border-radius: 4px; }}
QTreeView::item:selected, QListView::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QHeaderView::section, QTableCornerButton::section {{ background: {t.panel}; color: {t.secondary}; border: none;
  padding: 4px; }}
QFrame[role="card"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px; }}
"""
