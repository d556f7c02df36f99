"""A folder of pictures: flat, one folder per class, or with an attributes.csv (file, then columns of numbers).

Files that cannot be used are skipped, and each is listed with its reason. Shapes: N pictures, A attributes.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from latentlab.core.errors import DataError
from latentlab.core.pictures import ENDINGS, UNREAD_ENDINGS, Crop, Picture, read_picture

TABLE = "attributes.csv"
COPIED_AT_ONCE = 1024
READERS = 4  # Pillow decodes without the GIL

Progress = Callable[[int, int, str], None]  # done, total, what


@dataclass(frozen=True, eq=False)
class Listing:
    """Which files there are and what is said of each; nothing is decoded yet."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] = ()
    attributes: NDArray[np.float32] | None = None
    attribute_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def subset(self, indices: Sequence[int] | NDArray[np.int64]) -> Listing:
        return replace(
            self,
            files=tuple(self.files[i] for i in indices),
            names=tuple(self.names[i] for i in indices),
            labels=None if self.labels is None else self.labels[np.asarray(indices, np.int64)],
            attributes=None if self.attributes is None else self.attributes[np.asarray(indices, np.int64)],
        )


def listed(folder: Path) -> Listing:
    """The pictures of a folder in a stable order. Raises DataError where there is none."""
    if (folder / TABLE).is_file():
        return _from_table(folder)
    own, unread = _pictures_in(folder, deep=False)
    classes: dict[Path, list[Path]] = {}
    for sub in _subfolders(folder):
        found, others = _pictures_in(sub, deep=True)
        unread += others
        if found:
            classes[sub] = found
    if not own and not classes:
        raise DataError(_none_in(folder, unread))
    skipped = tuple(f"{_relative(file, folder)}: a kind that is not read; save it as JPEG or PNG" for file in unread)
    if len(classes) < 2:
        files = own + [file for found in classes.values() for file in found]
        return Listing(tuple(files), tuple(_relative(file, folder) for file in files), skipped=skipped)
    files, labels = list(own), [-1] * len(own)
    for label, found in enumerate(classes.values()):
        files += found
        labels += [label] * len(found)
    return Listing(
        tuple(files),
        tuple(_relative(file, folder) for file in files),
        np.array(labels, np.int64),
        tuple(portable_name(sub.name) for sub in classes),
        skipped=skipped,
    )


