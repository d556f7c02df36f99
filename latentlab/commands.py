"""The commands of `latentlab`, without a window: info, render, edit, walk, encode, convert; and in files beside it.

Options are checked before torch is imported. Shapes: B pictures, D latent.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from latentlab.asking import asked_condition, how_to_ask
from latentlab.command_options import (
    Activation,
    Attributes,
    Checkpoint,
    ClassName,
    Conditions,
    CropText,
    Device,
    DirectionFile,
    Latent,
    Locks,
    Noise,
    Output,
    Range,
    Scale,
    Shown,
    Truncation,
    Trust,
    opened,
    options_of,
    say,
)
from latentlab.console import ConsoleReport
from latentlab.core.atomic import atomic_write, displayed
from latentlab.core.checkpoint_file import ENDING, is_native, model_info, read_encodings, read_header
from latentlab.core.condition import Condition
from latentlab.core.direction_file import load_directions
from latentlab.core.encodings_file import encodings_beside, write_encodings
from latentlab.core.errors import OptionError, SaveError, did_you_mean
from latentlab.core.fitting import direction_names
from latentlab.core.latent_model import LatentModel
from latentlab.core.pictures import Crop, read_picture
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_png import png_bytes
from latentlab.core.spaces import FloatArray
from latentlab.drawing import drawn
from latentlab.engine.exporting import WalkExport, check, export_walk, kind_of, tiled
from latentlab.formats import found

COUNT_AT_MOST = 10_000
SHEET_PIXELS_AT_MOST = 100_000_000
INVERSION_STEPS = 300

application = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=False
)


def command() -> Any:
    """The command line as a click command."""
    import latentlab.compare_command
    import latentlab.directions_command
    import latentlab.measure_command  # noqa: F401 - all add themselves

    return typer.main.get_command(application)


@application.callback(invoke_without_command=True)
def window(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """latentlab [CHECKPOINT | RUN_FOLDER | SESSION]: the window. Or one of the commands below, without it."""
    if version:
        import latentlab

        sys.stdout.write(f"latentlab {latentlab.__version__}\n")


@application.command()
def info(
    checkpoint: Checkpoint, device: Device = "auto", trust: Trust = False, activation: Activation = "",
    range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Print what a checkpoint is, as JSON."""
    from latentlab.description import describe

    document, warnings = describe(checkpoint, options_of(device, trust, activation, range_, size, shown, noise))
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    for warning in warnings:
        say(f"Warning: {warning}")


