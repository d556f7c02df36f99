"""Damaged and hostile variants of a file of every format, and what must become of each: it opens, or is refused.

`python -m tests.formats.mutating FOLDER PER_TRIAL SEED FIRST` tries them all and prints a line for each, for
benchmarks/mutations.py, which watches over it from another process.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import pickle
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from latentlab.cli import main
from latentlab.command_line import commands
from latentlab.core.checkpoint_file import Header, read_header, read_weights, write_checkpoint
from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint
from tests.formats.samples import FILES, NATIVE, PROGRAMS
from tests.formats.stylegan2_samples import Sizes, random_weights
from tests.formats.stylegan_pickles import network_pickle

MARK = "it ran"
_command = functools.lru_cache(commands.command)  # building the command line takes longer than what it is asked


class Planted:
    """Pickled, this leaves a folder behind when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def planted(folder: Path, kind: str) -> Path:
    path, bad = folder / "planted.pt", Planted(folder / MARK)
    content = {"main.0.weight": torch.zeros(5, 4, 4, 4), "extra": bad}
    if kind == "pickle":
        path.write_bytes(pickle.dumps(content))
    elif kind == "StyleGAN pickle":
        path.write_bytes(network_pickle(random_weights(Sizes(channels=(5, 4))), extra=bad))
    elif kind == "TorchScript":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {
                "data.pkl": pickle.dumps(content), "constants.pkl": pickle.dumps((bad,)), "version": b"3\n",
                "code/__torch__.py": b"",
            }.items():  # fmt: skip
                archive.writestr(f"m/{name}", data)
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "torch")
    return path


HOSTILE = {
    f"planted {kind}": lambda folder, kind=kind: planted(folder, kind)
    for kind in ("torch", "legacy", "pickle", "StyleGAN pickle", "TorchScript")
}
ALL: dict[str, Callable[[Path], Path]] = {**FILES, **NATIVE, **PROGRAMS, **HOSTILE}
DESCRIBED = ("pythae", "AutoencoderKL")
TRIALS = (
    *((kind, "bytes") for kind in ALL),
    *((kind, "content") for kind in (*FILES, *NATIVE) if kind != "StyleGAN2 (NVIDIA)"),
    *((kind, "description") for kind in DESCRIBED),
)


