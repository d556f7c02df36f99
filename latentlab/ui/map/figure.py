"""The map as a picture for a lesson or a paper: as it stands, with its legend and without the tools over it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QRegion
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import LatentlabError
from latentlab.core.recipe_png import png_bytes
from latentlab.ui import theme
from latentlab.ui.computing import Computing
from latentlab.ui.map.scene import paint
from latentlab.ui.saved import say_saved
from latentlab.ui.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.ui.panels.map import MapPanel

DENSITY = 2.0  # sharp in print, and on the slides of a screen with more pixels
PIXELS = 3e6  # a large window is sharp enough with fewer, and painting more would hold it up
CAPTION_PX = 24  # of the line that says what the axes are
NO_MAP = "There is no map to take a picture of; encode a folder of pictures first (File menu)."


def figure_of(panel: MapPanel) -> QImage | None:
    """The map above its legend, with up to twice the pixels of the screen; None where the model has no map."""
    canvas, legend, colours = panel.canvas, panel.legend, theme.current()
    if canvas.scene is None:
        return None
    enough = math.sqrt(PIXELS / max(canvas.width() * canvas.height(), 1))
    density = max(min(DENSITY, enough), canvas.devicePixelRatioF())
    below = (legend.height() if legend.isVisible() else 0) + CAPTION_PX
    image = QImage(
        round(canvas.width() * density), round((canvas.height() + below) * density), QImage.Format.Format_RGB32
    )
    image.setDevicePixelRatio(density)
    image.fill(QColor(colours.panel))
    painter = QPainter(image)
    painter.drawPixmap(0, 0, paint(canvas.scene, canvas.camera, colours, density))
    painter.setClipRect(canvas.rect())
    canvas.overlay.paint(painter, canvas.camera, colours)
    painter.setClipping(False)
    left = max(legend.mapTo(panel, QPoint()).x() - canvas.mapTo(panel, QPoint()).x(), 0)
    if legend.isVisible():
        legend.render(painter, QPoint(left, canvas.height()), QRegion(), QWidget.RenderFlag.DrawChildren)
    painter.setPen(QColor(colours.secondary))
    painter.setFont(theme.caption_font(panel))
    painter.drawText(left + theme.GRID_PX // 2, canvas.height() + below - theme.GRID_PX, caption_of(panel))
    painter.end()
    return image


def caption_of(panel: MapPanel) -> str:
    """ "PCA: PC 1 · 8% across, PC 2 · 5% up": what a reader who does not see the window must be told."""
    projection, x, y = (
        box.currentText() for box in (panel.controls.projection, panel.controls.x_axis, panel.controls.y_axis)
    )
    return f"{projection}: {x} across, {y} up" if x and y else projection


def copy_figure(panel: MapPanel) -> None:
    if (image := figure_of(panel)) is None:
        panel.workspace.notices.info(NO_MAP)
        return
    QGuiApplication.clipboard().setImage(image)
    panel.workspace.notices.info("The map is on the clipboard as a picture.")


def save_figure(panel: MapPanel, target: Path | None = None) -> None:
    """Asks where, unless `target` says it."""
    workspace = panel.workspace
    image = figure_of(panel)
    if image is None:
        workspace.notices.info(NO_MAP)
        return
    target = target or _asked(panel, workspace)
    if target is not None:
        _write(panel, image, target)


def _asked(panel: MapPanel, workspace: Workspace) -> Path | None:
    settings = workspace.settings
    suggested = str(Path(settings.save_folder) / "map.png")
    name, _ = QFileDialog.getSaveFileName(panel.window(), "Save the map as a picture", suggested, "PNG (*.png)")
    if not name:
        return None
    path = Path(name) if name.lower().endswith(".png") else Path(name + ".png")
    settings.save_folder = str(path.parent)
    return path


def _write(panel: MapPanel, image: QImage, target: Path) -> None:
    """Packing the pixels of a large window takes a tenth of a second: on a thread, which knows nothing of Qt."""
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = lines[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()

    def write() -> LatentlabError | None:
        try:
            atomic_write(target, png_bytes(np.ascontiguousarray(pixels[..., 2::-1])))
        except LatentlabError as error:
            return error
        return None

    def say(error: LatentlabError | None) -> None:
        notices = panel.workspace.notices
        if error is not None:
            notices.report(error)
        else:
            say_saved(notices, f"Saved {displayed(target)}", target)

    Computing(panel).start(write, say)
