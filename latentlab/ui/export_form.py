"""What a walk is exported as: the format, the size, and what that will cost."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from latentlab.core.latent_model import ImageShape
from latentlab.core.state import Walk
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.theme import GRID_PX, PADDING_PX

GIF_FPS_AT_MOST = 50
GIF_PX_ADVISED = 256
STARTING_S = 2.0  # until the process of the job has loaded the model
STRIP_FRAMES = 8
SCALES = (1, 2, 4, 8, 16)
LARGEST_PX = 2048
COST_WIDE_PX, COST_LINES = 340, 3  # room for the longest estimate: a dialog that is open does not grow by itself


@dataclass(frozen=True)
class ExportKind:
    """`filter` is what the file dialog shows; empty for a folder.

    A frame takes `bytes_per_pixel` of the model's picture, times scale ** `growth`: enlarged squares compress well.
    Measured on walks through the bundled faces at 64 to 512 px; photographs take up to three times as much.
    """

    key: str
    title: str
    ending: str
    filter: str
    bytes_per_pixel: float
    growth: float
    seconds_per_pixel: float  # of the enlarged picture


KINDS = (
    ExportKind("mp4", "Video (MP4)", ".mp4", "Video (*.mp4)", 0.08, 1.0, 0.12e-6),
    ExportKind("gif", "Animation (GIF)", ".gif", "Animation (*.gif)", 0.7, 1.45, 0.2e-6),
    ExportKind("frames", "PNG frames in a folder", "", "", 2.2, 0.25, 0.07e-6),
    ExportKind("strip", "Contact strip (PNG)", ".png", "Picture (*.png)", 2.2, 0.25, 0.07e-6),
)


def video_possible() -> bool:
    """Whether the extra `video` is installed."""
    return find_spec("av") is not None


def estimate(kind: ExportKind, walk: Walk, image: ImageShape, scale: int, decode_ms: float) -> str:
    """ "180 frames of 256 x 256, about 5.3 MB and 7 s"."""
    fps = min(walk.fps, GIF_FPS_AT_MOST) if kind.key == "gif" else walk.fps
    frames = max(STRIP_FRAMES, len(walk.keyframes)) if kind.key == "strip" else max(1, round(walk.seconds * fps))
    width, height = image.width * scale, image.height * scale
    said = frames * image.width * image.height * kind.bytes_per_pixel * scale**kind.growth
    seconds = frames * (width * height * kind.seconds_per_pixel + decode_ms / 1000) + STARTING_S
    size = f"{said / 1e6:.1f} MB" if said >= 1e5 else f"{max(1, said / 1e3):.0f} KB"
    line = f"{frames:,} frames of {width} × {height}, about {size} and {max(1, round(seconds))} s"
    if kind.key == "gif" and max(width, height) > GIF_PX_ADVISED:
        line += f". A GIF above {GIF_PX_ADVISED} px is slow and large; a video is smaller."
    return line


class ExportForm(QDialog):
    """`wanted` carries the kind and the scale; the panel asks where to."""

    wanted = Signal(object, int)

    def __init__(self, walk: Walk, image: ImageShape, decode_ms: float, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export the walk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._walk, self._image, self._decode_ms = walk, image, decode_ms
        self.kind = ChoiceBox()
        self.kind.addItems([kind.title for kind in KINDS])
        self.kind.setAccessibleName("Format")
        if not video_possible():
            item = self.kind.model().index(0, 0)
            self.kind.model().setData(item, 0, Qt.ItemDataRole.UserRole - 1)
            self.kind.setItemData(0, "Needs the extra: pip install 'latentlab[video]'", Qt.ItemDataRole.ToolTipRole)
            self.kind.setCurrentIndex(1)
        longest = max(image.width, image.height)
        self._scales = [scale for scale in SCALES if scale == 1 or longest * scale <= LARGEST_PX]
        self.scale = ChoiceBox()
        self.scale.addItems([f"{image.width * scale} × {image.height * scale}" for scale in self._scales])
        self.scale.setAccessibleName("Size")
        large_enough = [i for i, scale in enumerate(self._scales) if longest * scale >= GIF_PX_ADVISED]
        self.scale.setCurrentIndex(large_enough[0] if large_enough else len(self._scales) - 1)
        self.cost = QLabel()
        self.cost.setProperty("role", "caption")
        self.cost.setWordWrap(True)
        self.cost.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.cost.setMinimumWidth(COST_WIDE_PX)
        self.cost.setMinimumHeight(COST_LINES * self.cost.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        export = buttons.addButton("Export…", QDialogButtonBox.ButtonRole.AcceptRole)
        export.setProperty("primary", True)
        buttons.accepted.connect(self._want)
        buttons.rejected.connect(self.reject)
        self.kind.currentIndexChanged.connect(lambda _: self._show_cost())
        self.scale.currentIndexChanged.connect(lambda _: self._show_cost())
        form = QFormLayout()
        form.setSpacing(GRID_PX)
        form.addRow("Format", self.kind)
        form.addRow("Size", self.scale)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING_PX, PADDING_PX, PADDING_PX, PADDING_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(form)
        column.addWidget(self.cost)
        column.addWidget(buttons)
        self._show_cost()

    def _chosen(self) -> tuple[ExportKind, int]:
        return KINDS[self.kind.currentIndex()], self._scales[self.scale.currentIndex()]

    def _show_cost(self) -> None:
        kind, scale = self._chosen()
        self.cost.setText(estimate(kind, self._walk, self._image, scale, self._decode_ms))

    def _want(self) -> None:
        kind, scale = self._chosen()
        self.accept()
        self.wanted.emit(kind, scale)
