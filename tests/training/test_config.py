"""A configuration that cannot work is refused in one sentence, with the nearest known name."""

from __future__ import annotations

from typing import Any

import pytest

from latentlab.core.errors import OptionError
from latentlab.core.registry import FAMILIES
from latentlab.models.conditioning import Conditional
from latentlab.models.family import architecture_from
from training.config import config_from
from training.objectives.objective import OBJECTIVES
from training.options import OPTIONS
from training.recipes import RECIPES, defaults, recipe


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"family": "vea"}, "Did you mean 'vae'"),
        ({"family": "vae", "epoch": 3}, "no option 'epoch'. Did you mean 'epochs'"),
        ({"family": "vae", "epochs": 0}, "'epochs' cannot be 0"),
        ({"family": "vae", "objective": {"betta": 2}}, "Did you mean 'beta'"),
        ({"family": "vae", "objective": {"likelihood": "gauss"}}, "'likelihood' cannot be 'gauss'"),
        ({"family": "dcgan", "objective": {"beta": 1}}, "no option 'beta'"),
        ({"family": "dcgan", "objective": {"diffaugment": ["color"]}}, "'color'"),
        ({"family": "vae", "batch_size": 1}, "'batch_size' cannot be 1"),
        ({"family": "vae", "precision": "fp8"}, "'precision' cannot be 'fp8'"),
    ],
)
def test_refusals(values: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        config_from(**values)


def known_of_the_data(family: str) -> dict[str, int]:
    """What a run adds to the architecture of a conditional family."""
    return {"classes": 10} if issubclass(FAMILIES[family].load().Parameters, Conditional) else {}


def test_every_family_can_be_trained() -> None:
    assert set(FAMILIES) == set(OPTIONS) == set(OBJECTIVES)


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_is_a_network_that_can_be_built(name: str) -> None:
    config = recipe(name)
    assert config.recipe == name
    network_class, architecture = architecture_from(
        {"name": config.family, "image_size": 64, **known_of_the_data(config.family), **config.architecture}
    )
    network_class.on_meta(architecture)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(OptionError, match="Did you mean 'faces-vae'"):
        recipe("face-vae")


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize(
    ("data", "size"), [("digits", 8), ("mnist", 28), ("avatars", 64), ("pictures", 256), ("x", 61)]
)
def test_every_default_is_a_network_that_can_be_built(family: str, data: str, size: int) -> None:
    config = config_from(**defaults(family, data, size))
    network_class, architecture = architecture_from(
        {"name": family, "image_size": size, **known_of_the_data(family), **config.architecture}
    )
    network_class.on_meta(architecture)
