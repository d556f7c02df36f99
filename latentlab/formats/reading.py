"""Opening a checkpoint of any format: recognised by content, read by the first reader that says it is its own.

A format is one subclass of `Format`, one line in `latentlab.core.registry.FORMATS`, one test.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, LatentlabError, OptionError, did_you_mean, few
from latentlab.core.latent_model import LatentModel
from latentlab.core.readings import checked_reading
from latentlab.core.registry import FORMATS
from latentlab.formats.causes import cause_of
from latentlab.formats.sniff import PROGRAMS, REASONS, WEIGHTS, Found, found, refusal

if TYPE_CHECKING:
    from torch import Tensor

NOISE = ("fixed", "none")
SAID = ("activation", "range", "latent", "picture", "noise")  # options of a file


@dataclass(frozen=True)
class Options:
    """What a file of weights alone does not say; empty where it is to be guessed, with a warning."""

    device: str = "auto"
    trust: bool = False  # the user vouches for a file that can run code
    activation: str = ""
    range: str = ""
    latent: tuple[int, ...] = ()  # the shape of one, where the file leaves it open
    picture: str = ""  # which of several outputs is the picture
    noise: bool = True  # the fixed noise that a StyleGAN adds to its maps

    @property
    def said(self) -> tuple[str, ...]:
        """Which of `SAID` a person has said."""
        return tuple(name for name in SAID if getattr(self, name) != getattr(UNSAID, name))

    def only(self, names: Collection[str]) -> Options:
        """Without what was said besides these."""
        return replace(self, **{name: getattr(UNSAID, name) for name in SAID if name not in names})


UNSAID = Options()


class Format(ABC):
    """A reader of one kind of files, made anew for each file: it keeps nothing."""

    takes: ClassVar[tuple[str, ...]] = ()  # the names of `SAID` that its files may leave open

    @abstractmethod
    def recognises(self, file: Found) -> bool:
        """Whether the file is of this format, from its content; quick, and nothing in it is run."""

    @abstractmethod
    def open(self, file: Found, options: Options) -> LatentModel:
        """The model. Raises CheckpointError; any other exception becomes one that names the file."""

    def taken(self, file: Found) -> Collection[str]:
        """Which of `SAID` this file may leave open: all else that a person says is refused."""
        return self.takes

    def weights(self, file: Found) -> Mapping[str, Tensor]:
        """What a native checkpoint stores of the file: tensors by name, from which `open` makes the same model."""
        from latentlab.formats.state_dict import read_state_dict

        return read_state_dict(file)

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        """What it stores of the documents beside the file, by the names that `open` asks `sidecar.described` for."""
        return {}


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
        key, reader = entry_of(file)
        if reader is None:
            raise CheckpointError(_unknown_weights(file))
        _check_taken(file, FORMATS[key].title, options, reader.taken(file))
        return reader.open(file, options)
    except LatentlabError:
        raise
    except Exception as error:
        cause = f"it has no weight {error}" if isinstance(error, KeyError) else cause_of(error)
        raise CheckpointError(
            f"{displayed(file.path)} cannot be opened: {cause}. The network was changed or the "
            "file is damaged; copy or export it again."
        ) from error
    finally:
        if file.kind in WEIGHTS:
            from latentlab.formats.state_dict import read_state_dict

            read_state_dict.cache_clear()


def shared_out(paths: Sequence[Path], options: Options) -> list[Options]:
    """For each file the options that it takes; those that none of them takes stay, and are refused when one is opened.

    Raises CheckpointError.
    """
    files = [found(path) for path in paths]
    readers = [entry_of(file)[1] for file in files]
    taken = [set[str]() if reader is None else reader.taken(file) for file, reader in zip(files, readers, strict=True)]
    in_vain = set(options.said).difference(*taken)
    return [options.only({*own, *in_vain}) for own in taken]


def entry_of(file: Found) -> tuple[str, Format | None]:
    """The reader of a file with its key in `FORMATS`; None when no format is its own.

    Raises CheckpointError for a file that is not sound.
    """
    for key, entry in FORMATS.items():
        reader: Format = entry.load()()
        if reader.recognises(file):
            return key, reader
    return "", None


def _check_taken(file: Found, title: str, options: Options, takes: Collection[str]) -> None:
    """Raises CheckpointError where something was said that files of this format state themselves."""
    vain = [f"--{name}" for name in options.said if name not in takes]
    if vain:
        raise CheckpointError(
            f"{displayed(file.path)} is of the format '{title}', whose files state this themselves. "
            f"Leave {' and '.join(vain)} out."
        )


def checked_options(device: str, trust: bool, options: Mapping[str, Any]) -> Options:
    """Raises OptionError for an activation, range, size or switch that does not exist."""
    for name in options:
        if name not in SAID:
            raise OptionError(f"There is no option '{name}'.{did_you_mean(name, SAID)}")
    texts = {name: "" if options.get(name) is None else str(options[name]) for name in SAID}
    said = checked_reading(texts["activation"], texts["range"])
    noise = texts["noise"] or NOISE[0]
    if noise not in NOISE:
        raise OptionError(f"There is no noise '{noise}'. Known: {', '.join(NOISE)}.")
    return Options(
        device,
        trust,
        said["activation"],
        said["range"],
        _latent_shape(texts["latent"]),
        texts["picture"],
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
        f"{shown} {what} weights of a network that is not known ({few(list(state), 4)}; {len(state)} in all). "
        "Export its decoder as ONNX, or call latentlab.explore(decoder) in Python."
    )
