"""The current picture, and what either model makes of it: reconstructions, their errors and how sharp they are.

Shapes: H W C pictures, uint8.
"""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QGridLayout

from latentlab.core.comparing import sharpness, squared_error
from latentlab.core.requests import Decoded
from latentlab.core.state import NamedLatent, State
from latentlab.ui import latent_mime, theme
from latentlab.ui.compare.cells import PictureCell
from latentlab.ui.compare.current import Picture, Source
from latentlab.ui.compare.finding import Finding
from latentlab.ui.compare.page import Page
from latentlab.ui.compare.pair import Pair
from latentlab.ui.compare.search import Search
from latentlab.ui.image_view import as_image

ERROR_TIP = (
    "Mean squared error in [0, 1] intensities; ✓ is the closer one, where both models' pictures are of one size.\n"
    "How sharp it is beside the picture: variance of the Laplacian, 100 % is as sharp."
)
SOURCE_SHARE, PAIR_SHARE = 2, 3  # of the height


class PicturePage(Page):
    finds = True

    def __init__(self, pair: Pair, found: dict[str, Finding]) -> None:
        super().__init__(pair, found)
        self._drawn: Decoded | None = None  # the first model's reconstruction of a picture from outside
        self._asked: Source | None = None
        self.source = PictureCell("The picture that both are shown", clickable=True)
        self.first = PictureCell("What the first model makes of it", clickable=True)
        self.second = PictureCell("What the second model makes of it")
        self.source.view.clicked.connect(self._choose_source)
        self.first.view.clicked.connect(self._choose_first)
        self.source.view.make_mime = self._source_mime
        self.search = Search(found["second"])
        self.second.column.addWidget(self.search)
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.PADDING_PX)
        grid.addWidget(self.first, 0, 0)
        grid.addWidget(self.second, 0, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.column.addWidget(self.source, SOURCE_SHARE)
        self.column.addLayout(grid, PAIR_SHARE)

    # --- drawing

    def show_models(self) -> None:
        self._drawn = self._asked = None

    def show_state(self, _state: State) -> None:
        source = self.pair.source
        if source is None:
            return
        if source.outside and (self._asked is None or self._asked.image is not source.image):
            self._asked, self._drawn = source, None
            self.pair.decode("picture/first", "first", source.latent[None], source.condition, source.space)
        if not source.outside:
            self._asked = self._drawn = None
        self.show_found()

    def take(self, detail: str, reply: Decoded) -> None:
        if detail == "first" and self._asked is not None:
            self._drawn = reply
            self.show_found()

    def show_found(self) -> None:
        source = self.pair.source
        if source is None or self.pair.held is None:
            return
        brought = "a picture of yours" if source.outside else "drawn by the first model"
        tip = "" if source.outside else "Drop a picture on the image to compare with one that neither model drew"
        self.source.show_picture(source.image, f"{source.name} · {brought}", tip)
        mine, theirs = self._of_first(source), self._of_second()
        errors = [error for _, error, _ in (mine, theirs)]
        alike = len({None if picture is None else picture.shape for picture, _, _ in (mine, theirs)}) == 1
        for cell, (picture, error, said), other in zip(
            (self.first, self.second), (mine, theirs), reversed(errors), strict=True
        ):
            closer = alike and error is not None and other is not None and error < other
            cell.show_picture(picture, said or _caption(picture, error, source.image, closer), _tip(error))
        self.search.show_search()

    def _of_first(self, source: Source) -> tuple[Picture | None, float | None, str]:
        """(the picture, its error, what is said instead of the error)."""
        original, found = self.pair.workspace.state.original, self.found["first"]
        if source.outside:
            picture = None if self._drawn is None else self._drawn.images[0]
            return picture, original.mse if original is not None and picture is not None else None, ""
        if not found.encodes:
            return source.image, None, "its own picture"
        if found.found is None:
            return None, None, ""
        return found.found.picture, found.found.mse, ""

    def _of_second(self) -> tuple[Picture | None, float | None, str]:
        found = self.found["second"]
        if found.live is not None:
            return found.live, None, found.job.latest.text if found.job is not None else ""
        if found.found is None:
            return None, None, "" if found.encodes else self._without_encoder()
        if found.searches and not found.fresh:
            return found.found.picture, None, "of the picture before"
        return found.found.picture, found.found.mse, ""

    def _without_encoder(self) -> str:
        return "no encoder" if self.found["second"].searches else "no encoder, and it cannot be searched"

    # --- what a person does

    def _choose_source(self) -> None:
        source = self.pair.source
        if source is not None and not source.outside:
            self.pair.workspace.go_to(source.latent, source.name, space=source.space)

    def _choose_first(self) -> None:
        """Its reconstruction becomes the current picture."""
        source, found, workspace = self.pair.source, self.found["first"].found, self.pair.workspace
        if source is None:
            return
        if source.outside or found is None:
            workspace.go_to(source.latent, source.name, workspace.state.original, space=source.space)
        else:
            space = workspace.opened.info.spaces[0].name
            workspace.go_to(found.latent, f"{source.name}, encoded", space=space)

    def _source_mime(self) -> QMimeData:
        source, checkpoint = self.pair.source, self.pair.workspace.state.checkpoint
        if source is None:
            return QMimeData()
        mime = latent_mime.packed([NamedLatent(source.latent, source.name)], checkpoint, source.space)
        mime.setImageData(as_image(source.image).copy())
        return mime


def _caption(picture: Picture | None, error: float | None, source: Picture, closer: bool) -> str:
    if picture is None:
        return ""
    parts = [] if error is None else [f"MSE {error:.4f}{' ✓' if closer else ''}"]
    if picture.shape == source.shape and (sharp := sharpness(source)):
        parts.append(f"{sharpness(picture) / sharp:.0%} sharp")
        if not parts[:-1]:
            parts.insert(0, f"MSE {squared_error(picture, source):.4f}")
    return " · ".join(parts)


def _tip(error: float | None) -> str:
    return ERROR_TIP if error is not None else ""