def mutated(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Flips, cuts, repeats and large numbers; most of them at the ends, where headers and tables are."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            near = int(rng.choice([min(4000, len(changed)), len(changed)]))
            place = int(rng.integers(0, max(1, near)))
            if rng.random() < 0.3:
                place = max(0, len(changed) - 1 - place)
            kind = int(rng.integers(0, 6))
            if kind == 0:
                changed[place : place + 1] = bytes([int(rng.integers(0, 256))])
            elif kind == 1:
                changed[place : place + 4] = b"\xff\xff\xff\x7f"
            elif kind == 2:
                del changed[place : place + int(rng.integers(1, 40))]
            elif kind == 3:
                changed[place:place] = changed[place : place + int(rng.integers(1, 40))]
            elif kind == 4 and changed:
                changed[place : place + 1] = bytes(
                    [changed[min(place, len(changed) - 1)] ^ (1 << int(rng.integers(8)))]
                )
            elif rng.random() < 0.3:
                del changed[place:]
            if not changed:
                changed = bytearray(b"\x80")
        yield bytes(changed)


def reshaped(state: dict[str, torch.Tensor], rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Sound files with unsound content: layers dropped, renamed, of other shapes and types."""
    out = dict(state)
    for name in rng.choice(list(state), int(rng.integers(1, 4))):
        value = out.pop(name, torch.zeros(1))
        kind = int(rng.integers(0, 7))
        if kind == 1:
            out[f"{name}.0"] = value
        elif kind == 2:
            out[name] = torch.zeros([int(size) for size in rng.integers(0, 9, int(rng.integers(0, 6)))])
        elif kind == 3:
            out[name] = value.to([torch.int32, torch.float64, torch.complex64, torch.bool][int(rng.integers(4))])
        elif kind == 4:
            out[name] = value.transpose(0, -1).contiguous() if value.ndim else value
        elif kind == 5:
            out[name] = torch.full_like(value, float("nan")) if value.is_floating_point() else value
        elif kind == 6:
            out[name] = value[: max(1, len(value) // 2)].clone() if value.ndim else value
    return out


def variants(path: Path, mode: str, count: int, seed: int) -> Iterator[Path]:
    """The path of each variant in turn, written over the sound file."""
    if mode == "bytes":
        for data in mutated(path.read_bytes(), count, seed):
            path.write_bytes(data)
            yield path
    elif mode == "description":
        config = next(path.parent.glob("*config.json"))
        for data in mutated(config.read_bytes(), count, seed):
            config.write_bytes(data)
            yield path.parent
    else:
        rng, write = np.random.default_rng(seed), _writer(path)
        for _ in range(count):
            write(rng)
            yield path


def _writer(path: Path) -> Callable[[np.random.Generator], None]:
    if path.name == "native.safetensors":
        header, weights = read_header(path), read_weights(path)
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}

        def native(rng: np.random.Generator) -> None:
            state = reshaped(tensors, rng) if rng.random() < 0.5 else tensors
            document = _reworded(header.model_dump(mode="json"), rng)
            with contextlib.suppress(Exception), warnings.catch_warnings():  # what cannot be written stays as it was
                warnings.simplefilter("ignore")  # of values that are not of the stated type
                plain = {name: value.numpy() for name, value in state.items() if value.dtype != torch.complex64}
                write_checkpoint(path, Header.model_construct(**document), plain)

        return native
    if path.suffix == ".safetensors":
        state = load_file(path)
        return lambda rng: save_file(reshaped(state, rng), path)
    loaded = torch.load(path, weights_only=True)
    inner = next((value for value in loaded.values() if isinstance(value, dict)), loaded)
    wrapped = next((key for key, value in loaded.items() if value is inner), None)
    return lambda rng: torch.save({wrapped: reshaped(inner, rng)} if wrapped else reshaped(inner, rng), path)


def _reworded(document: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A header with other values in a few places, of the same and of other types."""
    odd: list[Any] = [0, -1, 2**31, 2**63, 1e30, "", "x", [], {}, None, True, [2**31], {"a": 1}, "vae", "foreign"]
    changed: dict[str, Any] = json.loads(json.dumps(document))
    for _ in range(int(rng.integers(1, 4))):
        place: Any = changed
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = keys[int(rng.integers(len(keys)))]
            if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.8:
                place = place[key]
                continue
            place[key] = odd[int(rng.integers(len(odd)))]
            break
    return changed


def outcome(path: Path) -> str:
    """ "opened" or "refused". AssertionError where `info` ends with another status, or another error is raised."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # torch warns of what it is about to refuse
        with contextlib.redirect_stderr(io.StringIO()) as said, mock.patch.object(commands, "command", _command):
            status = main(["info", str(path), "--device", "cpu"])
        assert status in (0, 2), f"info ends with {status}: {said.getvalue()}"
        assert status == 0 or said.getvalue().strip(), "refused without a word"
        assert "Traceback" not in said.getvalue()
        if status == 2:
            return "refused"
        try:  # of a native checkpoint `info` reads the header alone
            model = open_checkpoint(path, device="cpu")
        except CheckpointError:
            return "refused"
        image = model.info.image
        assert model.decode(model.sample(1)).shape == (1, image.height, image.width, image.channels)
    return "opened"


def peak_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(folder: Path, per_trial: int, seed: int, first: int) -> None:
    """Lines of JSON: what is tried, its outcome, how long it took, the peak of memory above the sound files'."""
    torch.set_num_threads(1)
    sound: dict[str, int] = {}
    for number, kind in enumerate(ALL):
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
        path = ALL[kind](folder / str(number))
        sound[kind] = path.stat().st_size
        outcome(path)
    before, largest = peak_bytes(), max(sound.values())
    _say({"ready": before, "largest_bytes": largest, "trials": len(TRIALS)})
    for number, (kind, mode) in enumerate(TRIALS):
        if number < first:
            continue
        inside = folder / f"trial {number}"
        inside.mkdir(exist_ok=True)
        path = ALL[kind](inside)
        for index, variant in enumerate(variants(path, mode, per_trial, seed + number)):
            began_s = time.monotonic()
            try:
                result = outcome(variant)
            except BaseException as error:  # noqa: BLE001 - each is what is looked for
                result = f"{type(error).__name__}: {str(error)[:300]}"
            if (inside / MARK).exists():
                result = "planted code ran"
            line = {"trial": number, "kind": kind, "mode": mode, "index": index, "outcome": result,
                    "duration_s": time.monotonic() - began_s, "peak": peak_bytes() - before}  # fmt: skip
            _say(line)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