@application.command()
def render(
    checkpoint: Checkpoint, output: Output, count: Annotated[int, typer.Option(help="Pictures.")] = 16,
    seed: int = 0, truncation: Truncation = 1.0, attribute: Attributes = [],  # noqa: B006 - typer reads the default
    lock: Locks = [], directions: DirectionFile = None,  # noqa: B006
    class_: ClassName = "", condition: Conditions = [],  # noqa: B006
    columns: Annotated[int, typer.Option(help="0: about square.")] = 0, scale: Scale = 1,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Draw from the prior, edit, and save a sheet of pictures."""
    strengths = _strengths(attribute)
    _check_png(output)
    if not 1 <= count <= COUNT_AT_MOST:
        raise OptionError(f"--count is {count}; it must be 1 to {COUNT_AT_MOST:,}.")
    _check_truncation(truncation)
    _check_seed(seed)
    _check_scale(scale)
    options = options_of(device, trust, activation, range_, size, shown, noise)
    _check_names(checkpoint, [*strengths, *lock], class_, condition, directions)
    model = opened(checkpoint, options, directions)
    image = model.info.image
    if count * image.height * image.width * scale**2 > SHEET_PIXELS_AT_MOST:
        raise OptionError(f"The sheet would have more than {SHEET_PIXELS_AT_MOST:,} pixels; lower --count or --scale.")
    chosen = asked_condition(model.info, class_, condition)
    edited = partial(_edited, model, strengths=strengths, keep=lock)
    latents, space = drawn(model, [(count, seed)], truncation, chosen, edited)
    images = model.decode(latents, space=space, condition=chosen)
    sheet = tiled(images, columns if columns > 0 else math.ceil(math.sqrt(count)))
    _save(
        output, _enlarged(sheet, scale), model, latents, strengths, lock, chosen, f"samples of seed {seed}", space=space
    )


@application.command()
def edit(
    checkpoint: Checkpoint, output: Output, image: Annotated[Path, typer.Option(help="The picture to edit.")],
    attribute: Attributes = [],  # noqa: B006
    lock: Locks = [], directions: DirectionFile = None,  # noqa: B006
    crop: CropText = "centre", class_: ClassName = "", condition: Conditions = [],  # noqa: B006
    scale: Scale = 1,
    steps: Annotated[int, typer.Option(help="Of the optimisation, where the model has no encoder.")] = INVERSION_STEPS,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Find the latent of a picture, edit it, and save the result."""
    strengths = _strengths(attribute)
    _check_png(output)
    _check_scale(scale)
    picture = read_picture(image, crop=Crop.parse(crop))
    options = options_of(device, trust, activation, range_, size, shown, noise)
    _check_names(checkpoint, [*strengths, *lock], class_, condition, directions)
    model = opened(checkpoint, options, directions)
    _known(model, [*strengths, *lock])
    chosen = asked_condition(model.info, class_, condition)
    if chosen is not None and chosen.label is not None and model.info.conditional and not class_:
        say(f"The picture is taken as '{model.info.conditional[chosen.label]}'; say what it is with --class.")
    latent = _latent_of(model, picture, chosen, steps, image.name)
    latents = _edited(model, latent[None], strengths, lock)
    result = model.decode(latents, condition=chosen)[0]
    _save(output, _enlarged(result, scale), model, latents, strengths, lock, chosen, displayed(image.name), latent)


@application.command()
def walk(
    checkpoint: Checkpoint, output: Output,
    seeds: Annotated[str, typer.Option(help="Of the keyframes.")] = "1,2,3",
    seconds: float = 6.0, fps: int = 30, spherical: Annotated[bool, typer.Option("--spherical")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Return to the first keyframe.")] = False,
    strip: Annotated[bool, typer.Option("--strip", help="A row of stills instead of a film.")] = False,
    truncation: Truncation = 1.0, attribute: Attributes = [],  # noqa: B006
    lock: Locks = [], directions: DirectionFile = None,  # noqa: B006
    class_: ClassName = "", condition: Conditions = [],  # noqa: B006
    scale: Scale = 1,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Walk between draws from the prior: .gif, .mp4, a .png strip, or a folder of PNG frames."""
    strengths, numbers = _strengths(attribute), _seeds(seeds)
    _check_truncation(truncation)
    _check_folder(output)
    export = WalkExport(
        np.zeros((1, 1), np.float32), output, "strip" if strip else kind_of(output),
        "spherical" if spherical else "linear", loop, seconds, fps, scale=scale,
    )  # fmt: skip
    check(export)  # with any keyframe, before the seconds that opening a model takes
    options = options_of(device, trust, activation, range_, size, shown, noise)
    _check_names(checkpoint, [*strengths, *lock], class_, condition, directions)
    model = opened(checkpoint, options, directions)
    chosen = asked_condition(model.info, class_, condition)
    edited = partial(_edited, model, strengths=strengths, keep=lock)
    keyframes, space = drawn(model, [(1, seed) for seed in numbers], truncation, chosen, edited)
    export = replace(export, keyframes=keyframes, space=space, condition=chosen)
    with ConsoleReport("Walk") as report:
        exported = export_walk(model, export, report)
    for note in exported.notes:
        say(note)


@application.command()
def encode(
    checkpoint: Checkpoint,
    images: Annotated[Path, typer.Option(help="A folder: flat, class folders, or with attributes.csv.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A native checkpoint to write; else they are kept beside.")
    ] = None,
    crop: CropText = "centre", limit: Annotated[int, typer.Option(help="At most so many pictures; 0: all.")] = 0,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Encode a folder of pictures: kept beside the checkpoint, or saved with it in a new one (-o)."""
    if output is not None:
        _check_native_name(output)
    if not images.is_dir():
        raise OptionError(f"--images {displayed(images)} is not a folder.")
    cropping = Crop.parse(crop)
    options = options_of(device, trust, activation, range_, size, shown, noise)
    from latentlab.converting import write_native

    model = opened(checkpoint, options)
    from latentlab.measure.encoding import encode_folder

    with ConsoleReport("Encode") as report:
        encodings, skipped = encode_folder(model, images, crop=cropping, limit=limit or None, report=report)
    if output is not None:
        write_native(checkpoint, output, options, encodings)
    else:
        kept = write_encodings(model.info, replace(encodings, extra={}), images.resolve().name)
        say(f"Kept as {displayed(kept)}, where the window and every command find it.")
    say(f"{len(encodings):,} pictures encoded, {len(skipped):,} skipped.")
    for reason in skipped[:10]:
        say(f"  {reason}")


@application.command()
def convert(
    source: Checkpoint, target: Annotated[Path, typer.Argument(help="The native checkpoint to write.")],
    half: Annotated[bool, typer.Option("--half", help="Weights in float16, half the size.")] = False,
    device: Device = "auto", trust: Trust = False, activation: Activation = "", range_: Range = "",
    size: Latent = "", shown: Shown = "", noise: Noise = "",
) -> None:  # fmt: skip
    """Write a checkpoint as a native one."""
    _check_native_name(target)
    options = options_of(device, trust, activation, range_, size, shown, noise)
    from latentlab.converting import write_native

    write_native(source, target, options, half=half)


# --- options ---------------------------------------------------------------------------------------------------


def _strengths(attributes: Sequence[str]) -> dict[str, float]:
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


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise OptionError(f"--seeds {text} is not understood. Write whole numbers, as in 1,2,3.") from None
    if not 2 <= len(seeds) <= 1000:
        raise OptionError(f"--seeds {text} names {len(seeds)} keyframes; a walk needs 2 to 1,000.")
    for seed in seeds:
        _check_seed(seed)
    return seeds


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise OptionError(f"The seed {seed} is negative; use 0 or more.")


def _check_truncation(truncation: float) -> None:
    if not math.isfinite(truncation) or not 0 <= truncation <= 10:
        raise OptionError(f"--truncation is {truncation}; it must be 0 to 10, and 1 is none.")


def _check_scale(scale: int) -> None:
    if not 1 <= scale <= 64:
        raise OptionError(f"--scale is {scale}; it must be 1 to 64.")


def _check_png(output: Path) -> None:
    if output.suffix.lower() != ".png":
        raise OptionError(f"{displayed(output)} does not end in .png; pictures are saved as PNG with their recipe.")
    _check_folder(output)


def _check_native_name(output: Path) -> None:
    if output.suffix.lower() != ENDING:
        raise OptionError(f"{displayed(output)} does not end in {ENDING}; a native checkpoint does.")
    _check_folder(output)


def _check_folder(output: Path) -> None:
    """Before the work is done, not after."""
    if not output.absolute().parent.is_dir():
        raise SaveError(f"Cannot save {displayed(output)}: its folder does not exist. Create it or choose another.")


def _check_names(
    checkpoint: Path, names: Sequence[str], class_: str, condition: Sequence[str], directions: Path | None
) -> None:  # fmt: skip
    """Of attributes and the condition, as far as a native file says them without being opened."""
    others = [] if directions is None else [direction.name for direction in load_directions(directions)]
    path = found(checkpoint).path
    if not is_native(path):
        return
    info = model_info(path, read_header(path))
    asked_condition(info, class_, condition)
    if names:
        encodings = encodings_beside(info).encodings or read_encodings(path)
        known = others + ([] if encodings is None else direction_names(info.not_asked(encodings)))
        for name in names:
            if name not in known:
                hint = how_to_ask(info, name) or did_you_mean(name, known)
                raise OptionError(f"There is no attribute '{name}'.{hint}")


# --- work ------------------------------------------------------------------------------------------------------


def _known(model: LatentModel, names: Sequence[str]) -> None:
    for name in names:
        model.directions[name]  # raises OptionError with what is known


def _edited(model: LatentModel, latents: FloatArray, strengths: dict[str, float], keep: Sequence[str]) -> FloatArray:
    """(B, D) moved along each attribute, those in `keep` held."""
    if not strengths and not keep:
        return latents  # directions are not fitted for nothing
    _known(model, [*strengths, *keep])
    for name, strength in strengths.items():
        latents = model.directions[name].apply(latents, strength, keep)
    return latents


def _latent_of(model: LatentModel, picture: Any, condition: Condition | None, steps: int, name: str) -> FloatArray:
    """(D,) by the encoder, or by optimisation where there is none."""
    if model.info.encoder:
        return np.asarray(model.encode(picture[None], condition=condition)[0], np.float32)
    from latentlab.measure.inversion import invert
    from latentlab.models.inverter import load_inverter
    from latentlab.models.torch_model import TorchModel

    if not isinstance(model, TorchModel):
        raise OptionError("This model has no encoder, and its latents cannot be optimised.")
    inverter = load_inverter(Path(model.info.path)) if model.info.format == "native" else None
    with ConsoleReport("Invert") as report:
        found_latent = invert(
            model, picture, steps=steps, inverter=inverter, report=report, name=name, condition=condition
        )
    return found_latent.latent


def _save(
    output: Path, picture: Any, model: LatentModel, latents: FloatArray, strengths: dict[str, float],
    lock: Sequence[str], condition: Condition | None, name: str, base: FloatArray | None = None,
    space: str = "",
) -> None:  # fmt: skip
    recipe = Recipe(
        checkpoint=model.info.sha256,
        model=displayed(Path(model.info.path).name),
        space=space or model.info.spaces[0].name,
        latent=latents[0].tolist(),
        tiles=latents.tolist() if len(latents) > 1 else [],
        origin=[] if base is None else base.tolist(),
        base=[] if base is None else base.tolist(),
        strengths=strengths,
        locked=sorted(lock),
        condition=condition,
        name=name,
    )
    atomic_write(output, png_bytes(picture, recipe))


def _enlarged(picture: Any, scale: int) -> Any:
    return np.repeat(np.repeat(picture, scale, 0), scale, 1) if scale > 1 else picture
