"""Both themes can be read, by anyone; icons follow them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication, QLineEdit, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from latentlab.core.errors import OptionError
from latentlab.core.registry import PANELS
from latentlab.ui import theme
from latentlab.ui.actions import ACTIONS
from latentlab.ui.icons import icon

THEMES = pytest.mark.parametrize("colours", [theme.DARK, theme.LIGHT], ids=["dark", "light"])


@pytest.fixture(autouse=True)
def _same_theme_after() -> Iterator[None]:
    before = theme.current()
    yield
    theme.use(before)


def test_contrast_of_known_pairs() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@THEMES
@pytest.mark.parametrize("ink", ["text", "secondary", "accent", "danger", "warning", "good"])
@pytest.mark.parametrize("ground", ["window", "panel", "control"])
def test_text_is_readable_on_every_ground(colours: theme.Theme, ink: str, ground: str) -> None:
    assert theme.contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@THEMES
def test_text_on_the_accent_and_under_the_pointer_is_readable(colours: theme.Theme) -> None:
    assert theme.contrast(colours.on_accent, colours.accent) >= 4.5
    assert theme.contrast(colours.text, colours.hover) >= 4.5
    assert theme.contrast(colours.accent, colours.hover) >= 4.5


@THEMES
def test_classes_stand_out_from_the_panel(colours: theme.Theme) -> None:
    assert len(set(colours.classes)) == 10
    for colour in colours.classes:
        assert theme.contrast(colour, colours.panel) >= 2


@THEMES
def test_applying_a_theme_dresses_the_application(qapp: QApplication, colours: theme.Theme) -> None:
    theme.apply(qapp, colours)
    assert theme.current() is colours
    assert qapp.palette().window().color() == QColor(colours.window)
    assert colours.accent in qapp.styleSheet()
    assert qapp.font().pixelSize() == theme.BODY_PX


def test_the_arrows_of_the_stylesheet_exist() -> None:
    assert len(list(theme.GLYPHS.glob("chevron-*.svg"))) == 2
    assert len(list(theme.GLYPHS.glob("box-*.svg"))) == 6


def ink_of(painted: QIcon) -> QColor:
    """The most opaque pixel's colour."""
    image = painted.pixmap(QSize(32, 32)).toImage()
    colours = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
    return max(colours, key=QColor.alpha)


def test_an_icon_is_recoloured_when_the_theme_changes(qapp: QApplication) -> None:
    undo = icon("mdi6.undo")
    for colours in (theme.DARK, theme.LIGHT):
        theme.use(colours)
        assert ink_of(undo) == QColor(colours.text)


def test_an_icon_keeps_the_colour_it_was_given(qapp: QApplication) -> None:
    assert ink_of(icon("mdi6.undo", "#12ab56")) == QColor("#12ab56")
    theme.use(theme.LIGHT)
    assert ink_of(icon("mdi6.undo", "accent")) == QColor(theme.LIGHT.accent)


def test_every_icon_that_is_named_exists(qapp: QApplication) -> None:
    for name in [spec.icon for spec in ACTIONS if spec.icon] + [entry.icon for entry in PANELS.values()]:
        assert not icon(name).pixmap(18, 18).isNull()
    with pytest.raises(OptionError, match="Did you mean"):
        icon("mdi6.undoo")


def test_fields_leave_their_text_room(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, theme.DARK)
    field, spin = QLineEdit("typed"), QSpinBox()
    field.setClearButtonEnabled(True)
    theme.pad(spin)
    for widget in (field, spin):
        qtbot.addWidget(widget)
        widget.resize(widget.sizeHint())
        widget.show()
    clear = field.findChild(QToolButton)
    assert clear is not None
    assert abs(clear.geometry().center().y() - field.rect().center().y()) <= 1
    assert spin.lineEdit().cursorRect().center().x() >= theme.SPIN_PADDING_PX


def test_the_search_button_shows_that_the_keyboard_is_at_it(qtbot: QtBot) -> None:
    """A rule for one widget wins over that for all, so it must say the focus again."""
    button = QToolButton()
    button.setStyleSheet(theme.stylesheet(theme.LIGHT))
    button.setObjectName("search")
    qtbot.addWidget(button)
    with qtbot.waitExposed(button):
        button.show()
    button.setFocus()
    middle = button.width() // 2
    assert button.grab().toImage().pixelColor(middle, 0) == QColor(theme.LIGHT.accent)
    button.clearFocus()
    assert button.grab().toImage().pixelColor(middle, 0) == QColor(theme.LIGHT.line)
