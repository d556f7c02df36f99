"""Data sets by name, folder or file. Adding a source is one file with `load(request) -> Dataset` and one line here."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.errors import DataError, OptionError, did_you_mean
from latentlab.core.picture_folder import Progress
from latentlab.core.pictures import Crop
from latentlab.core.registry import Entry, Registry
from training.data.dataset import Dataset, Indices
from training.data.mapped import room_for
from training.data.source import Request, silent

__all__ = ["SOURCES", "Dataset", "Indices", "Request", "load"]

SOURCES = Registry(
    "data set",
    Entry("digits", "Handwritten digits, 8 px (comes with scikit-learn)", "training.data.digits:load"),
    Entry("avatars", "Drawn faces with labelled attributes, any size (generated)", "training.data.avatars:load"),
    Entry("mnist", "Handwritten digits, 28 px", "training.data.downloaded:load_mnist"),
    Entry("fashion-mnist", "Clothes, 28 px", "training.data.downloaded:load_fashion_mnist"),
    Entry("cifar10", "Ten classes of small photographs, 32 px", "training.data.downloaded:load_cifar10"),
    Entry("celeba", "200,000 faces with 40 attributes (non-commercial)", "training.data.downloaded:load_celeba"),
)

SIZE_LIMIT = 1024  # px


def load(
    data: str,
    *,
    size: int | None = None,
    crop: str | Crop = "centre",
    root: Path | None = None,
    download: bool = False,
    limit: int | None = None,
    seed: int = 0,
    mapped: bool | None = None,
    scratch: Path | None = None,
    report: Progress = silent,
) -> Dataset:
    """The data set that `data` names: an entry of SOURCES, a folder of pictures, or an .npz file.

    `size`: side in pixels (None: the data's own; folders 64). `limit`: at most so many pictures. Those of
    folders and .npz files that would take more than half of the free memory are kept in a mapped file instead, or
    where `mapped` says so; `scratch` is the folder of such a file. Nothing is fetched from the network unless
    `download` is set. Raises DataError, OptionError.
    """
    if size is not None and not 4 <= size <= SIZE_LIMIT:
        raise OptionError(f"The image size is {size}; it must be 4 to {SIZE_LIMIT} px.")
    if limit is not None and limit < 1:
        raise OptionError(f"The limit is {limit} pictures; it must be at least 1.")
    request = Request(
        data=data,
        size=size,
        crop=crop if isinstance(crop, Crop) else Crop.parse(crop),
        root=root or Path("data"),
        download=download,
        limit=limit,
        seed=seed,
        mapped=mapped,
        scratch=scratch,
        report=report,
    )
    loaded: Dataset = SOURCES[data].load()(request) if data in SOURCES else _from_path(Path(data), request)
    chosen = loaded.limited(limit, seed)
    return chosen.at_size(size, room_for(scratch, mapped)) if size else chosen


def _from_path(path: Path, request: Request) -> Dataset:
    from training.data import archive, folder

    try:
        if path.is_dir():
            return folder.load(request)
        if path.is_file():
            return archive.load(request)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if path.exists():
        raise DataError(f"{path} is neither a folder of pictures nor an .npz file.")
    known = did_you_mean(request.data, SOURCES)
    raise DataError(f"There is no data set, folder or file '{request.data}'.{known}")
