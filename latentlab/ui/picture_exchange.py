"""Pictures in and out: a file is encoded or inverted, the current picture is copied, dragged and saved.

Pillow and the recipes are imported when a picture comes or goes: a start-up has no use for them.
Shapes: H W C pictures, uint8.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QMimeData, QObject, QTemporaryDir, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.errors import LatentlabError
from latentlab.core.inversion import Inversion
from latentlab.core.latent_model import ImageShape
from latentlab.core.model_folders import model_name
from latentlab.core.requests import Encode, Encoded, JobFailed, Lane, RequestFailed
from latentlab.core.space_switching import in_space
from latentlab.core.state import NamedLatent, Original, State
from latentlab.ui import latent_mime
from latentlab.ui.crossing import Crossing
from latentlab.ui.image_view import as_array, as_image
from latentlab.ui.running import RunningJob
from latentlab.ui.saved import say_saved
from latentlab.ui.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.core.recipe import Recipe

Picture = NDArray[np.uint8]
CONSUMER = "image/encode"
INVERSION = "latentlab.measure.inversion:run"
FOREIGN = "latentlab.formats:open_checkpoint"  # what opens a checkpoint that is not our own


def is_picture(urls: Sequence[QUrl]) -> bool:
    from latentlab.core.pictures import ENDINGS

    return any(url.isLocalFile() and url.toLocalFile().lower().endswith(ENDINGS) for url in urls)


class PictureExchange(QObject):
    live = Signal(object)  # (H, W, C) the picture of an inversion under way
    given_up = Signal()  # an inversion was cancelled or failed: the picture of before is shown again

    def __init__(self, workspace: Workspace, panel: QWidget) -> None:
        super().__init__(panel)
        self._workspace = workspace
        self._panel = panel
        self._pending: tuple[int, Picture, str] | None = None  # ticket, picture, name
        self._inversion: RunningJob | None = None
        self._folder: QTemporaryDir | None = None
        self._read = Crossing(self._take_read)

    def forget(self) -> None:
        """Another model: what is under way belongs to the one before."""
        self._pending = None
        if self._inversion is not None:
            self._inversion.cancel()
            self._inversion = None

    # --- in

    def choose(self) -> None:
        from latentlab.core.pictures import ENDINGS

        settings = self._workspace.settings
        endings = " ".join(f"*{ending}" for ending in ENDINGS)
        name, _ = QFileDialog.getOpenFileName(
            self._panel, "Find the latent of a picture", settings.open_folder, f"Pictures ({endings})"
        )
        if name:
            settings.open_folder = str(Path(name).parent)
            self.read(name)

    def read(self, path: str) -> None:
        """Off the GUI thread: a camera's picture takes a second to decode."""
        info = self._workspace.opened.info
        self._read.run(lambda: (info.sha256, *_read(Path(path), info.image)), "reading a picture")

    def take_image(self, image: QImage) -> None:
        """A picture from the clipboard or dragged out of a browser."""
        self._find_latent(as_array(image), "dropped picture")

    def take_encoded(self, reply: Encoded) -> None:
        if self._pending is None or reply.ticket != self._pending[0]:
            return
        _, picture, name = self._pending
        self._pending = None
        original = Original(picture, name, reply.latents[0], float(reply.mse[0]))
        first = self._workspace.opened.info.spaces[0].name  # what encoders and inversions find latents of
        self._workspace.go_to(reply.latents[0], name, original, label=f"Encode {name}", space=first)

    def take_failure(self, reply: RequestFailed) -> None:
        if self._pending is not None and reply.ticket == self._pending[0]:
            self._pending = None

    def _take_read(self, found: tuple[str, str, Picture | LatentlabError, object]) -> None:
        from latentlab.core.recipe import Recipe, restored

        checkpoint, name, picture, recipe = found
        if checkpoint != self._workspace.opened.info.sha256:
            return
        if isinstance(recipe, Recipe):
            try:
                state = restored(self._in_space_of(recipe), recipe)
            except LatentlabError as error:
                recipe = error
            else:
                self._workspace.session.update(state, f"Restore {name}")
                return
        if isinstance(recipe, LatentlabError):
            self._workspace.notices.warn(f"{recipe} It is taken as a plain picture.")
        if isinstance(picture, LatentlabError):
            self._workspace.notices.report(picture)
        else:
            self._find_latent(picture, name)

    def _in_space_of(self, recipe: Recipe) -> State:
        """The state in the space that a picture was made in, where it was made with the open model."""
        state, info = self._workspace.state, self._workspace.opened.info
        known = recipe.checkpoint == state.checkpoint and recipe.space in {space.name for space in info.spaces}
        return in_space(state, info, recipe.space) if known else state

    def _find_latent(self, picture: Picture, name: str) -> None:
        info = self._workspace.opened.info
        if info.encoder:
            request = Encode(info.sha256, picture[None], self._workspace.state.condition)
            ticket = self._workspace.decoding.submit(CONSUMER, request, Lane.VISIBLE)
            self._pending = (ticket, picture, name)
        elif info.invertible:
            self._invert(picture, name)
        else:
            self._workspace.notices.warn(
                f"{name} cannot be given a latent: this model has no encoder, and no gradient goes through it to "
                "search with. " + ("Open a VAE, or a GAN of PyTorch." if info.path else "Give explore() an encoder.")
            )

    # --- out

    def copy(self, picture: Picture | None) -> None:
        if picture is None:
            self._workspace.notices.info("There is no picture to copy yet.")
        else:
            QGuiApplication.clipboard().setMimeData(self._plain_mime(picture))

    def mime(self, picture: Picture | None) -> QMimeData:
        """What a drag carries: the latent for our own panels, the pixels and a file for others."""
        mime = self._plain_mime(picture) if picture is not None else QMimeData()
        if picture is not None:
            if self._folder is None:
                self._folder = QTemporaryDir()
            path = Path(self._folder.path()) / self._file_name()
            try:
                path.write_bytes(self.coded(picture))
            except OSError as error:  # a temporary folder that is full: latent and pixels travel all the same
                self._workspace.notices.warn(f"What is dragged carries no file: {path}: {error.strerror or error}.")
            else:
                mime.setUrls([QUrl.fromLocalFile(str(path))])
        return mime

    def save(self, picture: Picture | None) -> None:
        if picture is None:
            self._workspace.notices.info("There is no picture to save yet.")
            return
        settings = self._workspace.settings
        suggested = str(Path(settings.save_folder) / self._file_name())
        name, _ = QFileDialog.getSaveFileName(self._panel, "Save the picture", suggested, "PNG (*.png)")
        if name:
            path = Path(name) if name.lower().endswith(".png") else Path(name + ".png")
            settings.save_folder = str(path.parent)
            self.save_to(path, picture)

    def save_to(self, path: Path, picture: Picture) -> None:
        try:
            atomic_write(path, self.coded(picture))
        except LatentlabError as error:
            self._workspace.notices.report(error)
        else:
            say_saved(self._workspace.notices, f"Saved {displayed(path)}", path)

    def coded(self, picture: Picture) -> bytes:
        """A PNG that carries what it takes to show the picture again."""
        from latentlab.core.recipe import recipe_of
        from latentlab.core.recipe_png import png_bytes

        recipe = recipe_of(self._workspace.state, Path(self._workspace.opened.info.path).name)
        return png_bytes(picture, recipe)

    def _file_name(self) -> str:
        """What a picture is saved as: one that came from a file does not ask to take that file's place."""
        from latentlab.core.pictures import ENDINGS

        name, info = self._workspace.state.name, self._workspace.opened.info
        if name.lower().endswith(ENDINGS):
            name = f"{Path(name).stem} by {model_name(Path(info.path)) if info.path else info.family}"
        return f"{_file_name(name)}.png"

    def _plain_mime(self, picture: Picture) -> QMimeData:
        state = self._workspace.state
        mime = latent_mime.packed([NamedLatent(state.latent, state.name)], state.checkpoint, state.space)
        mime.setImageData(as_image(picture).copy())
        return mime

    # --- inversion

    def _invert(self, picture: Picture, name: str) -> None:
        state = self._workspace.state
        path = self._workspace.opened.info.path
        arguments: dict[str, Any] = {"path": path, "image": picture, "condition": state.condition, "name": name}
        if self._workspace.opened.info.format != "native":
            how = self._workspace.opened.for_jobs
            arguments |= {"loader": FOREIGN, "how": {"trust": how["trust"], "options": how["options"]}}
        self.forget()
        job = self._workspace.running.start(
            f"Inverting {name}", INVERSION, arguments, on_partial=self.live.emit, on_done=self._take_inversion
        )
        job.failed.connect(self._take_inversion_failure)
        job.cancelled.connect(self.given_up)
        job.ended.connect(partial(self._end_inversion, job))
        self._inversion = job

    def _take_inversion(self, found: Inversion) -> None:
        original = Original(found.original, found.name, found.latent, found.mse, inverted=True)
        first = self._workspace.opened.info.spaces[0].name
        self._workspace.go_to(found.latent, found.name, original, label=f"Invert {found.name}", space=first)

    def _take_inversion_failure(self, failure: JobFailed) -> None:
        self._workspace.notices.error(failure.message, details=failure.details)
        self.given_up.emit()

    def _end_inversion(self, job: RunningJob) -> None:
        if job is self._inversion:
            self._inversion = None


def _read(path: Path, shape: ImageShape) -> tuple[str, Picture | LatentlabError, Recipe | LatentlabError | None]:
    """(the file's name, its picture, the recipe it carries); an error in place of either that cannot be read."""
    from latentlab.core.pictures import Crop, read_picture
    from latentlab.core.recipe_png import recipe_in

    recipe: Recipe | LatentlabError | None
    try:
        recipe = recipe_in(path)
    except LatentlabError as error:  # the picture itself may still be good
        recipe = error
    try:
        size = max(shape.height, shape.width)
        picture = read_picture(path, crop=Crop("centre"), size=size, channels=shape.channels)
    except LatentlabError as error:
        return path.name, error, recipe
    return path.name, picture, recipe


def _file_name(name: str) -> str:
    """A name of a state as that of a file: no separators, not empty."""
    kept = "".join(letter if letter.isalnum() or letter in " -_" else "-" for letter in name).strip(" -")
    return kept[:80] or "picture"
