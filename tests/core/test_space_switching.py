"""Work in two latent spaces of one model: never mixed, nothing lost on the way there and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.space_switching import everywhere, in_space, put_aside
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Arithmetic, Group, MapView, NamedLatent, SampleSheet, SliderChoice, State, Walk
from latentlab.core.state_document import Mismatch, state_from, to_document

Z, W = 4, 6
DRAWS = np.random.default_rng(0).normal(3, 1, (30, W)).astype(np.float32)
INFO = ModelInfo(
    "g.pt", "StyleGAN2", "stylegan2", ImageShape(8, 8, 3), encoder=False, sha256="ab", mappings=(("z", "w"),),
    spaces=(LatentSpace("z", (Z,)), LatentSpace("w", (W,), "empirical", DRAWS.mean(0), DRAWS.std(0), DRAWS)),
)  # fmt: skip


def worked() -> State:
    z = np.ones(Z, np.float32)
    item = NamedLatent(z, "one")
    return State(
        origin=z, base=2 * z, checkpoint="ab", name="here", strengths={"Smiling": 1.0}, locked=frozenset({"Smiling"}),
        directions=DirectionSet([Direction("Smiling", z)]), sliders=SliderChoice("dimensions", frozenset({3})),
        walk=Walk((item, item), "spherical", True, 9.0, 24), arithmetic=Arithmetic((item,), expression="origin"),
        samples=SampleSheet(5, 0.8, True, (item,)), groups=(Group("mine", np.arange(3)),),
        view=MapView("tsne", colour="age"),
    )  # fmt: skip


def test_nothing_of_one_space_is_in_the_other() -> None:
    there = in_space(worked(), INFO, "w", np.arange(W, dtype=np.float32))
    assert there.space == "w"
    assert np.array_equal(there.latent, np.arange(W))
    assert there.name == "here"
    assert there.walk.keyframes == there.arithmetic.a == there.samples.kept == ()
    assert not there.directions
    assert not there.strengths
    assert not there.sliders.locked
    assert there.arithmetic.expression == ""
    sheet = there.samples
    assert (sheet.seed, sheet.truncation, sheet.around) == (5, 0.8, True)  # these are no latents
    assert (there.walk.seconds, there.walk.fps, there.walk.loop) == (9.0, 24, True)
    assert [group.name for group in there.groups] == ["mine"]
    assert there.view == MapView(colour="age")


def test_everything_is_there_when_one_comes_back() -> None:
    before = worked()
    there = in_space(before, INFO, "w", np.zeros(W, np.float32))
    there = replace(there, walk=replace(there.walk, keyframes=(NamedLatent(there.latent),)), groups=())
    back = in_space(there, INFO, "z")
    for part in ("origin", "base", "walk", "arithmetic", "directions", "strengths", "locked", "sliders", "view"):
        assert getattr(back, part) is getattr(before, part), part
    assert back.samples.kept == before.samples.kept
    assert back.groups == ()  # what one has selected is selected in both
    again = in_space(back, INFO, "w", np.full(W, 7, np.float32))
    assert np.array_equal(again.latent, np.full(W, 7))  # the same picture, not where one was
    assert len(again.walk.keyframes) == 1


def test_without_a_way_there_work_begins_at_a_draw_of_that_space() -> None:
    there = in_space(worked(), INFO, "w")
    assert np.array_equal(there.latent, INFO.spaces[1].sample(1, 0, 0.7)[0])
    assert "sample 0" in there.name
    spatial = replace(INFO, spaces=(INFO.spaces[0], LatentSpace("s", (1, 2, 3), "empirical")))
    middle = in_space(worked(), spatial, "s")
    assert np.array_equal(middle.latent, np.zeros(6))
    assert middle.name == "the middle of s"


def test_what_waits_is_said() -> None:
    assert put_aside(worked()) == ""
    there = in_space(worked(), INFO, "w")
    assert put_aside(there) == "2 keyframes and 1 kept sample and 1 picture of arithmetic in z"


def test_a_change_reaches_what_is_put_aside() -> None:
    there = everywhere(in_space(worked(), INFO, "w"), lambda state: replace(state, view=MapView()))
    assert there.view == there.elsewhere["z"].view == MapView()


def test_a_session_keeps_both() -> None:
    there = in_space(worked(), INFO, "w", np.zeros(W, np.float32))
    again = state_from(json.loads(json.dumps(to_document(there))))
    assert again.space == "w"
    assert len(in_space(again, INFO, "z").walk.keyframes) == 2


@pytest.mark.parametrize("wrong", [{"space": "y"}, {"checkpoint": "other"}, {"base": np.zeros(3, np.float32)}])
def test_a_damaged_session_is_refused(wrong: dict[str, object]) -> None:
    there = in_space(worked(), INFO, "w")
    damaged = replace(there, elsewhere={"z": replace(there.elsewhere["z"], **wrong)})  # type: ignore[arg-type]
    with pytest.raises(Mismatch):
        state_from(json.loads(json.dumps(to_document(damaged))))
