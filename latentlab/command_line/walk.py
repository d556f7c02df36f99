"""`latentlab walk`: a film between draws, pictures, expressions, or the keyframes of a session.

Shapes: K keyframes, D latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from latentlab.api.arithmetic import calculated
from latentlab.api.drawing import drawn, edited
from latentlab.api.inverting import latent_of
from latentlab.command_line.asking import asked_condition
from latentlab.command_line.checks import check_folder, check_names, check_truncation, seeds_of, strengths_of
from latentlab.command_line.commands import application
from latentlab.command_line.options import (
    INVERSION_STEPS,
    Asking,
    Checkpoint,
    CropText,
    Edits,
    Output,
    Reading,
    Scale,
    Steps,
    Truncation,
    opened,
    with_groups,
)
from latentlab.console import ConsoleReport, say
from latentlab.core.atomic import displayed
from latentlab.core.condition import Condition
from latentlab.core.direction_making import DirectedModel
from latentlab.core.errors import DataError, OptionError
from latentlab.core.latent_model import ModelInfo
from latentlab.core.pictures import Crop, Picture, read_picture
from latentlab.core.project_file import load
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.engine.exporting import WalkExport, check, export_walk, kind_of


@dataclass(frozen=True, eq=False)
class Stations:
    """What a walk passes through: draws of `seeds`, or `pictures` and then `expressions`, or what a session holds."""

    seeds: list[int]
    pictures: list[tuple[Path, Picture]]
    expressions: list[str]
    session: State | None
    steps: int  # of the search for a picture


@application.command()
@with_groups
def walk(
    *, checkpoint: Checkpoint, output: Output,
    seeds: Annotated[str, typer.Option(help="Of the keyframes: a draw for each.")] = "1,2,3",
    image: Annotated[
        list[Path], typer.Option(metavar="PATH", help="A picture as a keyframe instead of a draw; may be repeated.")
    ] = [],  # noqa: B006 - typer reads the default
    expression: Annotated[
        list[str], typer.Option(metavar="TEXT", help="Arithmetic as a keyframe instead of a draw; may be repeated.")
    ] = [],  # noqa: B006
    session: Annotated[
        Path | None, typer.Option(help="The walk of a saved session: its keyframes, length, rate and interpolation.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="How long the film is; 6 where nothing says it.")] = None,
    fps: Annotated[int | None, typer.Option(help="Pictures a second; 30 where nothing says it.")] = None,
    spherical: Annotated[bool, typer.Option("--spherical", help="Interpolate on a sphere, not straight.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Return to the first keyframe.")] = False,
    strip: Annotated[bool, typer.Option("--strip", help="A row of stills instead of a film.")] = False,
    truncation: Truncation = 1.0, crop: CropText = "centre", steps: Steps = INVERSION_STEPS, scale: Scale = 1,
    edits: Edits, asking: Asking, reading: Reading,
) -> None:  # fmt: skip
    """Walk between samples: a .gif, .mp4 or folder of frames.

    A name that ends in .png is a strip of stills.
    """
    strengths = strengths_of(edits.attribute)
    check_truncation(truncation)
    check_folder(output)
    cropping = Crop.parse(crop)
    pictures = [(path, read_picture(path, crop=cropping)) for path in image]
    state = None if session is None else _session(session, bool(image or expression))
    stations = Stations(seeds_of(seeds), pictures, expression, state, steps)
    interpolation, loop, seconds, fps = _timing(state, spherical, loop, seconds, fps)
    kind = "strip" if strip else kind_of(output)
    # With any keyframe, before the seconds that opening a model takes.
    check(WalkExport(np.zeros((1, 1), np.float32), output, kind, interpolation, loop, seconds, fps, scale=scale))
    reading.options()
    check_names(checkpoint, edits, asking)
    model = opened(checkpoint, reading, edits.directions)
    chosen = asked_condition(model.info, asking.class_, asking.condition)
    if state is not None and not asking.class_ and not asking.condition:
        chosen = state.condition
    move = partial(edited, model, strengths=strengths, keep=edits.lock)
    if state is None and not pictures and not expression:
        keyframes, space = drawn(model, [(1, seed) for seed in stations.seeds], truncation, chosen, move)
    else:
        latents, space = _latents(model, stations, chosen)
        keyframes = move(latents)
    export = WalkExport(keyframes, output, kind, interpolation, loop, seconds, fps, space, chosen, scale)
    with ConsoleReport("Walk") as report:
        exported = export_walk(model, export, report)
    for note in exported.notes:
        say(note)


def _session(path: Path, others: bool) -> State:
    """Raises OptionError, DataError."""
    if others:
        raise OptionError("--session brings keyframes of its own; leave --image and --expression out.")
    state = load(path).state
    if not state.walk.keyframes:
        raise DataError(f"The session {displayed(path)} has no keyframes. Add some in the window, or leave it out.")
    return state


def _timing(
    state: State | None, spherical: bool, loop: bool, seconds: float | None, fps: int | None
) -> tuple[Literal["linear", "spherical"], bool, float, int]:
    """What is said, else what the session says, else 6 s at 30 pictures a second."""
    walk = State(np.zeros(1, np.float32), np.zeros(1, np.float32)).walk if state is None else state.walk
    return (
        "spherical" if spherical else walk.interpolation,
        loop or walk.loop,
        walk.seconds if seconds is None else seconds,
        walk.fps if fps is None else fps,
    )


def _latents(model: DirectedModel, stations: Stations, condition: Condition | None) -> tuple[FloatArray, str]:
    """(K, D) and the space they are of."""
    if stations.session is not None:
        _check_fits(model.info, stations.session)
        return np.stack([one.latent for one in stations.session.walk.keyframes]), stations.session.space
    latents = [
        latent_of(model, picture, condition, stations.steps, path.name, path) for path, picture in stations.pictures
    ]
    latents += [calculated(model, text) for text in stations.expressions]
    if len(latents) < 2:
        raise OptionError("A walk needs 2 keyframes or more; repeat --image or --expression.")
    return np.stack(latents), model.info.spaces[0].name


def _check_fits(info: ModelInfo, state: State) -> None:
    if state.checkpoint != info.sha256:
        raise OptionError(
            f"The session was saved with another model (SHA-256 {state.checkpoint[:12] or 'unknown'}…). Name that one."
        )
