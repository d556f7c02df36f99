"""Opening a checkpoint of any format: recognised by content, read by the first reader that says it is its own.

A format is one class with `recognises` and `open`, one line in `latentlab.core.registry.FORMATS`, one test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, LatentlabError, OptionError, did_you_mean
from latentlab.core.latent_model import LatentModel
from latentlab.core.readings import checked_reading
from latentlab.core.registry import FORMATS
from latentlab.formats.sniff import PROGRAMS, REASONS, WEIGHTS, Found, found, refusal

NOISE = ("fixed", "none")
SAID = ("activation", "range", "latent", "picture", "noise")  # options of a file


@dataclass(frozen=True)
class Options:
    """What a file of weights alone does not say; empty where it is to be guessed, with a warning."""

    device: str = "auto"
    trust: bool = False  # the user vouches for a file that can run code
    activation: str = ""
    range: str = ""
    latent_shape: tuple[int, ...] = ()  # of one latent, where the file leaves it open
    picture: str = ""  # which of several outputs is the picture
    noise: bool = True  # the fixed noise that a StyleGAN adds to its maps


class Format(Protocol):
    def recognises(self, file: Found) -> bool:
        """Whether the file is of this format, from its content; quick, and nothing in it is run."""

    def open(self, file: Found, options: Options) -> LatentModel:
        """The model. Raises CheckpointError."""


def open_checkpoint(
    path: Path, device: str = "auto", trust: bool = False, options: Mapping[str, Any] | None = None
) -> LatentModel:
    """The model in a checkpoint or run folder. Raises CheckpointError, OptionError for an unknown device or option."""
    return open_whole(found(Path(path)), checked_options(device, trust, options or {}))


def open_whole(file: Found, options: Options) -> LatentModel:
    """The model in a file that has been found, with the encodings kept beside it. Raises CheckpointError."""
    from latentlab.formats.kept_encodings import with_kept_encodings

    return with_kept_encodings(open_file(file, options))


def open_file(file: Found, options: Options) -> LatentModel:
    """The model in a file that has been found, as the file alone gives it. Raises CheckpointError."""
    if file.kind in REASONS and file.kind not in PROGRAMS:
        raise refusal(file)
    try:
        reader = reader_of(file)
        if reader is None:
            raise CheckpointError(_unknown_weights(file))
        return reader.open(file, options)
    except LatentlabError:
        raise
    except Exception as error:
        cause = f"it has no weight {error}" if isinstance(error, KeyError) else str(error).strip() or repr(error)
        raise CheckpointError(
            f"{displayed(file.path)} cannot be opened: {cause.splitlines()[0][:200]}. The network was changed or the "
            "file is damaged; copy or export it again."
        ) from error
    finally:
        if file.kind in WEIGHTS:
            from latentlab.formats.state_dict import read_state_dict

            read_state_dict.cache_clear()


def reader_of(file: Found) -> Format | None:
    """The reader of a file; None when no format is its own. Raises CheckpointError for a file that is not sound."""
    return entry_of(file)[1]


def entry_of(file: Found) -> tuple[str, Format | None]:
    """The same with its key in `FORMATS`."""
    for key, entry in FORMATS.items():
        reader: Format = entry.load()()
        if reader.recognises(file):
            return key, reader
    return "", None


def checked_options(device: str, trust: bool, options: Mapping[str, Any]) -> Options:
    """Raises OptionError for an activation, range, size or switch that does not exist."""
    for name in options:
        if name not in SAID:
            raise OptionError(f"There is no option '{name}'.{did_you_mean(name, SAID)}")
    said = checked_reading(str(options.get("activation") or ""), str(options.get("range") or ""))
    noise = str(options.get("noise") or NOISE[0])
    if noise not in NOISE:
        raise OptionError(f"There is no noise '{noise}'. Known: {', '.join(NOISE)}.")
    return Options(
        device,
        trust,
        said["activation"],
        said["range"],
        _latent_shape(str(options.get("latent") or "")),
        str(options.get("picture") or ""),
        noise == NOISE[0],
    )


def _latent_shape(text: str) -> tuple[int, ...]:
    """ "64" or "4x16x16"; nothing where nothing is said."""
    if text and not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){0,2}", text):
        raise OptionError(f"--latent {text[:40]} is no size of a latent. Write it as 64, or for maps as 4x16x16.")
    return tuple(int(size) for size in text.split("x")) if text else ()


def _unknown_weights(file: Found) -> str:
    from latentlab.formats.not_generators import kind_of_network
    from latentlab.formats.state_dict import read_state_dict

    shown, state = displayed(file.path), read_state_dict(file)
    if kind := kind_of_network(state):
        return f"{shown} is {kind}."
    what = "is a safetensors file, but no latentlab checkpoint: it holds" if file.kind == "safetensors" else "holds"
    return (
        f"{shown} {what} weights of a network that is not known ({', '.join(list(state)[:4])}, … {len(state)} "
        "tensors). Export its decoder as ONNX, or call latentlab.explore(decoder) in Python."
    )
