"""The same work in another latent space: what is carried over, what is put aside until one comes back.

Latents of two spaces are never mixed: each space has keyframes, slots, bookmarks, directions, sliders and a view of its
own. Seed, truncation, class, the second model and the selections of encodings, which are positions and no latents, go
along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from latentlab.core.latent_model import ModelInfo
from latentlab.core.spaces import FloatArray, LatentSpace, sample_name
from latentlab.core.state import NOWHERE, MapView, SampleSheet, State, Walk, at

FIRST_TRUNCATION = 0.7


def in_space(state: State, info: ModelInfo, to: str, carried: FloatArray | None = None) -> State:
    """The state in the space `to`: at `carried` (D'), the shown picture's latent there, where it is known.

    Without it work goes on where it was in that space, or begins at a draw of its own.
    """
    if to == state.space:
        return state
    others = {**state.elsewhere, state.space: replace(state, elsewhere=NOWHERE)}
    begun = others.pop(to, None) or _begun(state, info.space(to))
    if carried is not None:
        begun = at(begun, carried, state.name)
    drawn = state.samples
    samples = replace(begun.samples, seed=drawn.seed, truncation=drawn.truncation, around=drawn.around)
    return replace(
        begun,
        groups=state.groups,
        condition=state.condition,
        samples=samples,
        comparison=replace(state.comparison, end=begun.comparison.end),
        elsewhere=MappingProxyType(others),
    )


def everywhere(state: State, change: Callable[[State], State]) -> State:
    """`change` applied to a state and to what is put aside in it."""
    if not state.elsewhere:
        return change(state)
    aside = {name: change(other) for name, other in state.elsewhere.items()}
    return change(replace(state, elsewhere=MappingProxyType(aside)))


def put_aside(state: State) -> str:
    """ "3 keyframes and 2 kept samples in z": what waits in other spaces; empty where nothing does."""
    found = []
    for name, other in state.elsewhere.items():
        slots = other.arithmetic
        counts = {
            ("keyframe", "keyframes"): len(other.walk.keyframes),
            ("kept sample", "kept samples"): len(other.samples.kept),
            ("picture of arithmetic", "pictures of arithmetic"): len(slots.a) + len(slots.b) + len(slots.c),
        }
        said = [f"{number} {nouns[number > 1]}" for nouns, number in counts.items() if number]
        if said:
            found.append(f"{' and '.join(said)} in {name}")
    return ", ".join(found)


def first_place(space: LatentSpace) -> tuple[FloatArray, str]:
    """Where work in a space begins without encodings, (D,), and what that is called."""
    if space.drawable:
        place = space.sample(1, seed=0, truncation=FIRST_TRUNCATION)[0]
        return place, sample_name(0, 0, FIRST_TRUNCATION)
    return space.centre, f"the middle of {space.name}"


def _begun(state: State, space: LatentSpace) -> State:
    place, name = first_place(space)
    walk = Walk(interpolation="linear", loop=state.walk.loop, seconds=state.walk.seconds, fps=state.walk.fps)
    return State(
        origin=place.copy(),
        base=place.copy(),
        checkpoint=state.checkpoint,
        space=space.name,
        name=name,
        walk=walk,
        samples=SampleSheet(),
        view=MapView(colour=state.view.colour, hidden=state.view.hidden),
    )