def in_memory(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Raises DataError where they do not fit."""
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        needed = math.prod(shape) / 2**30
        raise DataError(f"{shape[0]:,} pictures need {needed:.1f} GiB; use smaller ones, or fewer.") from error


def read_all(
    files: Sequence[Path],
    size: int,
    crop: Crop,
    report: Progress,
    allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]] = in_memory,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """(pictures uint8 (N, size, size, C), which files they are, a reason for each that is not among them).

    `allocate` makes the array of a shape that they are read into.
    """
    pictures = allocate((len(files), size, size, 3))
    usable: list[int] = []
    reasons: list[str] = []
    coloured = False
    workers = min(READERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for index, found in enumerate(pool.map(partial(_read, size=size, crop=crop), files)):
            if isinstance(found, str):
                reasons.append(found)
            else:
                pictures[len(usable)] = found  # a grey picture is repeated into three channels
                usable.append(index)
                coloured = coloured or found.shape[2] == 3
            report(index + 1, len(files), "reading pictures")
    pictures = pictures[: len(usable)]
    if not coloured:
        pictures = _first_channel(pictures, allocate)
    return pictures, np.array(usable, np.int64), reasons


def _first_channel(
    pictures: NDArray[np.uint8], allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    grey = allocate((*pictures.shape[:3], 1))
    for start in range(0, len(pictures), COPIED_AT_ONCE):
        part = slice(start, start + COPIED_AT_ONCE)
        grey[part] = pictures[part, ..., :1]
    return grey


def _read(file: Path, size: int, crop: Crop) -> Picture | str:
    try:
        return read_picture(file, crop=crop, size=size)
    except DataError as error:
        return str(error)


def portable_name(text: str) -> str:
    """A file name that can be written as UTF-8 whatever its bytes were."""
    return os.fsencode(text).decode("utf-8", "replace")


def _subfolders(folder: Path) -> list[Path]:
    found = (sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith("."))
    return sorted(sub for sub in found if not (sub.is_symlink() and _within(folder, sub)))


def _within(folder: Path, link: Path) -> bool:
    """Whether a link leads back to the folder it lies in, or further up: everything would be found twice."""
    return folder.resolve().is_relative_to(link.resolve())


def _pictures_in(folder: Path, *, deep: bool) -> tuple[list[Path], list[Path]]:
    """(those that may be read, those of a kind that is not)."""
    known = {*ENDINGS, *UNREAD_ENDINGS}
    found = sorted(
        file
        for file in (folder.rglob("*") if deep else folder.iterdir())
        if file.suffix.lower() in known and not file.name.startswith(".") and file.is_file()
    )
    unread = [file for file in found if file.suffix.lower() in UNREAD_ENDINGS]
    return [file for file in found if file.suffix.lower() in ENDINGS] if unread else found, unread


def _none_in(folder: Path, unread: list[Path]) -> str:
    if not unread:
        return f"There is no picture in {folder}; looked for {', '.join(ENDINGS)}."
    are, them = ("is", "it") if len(unread) == 1 else ("are", "them")
    return (
        f"There is no picture in {folder} that can be read: {len(unread):,} {are} of a kind that is not, such as "
        f"{_relative(unread[0], folder)}. Save {them} as JPEG or PNG."
    )


def _relative(file: Path, folder: Path) -> str:
    return portable_name(file.relative_to(folder).as_posix())


# --- attributes.csv --------------------------------------------------------------------------------------------


def _from_table(folder: Path) -> Listing:
    table = folder / TABLE
    heading, rows = _rows_of(table)
    names = _column_names(table, heading)
    files: dict[Path, list[float]] = {}  # in the order of the table, with the attributes of each
    skipped: list[str] = []
    base = folder / "images" if (folder / "images").is_dir() else folder
    for line, row in _filled(table, rows, len(heading)):
        file, reason = _named_file(base, row[0].strip())
        if file in files:
            reason = f"{row[0]}: named twice in {TABLE}"
        if reason:
            skipped.append(reason)
        else:
            files[file] = [_number(cell, table, line, name) for cell, name in zip(row[1:], names, strict=True)]
    if not files:
        raise DataError(f"{table} names no picture that exists in {base}; the first: {skipped[0]}.")
    unnamed = [file for file in _pictures_in(base, deep=True)[0] if file not in files]
    skipped += [f"{_relative(file, base)}: has no line in {TABLE}" for file in unnamed]
    return Listing(
        tuple(files),
        tuple(_relative(file, base) for file in files),
        attributes=_as_attributes(np.array(list(files.values()), np.float32)),
        attribute_names=names,
        skipped=tuple(skipped),
    )


def _rows_of(table: Path) -> tuple[list[str], list[list[str]]]:
    """The first line, and those below it."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as opened:
            heading, *rows = list(csv.reader(opened)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} is not a UTF-8 table separated by commas ({error}).") from error
    if not rows or len(heading) < 2:
        raise DataError(f"{table} needs a first line 'file,Name,…' and one line for each picture.")
    return heading, rows


def _filled(table: Path, rows: list[list[str]], columns: int) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, its cells) of those that are not empty."""
    for line, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != columns:
            raise DataError(f"{table}, line {line} has {len(row)} columns; the first line has {columns}.")
        yield line, row


def _column_names(table: Path, heading: list[str]) -> tuple[str, ...]:
    """Of the attributes, which are all columns but the first."""
    names = tuple(name.strip() for name in heading[1:])
    if len(set(names)) != len(names) or not all(names):
        raise DataError(f"{table}: the columns need names that differ; they are {', '.join(names)}.")
    return names


def _named_file(base: Path, name: str) -> tuple[Path, str]:
    """The file a line names, and why it cannot be used ("" when it can)."""
    file = base / name
    if PurePosixPath(name.replace("\\", "/")).is_absolute() or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        return file, f"{name}: points outside the folder"
    return file, "" if name and file.is_file() else f"{name or 'an empty name'}: does not exist"


def _number(cell: str, table: Path, line: int, column: str) -> float:
    if not cell.strip():
        return math.nan
    try:
        return float(cell)
    except ValueError:
        raise DataError(f"{table}, line {line}, column '{column}': '{cell}' is not a number.") from None


def _as_attributes(values_NA: NDArray[np.float32]) -> NDArray[np.float32]:
    """Columns of -1 and 1 become 0 and 1; others stay the numbers they are."""
    result = values_NA.copy()
    for column in result.T:
        known = column[~np.isnan(column)]
        if len(known) and np.isin(known, (-1, 1)).all():
            column[column == -1] = 0
    return result
