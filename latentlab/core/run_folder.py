"""The folder of a training run as somebody reads who watches it: notes, curves, sheets and maps of its epochs.

Everything is written by `latentlab-train`, atomically; what is damaged or missing is left out. No torch here.
Shapes: E epochs, N pictures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import ENDING
from latentlab.core.errors import DataError
from latentlab.core.spaces import FloatArray

CONFIG, METRICS, SHEETS, MAPS = "config.json", "metrics.jsonl", "samples", "map"
CHECKPOINT, STATE = f"checkpoint{ENDING}", Path("resume", "state.pt")
TRAIN, HELD_OUT = "train", "held_out"
COUNTS = ("epoch", "step", "seconds", "images_per_second")  # of a line that are no loss
LARGEST_MAP = 4 << 20  # bytes, unpacked; those that are written are a few KB
NUMBERED = re.compile(r"(.+)-(\d{4,9})\.(png|npz)")

Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class LossCurve:
    """One loss of one split: float64 (E,) values after so many epochs and steps, both int64 (E,)."""

    name: str
    split: str
    epochs_E: NDArray[np.int64]
    steps_E: NDArray[np.int64]
    values_E: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EpochMap:
    """Where the same pictures lie after an epoch, float32 (N, 2). `of`: components, latents or pictures."""

    of: str
    layout_N2: FloatArray
    drawn_N: NDArray[np.bool_]  # which are draws of a generator
    labels_N: NDArray[np.int64]  # -1: not known
    label_names: tuple[str, ...]
    share: float  # of the variance that two axes hold


@dataclass(frozen=True, eq=False)
class RunReading:
    """A run as its folder tells it at one moment."""

    folder: Path
    family: str
    data: str
    epochs: int  # how many there are to be
    stamp: Stamp = ()
    epochs_done: int = 0
    steps_done: int = 0
    seconds: float = 0.0  # of training, all epochs together
    images_per_second: float = 0.0  # of the last epoch
    curves: tuple[LossCurve, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()  # (epoch, what was said in it)
    sheets: Mapping[str, Mapping[int, Path]] = field(default_factory=dict)  # by kind and epoch
    maps: Mapping[int, EpochMap] = field(default_factory=dict)  # by epoch, each turned to lie as the one before
    checkpoint_ns: int = 0  # when it was last written; 0 where there is none
    resumable: bool = False

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    @property
    def done(self) -> bool:
        return 0 < self.epochs <= self.epochs_done

    @property
    def looks(self) -> list[int]:
        """Epochs that have anything to look at, in order."""
        return sorted({epoch for by_epoch in (*self.sheets.values(), self.maps) for epoch in by_epoch})


def is_run(folder: Path) -> bool:
    """Whether a folder is one of a training run."""
    try:
        _config(folder)
    except DataError:
        return False
    return True


def stamp_of(folder: Path) -> Stamp:
    """Changes whenever the trainer has saved anything in the folder."""
    return tuple(_stat(folder / name) for name in (CONFIG, METRICS, CHECKPOINT, STATE, SHEETS, MAPS))


def read_run(folder: Path, before: RunReading | None = None) -> RunReading:
    """The run in `folder`; maps that `before` holds are not read again. Raises DataError for a folder of another kind.

    Takes some milliseconds, and a tenth of a second for hundreds of epochs: not on the GUI thread.
    """
    stamp = stamp_of(folder)
    config = _config(folder)
    lines = _lines(folder / METRICS)
    trained = [line for line in lines if line.get("split") == TRAIN]
    last = trained[-1] if trained else {}
    return RunReading(
        folder=folder,
        family=str(config.get("family", "")),
        data=str(config.get("data", "")),
        epochs=_whole(config.get("epochs")),
        stamp=stamp,
        epochs_done=_whole(last.get("epoch")),
        steps_done=_whole(last.get("step")),
        seconds=sum(_number(line.get("seconds")) for line in trained),
        images_per_second=_number(last.get("images_per_second")),
        curves=_curves(lines),
        notes=tuple((_whole(line.get("epoch")), str(text)) for line in trained for text in _texts(line)),
        sheets=_numbered(folder / SHEETS, "png"),
        maps=_maps(_numbered(folder / MAPS, "npz").get("epoch", {}), {} if before is None else before.maps),
        checkpoint_ns=_stat(folder / CHECKPOINT)[0],
        resumable=(folder / STATE).is_file(),
    )


def read_map(path: Path) -> EpochMap | None:
    """A map of an epoch; None for a file that is none. Nothing is ever unpickled."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            if sum(part.file_size for part in content.zip.infolist()) > LARGEST_MAP:
                return None
            layout_N2 = np.asarray(content["layout"], np.float32)
            found = EpochMap(
                of=str(content["of"]),
                layout_N2=layout_N2,
                drawn_N=np.asarray(content["drawn"], bool),
                labels_N=np.asarray(content["labels"], np.int64),
                label_names=tuple(str(name) for name in content["label_names"].tolist()),
                share=float(content["share"]),
            )
    except Exception:  # noqa: BLE001 - zipfile and numpy raise ten classes for damaged files
        return None
    shaped = layout_N2.ndim == 2 and layout_N2.shape[1] == 2 and np.isfinite(layout_N2).all()
    return found if shaped and len(found.drawn_N) == len(found.labels_N) == len(layout_N2) else None


