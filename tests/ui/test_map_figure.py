"""The map as a picture: with its legend, without what lies over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QColor, QGuiApplication
from pytestqt.qtbot import QtBot

from latentlab.ui import theme
from latentlab.ui.main_window import MainWindow
from latentlab.ui.map.figure import NO_MAP, caption_of, copy_figure, figure_of, save_figure
from latentlab.ui.panels.map import MapPanel


def test_the_map_is_saved_with_its_legend_and_without_the_tools(
    map_panel: MapPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    image = figure_of(map_panel)
    assert image is not None
    canvas, legend = map_panel.canvas, map_panel.legend
    assert legend.isVisible()
    scale = round(image.devicePixelRatio())
    assert scale >= 2
    assert image.width() == scale * canvas.width()
    assert image.height() > scale * (canvas.height() + legend.height() - 1)
    tools = map_panel.tools.geometry()
    border = QColor(theme.current().line).rgb()
    column = range(tools.top(), tools.bottom())
    shown = canvas.grab().toImage()
    assert sum(shown.pixel(tools.left(), y) == border for y in column) > tools.height() / 2
    assert sum(image.pixel(scale * tools.left(), scale * y) == border for y in column) < tools.height() / 4
    ground = QColor(theme.current().panel).rgb()
    entries = [image.pixel(x, scale * (canvas.height() + legend.height() // 2)) for x in range(image.width())]
    assert ground in entries, "the legend lies on the colour of the map"
    assert len(set(entries)) > 2
    target = tmp_path / "map.png"
    save_figure(map_panel, target)
    notices = map_panel.workspace.notices
    qtbot.waitUntil(lambda: any("Saved" in notice.text for notice in notices.log))
    with Image.open(target) as written:
        pixels = np.asarray(written)
    assert pixels.shape == (image.height(), image.width(), 3)
    colour = QColor(image.pixel(20, canvas.height()))
    assert tuple(pixels[canvas.height(), 20]) == (colour.red(), colour.green(), colour.blue())


def test_the_picture_of_a_map_says_what_its_axes_are(map_panel: MapPanel) -> None:
    assert caption_of(map_panel).startswith("PCA: PC 1")
    assert "across, PC 2" in caption_of(map_panel)
    image = figure_of(map_panel)
    assert image is not None
    ground, scale = QColor(theme.current().panel).rgb(), round(image.devicePixelRatio())
    last = [image.pixel(x, image.height() - scale * 12) for x in range(image.width())]
    assert sum(pixel != ground for pixel in last) > 20, "the line at the bottom"
    map_panel._choose_projection("plane")
    first, second, *_ = map_panel.workspace.state.directions
    assert caption_of(map_panel) == f"Plane: {first} across, {second} up"


def test_a_map_that_cannot_be_written_says_so(map_panel: MapPanel, qtbot: QtBot, tmp_path: Path) -> None:
    save_figure(map_panel, tmp_path / "none" / "map.png")
    notices = map_panel.workspace.notices
    qtbot.waitUntil(lambda: bool(notices.log))
    assert "map.png" in notices.log[-1].text


def test_without_a_map_there_is_nothing_to_save(map_panel: MapPanel, tmp_path: Path) -> None:
    workspace = map_panel.workspace
    workspace.opened = replace(workspace.opened, encodings=None)
    map_panel.show_model()
    map_panel.show_state(workspace.state, None)
    save_figure(map_panel, tmp_path / "map.png")
    assert workspace.notices.log[-1].text == NO_MAP
    assert not (tmp_path / "map.png").exists()


def test_the_command_copies_the_map(window: MainWindow) -> None:
    window.commands.find("copy_map")()
    copied = QGuiApplication.clipboard().image()
    panel = window.docks.panel("map")
    assert isinstance(panel, MapPanel)
    assert copied.width() == 2 * panel.canvas.width()
    copy_figure(panel)
    assert "clipboard" in window.workspace.notices.log[-1].text
