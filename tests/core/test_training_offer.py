"""What a form says of a run, as the command line of the trainer."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from latentlab.core.errors import DataError
from latentlab.core.option_words import option_title
from latentlab.core.training_offer import (
    AskedRun,
    TrainingOffer,
    TrainingOption,
    arguments_of,
    as_typed,
    explanation,
    resuming,
    settled_values,
    suggested_folder,
)

OPTIONS = (
    TrainingOption(flag="--epochs", kind="whole"),
    TrainingOption(flag="--half", kind="switch"),
    TrainingOption(flag="--diffaugment", kind="several", choices=("colour", "cutout")),
)


def test_only_what_was_said_is_on_the_command_line() -> None:
    asked = AskedRun("vae", "my pictures", "runs/x", values={"--epochs": "3", "--half": "", "--unknown": "1"})
    arguments = arguments_of(asked, OPTIONS)
    assert arguments == ["vae", "--data", "my pictures", "--out", "runs/x", "--epochs", "3"]
    assert as_typed(arguments) == "latentlab-train vae --data 'my pictures' --out runs/x --epochs 3"
    assert shlex.split(as_typed(arguments))[1:] == arguments


def test_switches_recipes_downloads_and_values_that_look_like_flags() -> None:
    values = {"--half": "true", "--epochs": "-1", "--diffaugment": " colour,cutout "}
    arguments = arguments_of(AskedRun("dcgan", "mnist", "x", "fashion-dcgan", True, values), OPTIONS)
    assert arguments[:8] == ["dcgan", "--recipe", "fashion-dcgan", "--data", "mnist", "--out", "x", "--download"]
    assert arguments[8:] == ["--epochs=-1", "--half", "--diffaugment", "colour,cutout"]
    off = arguments_of(AskedRun("dcgan", "", "", values={"--half": "false"}), OPTIONS)
    assert off == ["dcgan", "--no-half"]


def test_going_on_needs_only_the_folder(tmp_path: Path) -> None:
    assert resuming("vae", tmp_path) == ["vae", "--out", str(tmp_path), "--resume"]
    assert resuming("vae", tmp_path, 7)[-2:] == ["--epochs", "7"]


def test_an_offer_of_another_version_is_refused_or_read_as_far_as_it_goes() -> None:
    with pytest.raises(DataError, match="another version"):
        TrainingOffer.parsed("usage: latentlab-train")
    offer = TrainingOffer.parsed(json.dumps({"families": [{"name": "vae", "new": 1}], "planets": []}))
    assert offer.family("vae").name == offer.family("unknown").name == "vae"


def test_settled_values_are_texts_as_they_would_be_typed() -> None:
    printed = "epochs = 30\nhalf = false\n[architecture]\nlatent_dim = 64\n[objective]\nadam_betas = [0.9, 0.99]\n"
    assert settled_values(printed) == {"latent_dim": "64", "adam_betas": "0.9,0.99", "epochs": "30", "half": "false"}
    with pytest.raises(DataError, match="cannot be read"):
        settled_values("epochs = = 3")


def test_an_explanation_stands_above_the_configuration() -> None:
    assert explanation("# For 30 pictures: --epochs 400.\nepochs = 400\n") == "For 30 pictures: --epochs 400."
    assert explanation("epochs = 400\n# below\n") == ""
    assert settled_values("# For 30 pictures.\nepochs = 400\n") == {"epochs": "400"}


def test_a_suggested_folder_is_never_there_yet(tmp_path: Path) -> None:
    first = suggested_folder(tmp_path, "vae", "/somewhere/faces.npz")
    assert first == tmp_path / "faces-vae"
    first.mkdir()
    assert suggested_folder(tmp_path, "vae", "faces") == tmp_path / "faces-vae-2"
    assert suggested_folder(tmp_path, "vae", "") == tmp_path / "vae"


def test_what_is_short_for_something_is_said_in_words() -> None:
    assert TrainingOption(flag="--batch-size").title == "Batch size"
    assert TrainingOption(flag="--ema").title == "Weight averaging (EMA)"
    assert option_title("architecture.latent_dim") == "Architecture: latent dimensions"
    assert option_title("objective.r1") == "Objective: R1 penalty"
    assert option_title("objective.adam_betas") == "Objective: Adam's betas"
