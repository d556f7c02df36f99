"""Every kind of file latentlab writes, saved over an older one while the disk is full or the process is killed.

A save is a function of a target and of whether the old or the new content is wanted, so that what lies there afterwards
can be compared, byte by byte, with what should. Killing: `Zygote` imports everything once, forks for each save, and
kills the fork at a moment of it; run as `python -m benchmarks.saving`.

Shapes: B batch, D latent, H W C of pictures.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Self, cast

import numpy as np

from latentlab.core.errors import SaveError
from latentlab.core.latent_model import Images, ImageShape, LatentModel, ModelInfo
from latentlab.core.spaces import FloatArray, LatentSpace

ROOT = Path(__file__).resolve().parent.parent
DIM = 2000  # numbers of a latent: files of some tens of kilobytes
WALK_DIM = 100  # every frame carries its latent
SIDE_PX = 24
SEED = {False: 1, True: 2}  # of the old and of the new content
TINY_DISK = "256k"
FILLER = "filler"
WHOLE = 5  # saves that are measured before any is killed
BEYOND = 1.2  # how much longer than a save its kills are spread: not all of them fall before the rename
Content = bytes | dict[str, bytes] | None  # of a file, of a folder by name, of nothing


class Noise:
    """Decodes a latent to pixels that no format compresses well; what `export_walk` needs of a model."""

    info = ModelInfo(
        path="noise",
        format="native",
        family="vae",
        image=ImageShape(SIDE_PX, SIDE_PX, 3),
        spaces=(LatentSpace("z", (DIM,)),),
        encoder=False,
        sha256="noise",
    )

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: object = None) -> Images:
        seeds_B = (1000 * np.abs(latents[:, 0])).astype(int)
        shape = (SIDE_PX, SIDE_PX, 3)
        return np.stack([np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8) for seed in seeds_B])


class Silent:
    """A report nobody reads."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        pass

    def partial(self, value: Any) -> None:
        pass


def _latents(new: bool, count: int = 1) -> FloatArray:
    return np.random.default_rng(SEED[new]).standard_normal((count, DIM)).astype(np.float32)


def _session(target: Path, new: bool) -> None:
    from latentlab.core import project_file
    from latentlab.core.state import State

    origin, base = _latents(new, 2)
    project_file.save(target, State(origin=origin, base=base, name="new" if new else "old"))


def _checkpoint(target: Path, new: bool) -> None:
    from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, write_checkpoint
    from latentlab.core.encodings import EncodingSet

    header = Header(
        family="vae",
        architecture={"name": "vae"},
        spaces=[SpaceSpec(shape=[DIM])],
        image=ImageSpec(height=8, width=8, channels=1),
    )
    write_checkpoint(target, header, {"weights": _latents(new, 4)}, EncodingSet(_latents(new, 6)))


def _settings(target: Path, new: bool) -> None:
    from latentlab.core.settings import Settings

    settings = Settings.load(target.with_name("there are none"))
    settings._path = target
    settings.window_layout = "new!" * 9000 if new else "old!" * 8000
    settings.save()


def _directions(target: Path, new: bool) -> None:
    from latentlab.core.direction_file import save_directions
    from latentlab.core.directions import Direction

    save_directions(target, [Direction("Eyeglasses", _latents(new)[0], method="balanced means")])


def _encodings(target: Path, new: bool) -> None:
    from dataclasses import replace

    from latentlab.core.encodings import EncodingSet
    from latentlab.core.encodings_file import ENDING, write_encodings

    info = replace(Noise.info, path=str(target).removesuffix(ENDING))
    write_encodings(info, EncodingSet(_latents(new, 8)))


def _picture(target: Path, new: bool) -> None:
    from latentlab.core.atomic import atomic_write
    from latentlab.core.recipe import Recipe
    from latentlab.core.recipe_png import png_bytes

    picture = np.random.default_rng(SEED[new]).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    atomic_write(target, png_bytes(picture, Recipe(checkpoint="noise", latent=_latents(new)[0].tolist())))


def _walk(target: Path, new: bool) -> None:
    from latentlab.engine.exporting import WalkExport, export_walk, kind_of

    if not target.suffix and not new:
        return  # frames go into a folder of their own: there is no older one
    export = WalkExport(_latents(new, 2)[:, :WALK_DIM], target, kind_of(target), seconds=1.0, fps=12)
    export_walk(cast("LatentModel", Noise()), export, Silent())


def _run_state(target: Path, new: bool) -> None:
    import torch

    from training.resume import save

    save(target.parent, {"weights": torch.from_numpy(_latents(new, 4)), "step": 1})


def _prepared(target: Path, new: bool) -> None:
    from training.data.archive import save
    from training.data.dataset import Dataset

    images = np.random.default_rng(SEED[new]).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    save(target, Dataset("noise", images))


@dataclass(frozen=True)
class Save:
    """`write(target, new)` replaces the file of this name.

    `torch`: what it needs takes a second to import. `elsewhere`: another folder takes what this one cannot.
    """

    name: str
    file: str
    write: Callable[[Path, bool], None]
    torch: bool = False
    elsewhere: bool = False


