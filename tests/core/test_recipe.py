"""A picture's recipe brings back the picture and, where it can, how it was made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from latentlab.core.condition import Condition
from latentlab.core.directions import Direction
from latentlab.core.errors import DataError
from latentlab.core.recipe import Recipe, fits, read_recipe, recipe_of, restored
from latentlab.core.state import NO_STRENGTHS, State, at


def elsewhere(state: State) -> State:
    return at(dataclasses.replace(state, locked=frozenset(), condition=None), np.zeros(4, np.float32), "elsewhere")


def test_edits_return(full_state: State) -> None:
    recipe = read_recipe(recipe_of(full_state).model_dump_json())
    again = restored(elsewhere(full_state), recipe)
    np.testing.assert_allclose(again.latent, full_state.latent, atol=1e-6)
    np.testing.assert_array_equal(again.origin, full_state.origin)
    np.testing.assert_array_equal(again.base, full_state.base)
    assert again.strengths == full_state.strengths
    assert again.locked == full_state.locked
    assert (again.name, again.condition) == (full_state.name, Condition(3, (1.0, 0.5)))
    assert fits(recipe, full_state)


def test_recipes_that_hold_the_number_of_a_class_still_load(full_state: State) -> None:
    text = recipe_of(full_state).model_dump_json()
    recipe = read_recipe(text.replace('{"label":3,"attributes":[1.0,0.5]}', "3"))
    assert recipe.condition == Condition(3)


@pytest.mark.parametrize("refitted", [True, False])
def test_directions_that_changed_or_are_gone_leave_the_latent_itself(full_state: State, refitted: bool) -> None:
    recipe = recipe_of(full_state)
    directions = full_state.directions.without("Eyeglasses")
    if refitted:
        directions = directions.with_added(Direction("Eyeglasses", np.full(4, 9, np.float32)))
    again = restored(dataclasses.replace(elsewhere(full_state), directions=directions), recipe)
    np.testing.assert_allclose(again.latent, full_state.latent, atol=1e-6)
    assert again.strengths == NO_STRENGTHS


def test_latent_alone_is_enough(full_state: State) -> None:
    recipe = Recipe(checkpoint=full_state.checkpoint, space="w", latent=[1, 2, 3, 4])
    again = restored(full_state, recipe)
    np.testing.assert_array_equal(again.latent, [1, 2, 3, 4])
    assert again.name


@pytest.mark.parametrize("change", [{"checkpoint": "cd" * 32}, {"space": "z"}, {"latent": [1.0]}, {"base": [1.0] * 5}])
def test_other_models_are_refused(full_state: State, change: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"another model|the open model 4"):
        restored(full_state, recipe_of(full_state).model_copy(update=change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged"),
        ("{}", "checkpoint"),
        ('{"checkpoint": "a", "latent": []}', "latent"),
        ('{"checkpoint": "a", "latent": [1e999]}', "latent"),
        ('{"kind": "other", "checkpoint": "a", "latent": [1]}', "kind"),
        ('{"version": 9, "checkpoint": "a", "latent": [1]}', "Update latentlab"),
    ],
)
def test_damaged_recipes(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_recipe(text)


def test_unknown_keys_are_kept() -> None:
    recipe = read_recipe('{"checkpoint": "a", "latent": [1], "later": {"b": 2}}')
    assert '"later":{"b":2}' in recipe.model_dump_json()
