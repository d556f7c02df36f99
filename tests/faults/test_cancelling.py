"""Every long job, cancelled at 0, 50 and 99 % of what it reports: the files of before, and nothing half made."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentlab.core import refitting
from latentlab.core.checkpoint_file import read_encodings
from latentlab.core.projections import job as projecting
from latentlab.core.requests import JobCancelled, Report
from latentlab.engine import edit_sheet, exporting, folder_direction, map_making, measuring, picture_components
from latentlab.formats import guessing
from latentlab.measure import inversion

SIDE = 16
Work = Callable[[Report, Path, Path], object]  # (report, checkpoint, folder with `pictures` in it)


@dataclass
class Impatient:
    """Cancels as soon as it hears of this share of the work; 0: at the first word."""

    share: float
    told: int = 0

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.told += 1
        if self.share == 0 or (total and done / total >= self.share):
            raise JobCancelled

    def partial(self, value: Any) -> None:
        self.told += 1


def latents(checkpoint: Path) -> np.ndarray:
    encodings = read_encodings(checkpoint)
    assert encodings is not None
    return encodings.latents


def exports(name: str) -> Work:
    def work(report: Report, checkpoint: Path, folder: Path) -> object:
        keyframes = latents(checkpoint)[:2]
        return exporting.run(report, str(checkpoint), keyframes, str(folder / name), seconds=2.0, fps=12)

    return work


def lays_out(report: Report, checkpoint: Path, folder: Path) -> object:
    return projecting.run(report, "tsne", latents(checkpoint))


def inverts(report: Report, checkpoint: Path, folder: Path) -> object:
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    return inversion.run(report, str(checkpoint), picture, steps=20)


def encodes_a_folder(report: Report, checkpoint: Path, folder: Path) -> object:
    return map_making.run_folder(report, str(checkpoint), str(folder / "pictures"))


def draws(report: Report, checkpoint: Path, folder: Path) -> object:
    return map_making.run_draws(report, str(checkpoint), count=96)


def fits_anew(report: Report, checkpoint: Path, folder: Path) -> object:
    encodings = read_encodings(checkpoint)
    assert encodings is not None
    return refitting.run(report, encodings, "logistic", "sha")


def measures(report: Report, checkpoint: Path, folder: Path) -> object:
    return measuring.run(report, str(checkpoint), count=64)


def sheets(report: Report, checkpoint: Path, folder: Path) -> object:
    edited = latents(checkpoint)[:20]
    return edit_sheet.run(report, str(checkpoint), edited, edited[0], str(folder / "sheet.png"))


def finds_a_direction(report: Report, checkpoint: Path, folder: Path) -> object:
    pictures = str(folder / "pictures")
    return folder_direction.run(report, str(checkpoint), pictures, "Hat", pictures)


def finds_components(report: Report, checkpoint: Path, folder: Path) -> object:
    return picture_components.run(report, str(checkpoint), "z")


def guesses(report: Report, checkpoint: Path, folder: Path) -> object:
    import torch

    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "decoder.pth"
        network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 64))
        torch.save(network.state_dict(), path)
        return guessing.run(report, str(path))


JOBS: dict[str, Work] = {
    **{f"export {name}": exports(name) for name in ("walk.gif", "walk.mp4", "walk.png", "frames")},
    "t-SNE": lays_out,
    "inversion": inverts,
    "encode a folder": encodes_a_folder,
    "draws": draws,
    "figures": measures,
    "sheet of edits": sheets,
    "direction from folders": finds_a_direction,
    "components of pictures": finds_components,
    "readings": guesses,
    "fitting attributes": fits_anew,
}
IN_ONE_PIECE = {"fitting attributes"}  # says that it has begun, and is over; its process is ended when it is cancelled


@pytest.fixture
def place(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint, a folder of pictures, and what earlier exports have left."""
    shutil.copy(tiny_checkpoint, tmp_path / "model.safetensors")
    (tmp_path / "pictures").mkdir()
    for index in range(12):
        Image.new("RGB", (SIDE, SIDE), (20 * index, 0, 0)).save(tmp_path / "pictures" / f"{index}.png")
    for name in ("walk.gif", "walk.mp4", "walk.png", "sheet.png", "model.safetensors.encodings.safetensors"):
        (tmp_path / name).write_bytes(b"of before")
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "share"),
    [(name, share) for name in JOBS for share in (0.0, 0.5, 0.99) if not share or name not in IN_ONE_PIECE],
)
def test_a_job_that_is_cancelled_leaves_the_files_of_before(name: str, share: float, place: Path, home: Path) -> None:
    before, at_home = everything(place), everything(home)
    report = Impatient(share)
    with pytest.raises(JobCancelled):
        JOBS[name](report, place / "model.safetensors", place)
    assert report.told > (1 if share else 0)
    assert everything(place) == before
    assert everything(home) == at_home


def test_no_job_is_left_out() -> None:
    """Every function that says of itself which job it is."""
    root, here = Path(__file__).resolve().parents[2], Path(__file__).read_text(encoding="utf-8")
    named = {
        name
        for file in (root / "latentlab").rglob("*.py")
        for name in re.findall(r'The job "latentlab\.([\w.]+:\w+)"', file.read_text(encoding="utf-8"))
    }
    assert len(named) >= 7
    missing = [name for name in named if f"{name.rpartition('.')[2].replace(':', '.')}(" not in here]
    assert not missing
