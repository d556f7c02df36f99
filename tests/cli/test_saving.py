"""Sessions written from Python: what they hold when they are read as the window reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

import latentlab
from latentlab.api.exploring import explorable
from latentlab.core.condition import UNKNOWN, Condition
from latentlab.core.direction_making import DirectedModel
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.errors import LatentlabError, OptionError
from latentlab.core.first_state import first_state
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.project_file import load
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import State

DIM = 5


@pytest.fixture(scope="module")
def model(vae: Path) -> DirectedModel:
    return latentlab.open_model(vae, device="cpu")


def saved(tmp_path: Path, model: Any, *rest: Any, **named: Any) -> State:
    latentlab.save_session(tmp_path / "work.latentlab", model, *rest, **named)
    return load(tmp_path / "work.latentlab").state


def test_a_session_holds_what_was_made(model: DirectedModel, vae: Path, tmp_path: Path) -> None:
    z = model.sample(4, seed=3)
    made = model.direction_between(z[:2], z[2:], "Hat")
    state = saved(tmp_path, model, z[0], strengths={"Hat": 1.5, "Smiling": -1}, keyframes=z, name="two hats")
    np.testing.assert_array_equal(state.origin, z[0])
    np.testing.assert_allclose(state.latent, z[0] + 1.5 * made.vector - model.directions["Smiling"].vector, atol=1e-5)
    assert (state.name, state.checkpoint, state.space) == ("two hats", model.info.sha256, "z")
    assert list(state.directions) == [*model.directions]
    np.testing.assert_array_equal(state.directions["Hat"].vector, made.vector)
    np.testing.assert_array_equal([one.latent for one in state.walk.keyframes], z)
    assert Path(load(tmp_path / "work.latentlab").checkpoint_path) == vae
    assert z.flags.writeable


def test_without_a_latent_it_begins_where_the_window_does(model: DirectedModel, tmp_path: Path) -> None:
    first = first_state(model.info, model.encodings)
    one = Direction("Mine", np.eye(DIM, dtype=np.float32)[0])
    state = saved(tmp_path, model, directions=[one])
    np.testing.assert_array_equal(state.latent, first.latent)
    assert state.name == first.name
    assert list(state.directions) == ["Mine"]
    assert not state.walk.keyframes


def test_a_latent_may_be_a_tensor_a_list_or_a_row(model: DirectedModel, tmp_path: Path) -> None:
    z = model.sample(1)
    for given in (torch.from_numpy(z), z[0].tolist(), z.astype(np.float64), torch.from_numpy(z)[..., None, None]):
        np.testing.assert_array_equal(saved(tmp_path, model, given).latent, z[0])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"latent": np.zeros(3)}, r"The latent must be \(B, 5\)"),
        ({"latent": np.zeros((2, DIM))}, "The latent is one, .*Others can be keyframes"),
        ({"latent": np.full(DIM, np.nan)}, "NaN or Inf cannot be kept"),
        ({"keyframes": np.full((2, DIM), np.inf)}, "Keyframes: NaN"),
        ({"strengths": {"Smilling": 1}}, "no attribute 'Smilling'.*Did you mean 'Smiling'"),
        ({"strengths": {"Smiling": np.nan}}, "strength of 'Smiling' is nan"),
        ({"directions": [Direction("Hat", np.ones(3, np.float32))]}, r"'Hat' is \(3,\); z here has 5 numbers"),
        ({"space": "w"}, "no latent space 'w'"),
        ({"condition": 3}, "There is no class 3"),
        ({"condition": "seven"}, "There is no class 'seven'"),
    ],
)
def test_what_cannot_be_saved_writes_nothing(
    given: dict[str, Any], match: str, model: DirectedModel, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=match):
        latentlab.save_session(tmp_path / "work.latentlab", model, **given)
    assert not list(tmp_path.iterdir())


def test_a_session_needs_its_ending_a_folder_and_the_file_of_a_model(model: DirectedModel, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"work\.json would not open as a session.*\.latentlab"):
        latentlab.save_session(tmp_path / "work.json", model)
    with pytest.raises(LatentlabError, match="absent"):
        latentlab.save_session(tmp_path / "absent" / "work.latentlab", model)
    module = explorable(torch.nn.Linear(DIM, 64), latent_dim=DIM)
    with pytest.raises(OptionError, match="in no file"):
        latentlab.save_session(tmp_path / "work.latentlab", module)


def test_what_a_conditional_model_is_asked_for_is_kept(model: DirectedModel, tmp_path: Path) -> None:
    info = replace(model.info, conditional=("low", "high"), conditional_attributes=("Hat",))
    told = SimpleNamespace(info=info, encodings=None, directions=DirectionSet())
    z = model.sample(1)
    assert saved(tmp_path, told, z, condition="high").condition == Condition(1, (UNKNOWN,))
    assert saved(tmp_path, told, z, condition={"Hat": 1}).condition == Condition(0, (1.0,))
    assert saved(tmp_path, told, z).condition == Condition(0, (UNKNOWN,))
    assert saved(tmp_path, model, z).condition is None


def test_each_space_has_its_own_directions(tmp_path: Path) -> None:
    """The window goes on in w, and finds the rest when it goes back to z."""
    spaces = (LatentSpace("z", (4,)), LatentSpace("w", (3,), "empirical", std=np.ones(3, np.float32)))
    info = ModelInfo("gan.pt", "native", "gan", ImageShape(8, 8, 3), spaces, encoder=False, sha256="abc")
    directions = DirectionSet(
        [Direction("of z", np.ones(4, np.float32)), Direction("of w", np.ones(3, np.float32), "w")]
    )
    told = cast(DirectedModel, SimpleNamespace(info=info, encodings=None, directions=directions))
    state = saved(tmp_path, told, [1, 2, 3], space="w", strengths={"of w": 2})
    assert (state.space, list(state.directions), list(state.elsewhere["z"].directions)) == ("w", ["of w"], ["of z"])
    np.testing.assert_array_equal(state.latent, [3, 4, 5])
    with pytest.raises(OptionError, match="no attribute 'of z'"):
        saved(tmp_path, told, [1, 2, 3], space="w", strengths={"of z": 2})