SAVES = {
    save.name: save
    for save in (
        Save("session", "work.latentlab", _session),
        Save("checkpoint", "model.safetensors", _checkpoint),
        Save("picture", "picture.png", _picture),
        Save("GIF", "walk.gif", _walk),
        Save("MP4", "walk.mp4", _walk),
        Save("strip", "walk.png", _walk),
        Save("frames", "frames", _walk),
        Save("settings", "settings.json", _settings),
        Save("directions", "attributes.json", _directions),
        Save("encodings", "model.pt.encodings.safetensors", _encodings, elsewhere=True),
        Save("state of a run", "state.pt", _run_state, torch=True),
        Save("prepared data", "data.npz", _prepared, torch=True),
    )
}


def content(target: Path) -> Content:
    if target.is_dir():
        return {path.name: path.read_bytes() for path in sorted(target.iterdir())}
    if target.suffix == ".npz" and target.exists():  # numpy notes the time in it
        with np.load(target) as arrays:
            return {name: arrays[name].tobytes() for name in arrays}
    return target.read_bytes() if target.exists() else None


def both(save: Save, scratch: Path) -> tuple[Path, Path]:
    """(old, new): what lies at the target before and after a save that nothing disturbs."""
    made = []
    for new in (False, True):
        folder = scratch / f"{save.name} {new:d}"
        folder.mkdir()
        save.write(folder / save.file, new)
        made.append(folder / save.file)
    assert content(made[0]) != content(made[1])
    return made[0], made[1]


def restore(target: Path, old: Path) -> None:
    """Puts `old` there again and clears away what a killed process could not."""
    for path in target.parent.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if old.exists():
        shutil.copyfile(old, target)


def size_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size


# --- a full disk -----------------------------------------------------------------------------------------------


@contextmanager
def tiny_disk(folder: Path) -> Iterator[bool]:
    """A file system of 256 KB mounted on `folder`; False where this process may not mount one."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={TINY_DISK}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def kept_where_nothing_may_be_written(save: Save, disk: Path, scratch: Path) -> str:
    """As `kept_on_a_full_disk`, on a disk that has become read-only."""
    target = disk / save.file
    old, _new = both(save, scratch)
    restore(target, old)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    return kept(save, target, old, "disk is read-only")


def kept_on_a_full_disk(save: Save, disk: Path, scratch: Path, share: float) -> str:
    """Empty where the promise was kept with room on `disk` for `share` of the new file; else what was wrong."""
    target = disk / save.file
    old, new = both(save, scratch)
    restore(target, old)
    _fill(disk, int(size_bytes(new) * share))
    return kept(save, target, old)


def kept(save: Save, target: Path, old: Path, cause: str = "disk is full") -> str:
    """Saves where it cannot work. Empty where `cause` was said and `old` still lies there; else what was wrong."""
    said = ""
    try:
        save.write(target, True)
    except SaveError as error:
        said = str(error)
    left = {path.name for path in target.parent.iterdir()} - {target.name, FILLER}
    if content(target) != content(old):
        return "the old file has changed"
    if left:
        return f"left behind: {sorted(left)}"
    if not save.elsewhere and not (str(target) in said and cause in said):
        return f"said: {said}" if said else "nothing was said"
    return ""


def _fill(disk: Path, room: int) -> None:
    """Takes all of the disk but `room` bytes."""
    free = os.statvfs(disk)
    with suppress(OSError), open(disk / FILLER, "wb", buffering=0) as filler:
        filler.write(bytes(max(0, free.f_bavail * free.f_frsize - room)))


# --- kill -9 ---------------------------------------------------------------------------------------------------


class Zygote:
    """A process that forks for each save, so that killing one costs no imports."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.saving"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, save: Save, target: Path, killed_after_s: float | None) -> float:
        """One save of the new content; the seconds it took, NaN where it was killed before its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([save.name, str(target), killed_after_s]) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@dataclass
class Killed:
    """What was found after so many kills."""

    old: int = 0
    new: int = 0
    torn: int = 0

    def count(self, target: Path, old: Path, new: Path) -> None:
        try:
            left = content(target)
        except (OSError, ValueError, zipfile.BadZipFile):
            left = b"torn"
        if left == content(old):
            self.old += 1
        elif left == content(new):
            self.new += 1
        else:
            self.torn += 1


def killed(zygote: Zygote, save: Save, folder: Path, scratch: Path, times: int, seed: int = 0) -> Killed:
    """Kills a save at random moments of it, from its first instruction to a little after its last."""
    target, found, rng = folder / save.file, Killed(), random.Random(seed)
    old, new = both(save, scratch)
    spent_s = []
    for _ in range(WHOLE):
        restore(target, old)
        spent_s.append(zygote.save(save, target, None))
    whole_s = statistics.median(spent_s)
    for _ in range(times):
        restore(target, old)
        zygote.save(save, target, rng.uniform(0, BEYOND * whole_s))
        found.count(target, old, new)
    return found


def serve(orders: IO[str], answers: IO[str]) -> None:
    """The zygote: forks for each order, kills the fork when it is due, and says how long it took."""
    known: set[str] = set()
    for order in orders:
        name, target, due_s = json.loads(order)
        save = SAVES[name]
        if name not in known:  # once here, so that the forks need not import what it needs
            known.add(name)
            with TemporaryDirectory() as folder:
                save.write(Path(folder) / save.file, True)
        began, begins = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(begins, b".")
                save.write(Path(target), True)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(begins)
        os.read(began, 1)
        os.close(began)
        begin_s = time.perf_counter()
        if due_s is not None:
            while time.perf_counter() < begin_s + due_s:
                pass  # sleeping is too coarse for saves of a millisecond
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        spent_s = time.perf_counter() - begin_s if status == 0 else float("nan")
        print(spent_s, file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
