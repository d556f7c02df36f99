"""What can be said of the options of a command before torch is imported and anything is opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from latentlab.command_line.asking import asked_condition, how_to_ask
from latentlab.command_line.options import Asking, Edits
from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import ENDING, is_native, model_info, read_encodings, read_header
from latentlab.core.direction_file import load_directions
from latentlab.core.directions import NO_ATTRIBUTES
from latentlab.core.encodings_file import encodings_beside
from latentlab.core.errors import OptionError, SaveError, did_you_mean
from latentlab.core.fitting import direction_names
from latentlab.formats import found

COUNT_AT_MOST = 10_000
SHEET_PIXELS_AT_MOST = 100_000_000


def strengths_of(attributes: Sequence[str]) -> dict[str, float]:
    """From "Eyeglasses=1.5"; a name alone is 1."""
    strengths: dict[str, float] = {}
    for text in attributes:
        name, sign, number = text.rpartition("=")
        if not sign:
            name, number = text, "1"
        try:
            strengths[name] = float(number)
        except ValueError:
            raise OptionError(f"--attribute {text}: '{number}' is not a number. Write it as NAME=1.5.") from None
        if not name or not math.isfinite(strengths[name]):
            raise OptionError(f"--attribute {text} is not understood. Write it as NAME=1.5.")
    return strengths


def seeds_of(text: str) -> list[int]:
    """From "1,2,3"."""
    try:
        seeds = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise OptionError(f"--seeds {text} is not understood. Write whole numbers, as in 1,2,3.") from None
    if not 2 <= len(seeds) <= 1000:
        raise OptionError(f"--seeds {text} names {len(seeds)} keyframes; a walk needs 2 to 1,000.")
    for seed in seeds:
        check_seed(seed)
    return seeds


def check_count(count: int, option: str = "--count", least: int = 1, most: int = COUNT_AT_MOST) -> None:
    if not least <= count <= most:
        raise OptionError(f"{option} is {count}; it must be {least} to {most:,}.")


def check_seed(seed: int) -> None:
    if seed < 0:
        raise OptionError(f"The seed {seed} is negative; use 0 or more.")


def check_truncation(truncation: float) -> None:
    if not math.isfinite(truncation) or not 0 <= truncation <= 10:
        raise OptionError(f"--truncation is {truncation}; it must be 0 to 10, and 1 is none.")


def check_scale(scale: int) -> None:
    if not 1 <= scale <= 64:
        raise OptionError(f"--scale is {scale}; it must be 1 to 64.")


def check_sheet(pictures: int, height: int, width: int, scale: int) -> None:
    """Before it is decoded."""
    if pictures * height * width * scale**2 > SHEET_PIXELS_AT_MOST:
        raise OptionError(
            f"The sheet would have more than {SHEET_PIXELS_AT_MOST:,} pixels; ask for fewer pictures or lower --scale."
        )


def check_png(output: Path) -> None:
    if output.suffix.lower() != ".png":
        raise OptionError(f"{displayed(output)} does not end in .png; pictures are saved as PNG with their recipe.")
    check_folder(output)


def check_native_name(output: Path) -> None:
    if output.suffix.lower() != ENDING:
        raise OptionError(f"{displayed(output)} does not end in {ENDING}; a native checkpoint does.")
    check_folder(output)


def check_folder(output: Path) -> None:
    """Before the work is done, not after."""
    if not output.absolute().parent.is_dir():
        raise SaveError(f"Cannot save {displayed(output)}: its folder does not exist. Create it or choose another.")


def check_names(checkpoint: Path, edits: Edits, asking: Asking) -> None:
    """Of attributes and the condition, as far as a native file says them without being opened."""
    names = [*strengths_of(edits.attribute), *edits.lock]
    others = [] if edits.directions is None else [one.name for one in load_directions(edits.directions)]
    path = found(checkpoint).path
    if not is_native(path):
        return
    info = model_info(path, read_header(path))
    asked_condition(info, asking.class_, asking.condition)
    if names:
        encodings = encodings_beside(info).encodings or read_encodings(path)
        known = others + ([] if encodings is None else direction_names(info.not_asked(encodings)))
        for name in names:
            if name not in known:
                hint = how_to_ask(info, name) or did_you_mean(name, known)
                raise OptionError(f"There is no attribute '{name}'.{hint or NO_ATTRIBUTES}")