def turned_like(layout_N2: FloatArray, other_N2: FloatArray) -> FloatArray:
    """`layout_N2` turned, and mirrored where need be, to lie as `other_N2` does; distances stay (Procrustes)."""
    if layout_N2.shape != other_N2.shape:
        return layout_N2
    left, _, right = np.linalg.svd(layout_N2.T.astype(np.float64) @ other_N2.astype(np.float64))
    return np.asarray(layout_N2 @ (left @ right), np.float32)


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / CONFIG).read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{displayed(folder)} holds no run of latentlab-train; choose a folder named in --out."
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"The run in {displayed(folder)} cannot be read: {error}.") from None
    if not isinstance(found, dict) or "family" not in found or "epochs" not in found:
        raise DataError(f"{displayed(folder)} holds no run of latentlab-train: its {CONFIG} is of something else.")
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        texts = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:  # cut off by a kill
            continue
        if isinstance(line, dict) and _whole(line.get("epoch")) > 0:
            found.append(line)
    return found


def _curves(lines: list[dict[str, Any]]) -> tuple[LossCurve, ...]:
    """In the order in which the trainer names them, each with its split for training first."""
    rows: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
    for line in lines:
        at = _whole(line["epoch"]), _whole(line.get("step"))
        for name, value in line.items():
            if name not in COUNTS and isinstance(value, int | float) and not isinstance(value, bool):
                rows.setdefault((name, str(line.get("split"))), []).append((*at, float(value)))
    order = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in rows))}
    found = []
    for (name, split), points in sorted(rows.items(), key=lambda item: (order[item[0][0]], item[0][1] != TRAIN)):
        epochs, steps, values = zip(*points, strict=True)
        found.append(LossCurve(name, split, np.array(epochs), np.array(steps), np.array(values, np.float64)))
    return tuple(found)


def _maps(paths: Mapping[int, Path], before: Mapping[int, EpochMap]) -> dict[int, EpochMap]:
    found: dict[int, EpochMap] = {}
    previous: EpochMap | None = None
    newest = max(before, default=0)
    for epoch in sorted(paths):
        known = before.get(epoch) if epoch < newest else None  # the newest may have been trained again
        made = known or read_map(paths[epoch])
        if made is None:
            continue
        if known is None and previous is not None and made.of == previous.of == "components":
            layout_N2 = turned_like(made.layout_N2, previous.layout_N2)
            made = EpochMap(made.of, layout_N2, made.drawn_N, made.labels_N, made.label_names, made.share)
        found[epoch] = previous = made
    return found


def _numbered(folder: Path, ending: str) -> dict[str, dict[int, Path]]:
    """Files such as samples-0012.png by kind and number, in order."""
    found: dict[str, dict[int, Path]] = {}
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return found
    for name in names:
        if (match := NUMBERED.fullmatch(name)) and match[3] == ending:
            found.setdefault(match[1], {})[int(match[2])] = folder / name
    return found


def _texts(line: Mapping[str, Any]) -> list[Any]:
    """What was said in an epoch; of runs that noted only the names of alarms, these."""
    said = line.get("notes") or line.get("alarms")
    return said if isinstance(said, list) else []


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_mtime_ns, found.st_size


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
