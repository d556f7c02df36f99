"""`--class` and `--condition`: what they ask for, and what they say of names that do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.cli import main
from latentlab.command_line.asking import asked_condition
from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, model_info, write_checkpoint
from latentlab.core.condition import Condition
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import ModelInfo
from latentlab.core.recipe_png import recipe_in
from latentlab.models.family import architecture_from
from latentlab.models.loading import weights_of

CLASSES, ATTRIBUTES = ["cat", "dog"], ["Smiling", "Hat"]


def header(**changes: object) -> Header:
    architecture = {
        "name": "cvae", "image_size": 8, "channels": 1, "latent_dim": 3, "network": "mlp", "hidden": 8, "classes": 2,
        "attributes": 2,
    }  # fmt: skip
    values = {
        "family": "cvae", "architecture": architecture, "spaces": [SpaceSpec(shape=[3])],
        "image": ImageSpec(height=8, width=8, channels=1), "encoder": True, "conditional": True, "classes": CLASSES,
        "conditional_attributes": ATTRIBUTES,
    }  # fmt: skip
    return Header.model_validate(values | changes)


def info(**changes: object) -> ModelInfo:
    return model_info(Path("m.safetensors"), header(**changes))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    network_class, architecture = architecture_from(header().architecture)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = network_class(architecture)
        for parameter in network.parameters():  # so that what is asked for is seen
            torch.nn.init.normal_(parameter)
    write_checkpoint(tmp_path / "m.safetensors", header(), weights_of(network))
    return tmp_path / "m.safetensors"


def test_what_is_not_said_is_the_first_class_and_unknown() -> None:
    assert asked_condition(info(), "", []) == Condition(0, (0.5, 0.5))
    assert asked_condition(info(), "dog", ["Hat=1"]) == Condition(1, (0.5, 1.0))
    assert asked_condition(info(), "1", ["Hat", "Smiling=0"]) == Condition(1, (0.0, 1.0))
    assert asked_condition(info(conditional=False, conditional_attributes=[]), "", []) is None


@pytest.mark.parametrize(
    ("changes", "name", "attributes", "says"),
    [
        ({}, "dgo", [], "There is no class 'dgo'. Did you mean 'dog'?"),
        ({}, "2", [], "no class '2'"),
        ({}, "", ["Hta=1"], "takes no attribute 'Hta'. Did you mean 'Hat'?"),
        ({}, "", ["Hat=2"], "'2' is not 0 to 1"),
        ({}, "", ["Hat=yes"], "'yes' is not 0 to 1"),
        ({"conditional_attributes": []}, "", ["Hat=1"], "use --class"),
        ({"conditional": False}, "cat", [], "use --condition"),
        ({"conditional": False, "conditional_attributes": []}, "cat", [], "takes no class"),
        ({"conditional": False, "conditional_attributes": []}, "", ["Hat=1"], "takes none"),
    ],
)
def test_what_cannot_be_asked(changes: dict[str, object], name: str, attributes: list[str], says: str) -> None:
    with pytest.raises(OptionError) as caught:
        asked_condition(info(**changes), name, attributes)
    assert says in str(caught.value)


def test_rendering_what_was_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    def sheet(*asked: str) -> tuple[np.ndarray, Condition | None]:
        path = tmp_path / "sheet.png"
        assert main(["render", str(checkpoint), "-o", str(path), "--count", "4", *asked]) == 0
        recipe = recipe_in(path)
        assert recipe is not None
        return np.asarray(Image.open(path)), recipe.condition

    cats, of_cats = sheet()
    dogs, of_dogs = sheet("--class", "dog")
    hats, of_hats = sheet("--class", "dog", "--condition", "Hat=1")
    assert (of_cats, of_dogs) == (Condition(0, (0.5, 0.5)), Condition(1, (0.5, 0.5)))
    assert of_hats == Condition(1, (0.5, 1.0))
    assert not np.array_equal(cats, dogs)
    assert not np.array_equal(dogs, hats)


def test_a_class_that_does_not_exist_is_one_line(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["walk", str(checkpoint), "-o", "walk.gif", "--class", "dgo"]) == 2
    assert capsys.readouterr().err == "There is no class 'dgo'. Did you mean 'dog'?\n"


def test_what_is_asked_for_is_no_direction_to_edit_along(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(checkpoint), "-o", "sheet.png", "--attribute", "Hat=1"]) == 2
    said = capsys.readouterr().err
    assert said == "There is no attribute 'Hat'. This model is asked for it: --condition Hat=1.\n"


def test_an_edit_says_which_class_a_picture_is_taken_as(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(tmp_path / "grey.png")
    arguments = ["edit", str(checkpoint), "-o", str(tmp_path / "out.png"), "--image", str(tmp_path / "grey.png")]
    assert main(arguments) == 0
    assert capsys.readouterr().err == "The picture is taken as 'cat'; say what it is with --class.\n"
    assert main([*arguments, "--class", "dog"]) == 0
    assert not capsys.readouterr().err
