"""What the Python functions and commands say to a mistake that is easily made: a sentence, and no AttributeError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import latentlab
from latentlab.api.exploring import explorable
from latentlab.cli import main
from latentlab.core.errors import OptionError

PICTURE = np.zeros((16, 16, 3), np.uint8)
FUNCTIONS: dict[str, Callable[[Any], object]] = {
    "calculate": lambda model: latentlab.calculate(model, "sample(1)"),
    "compare": lambda model: latentlab.compare(model, model),
    "invert": lambda model: latentlab.invert(model, PICTURE),
    "measure_model": latentlab.measure_model,
    "project": latentlab.project,
    "save_session": lambda model: latentlab.save_session("work.latentlab", model),
    "traverse": latentlab.traverse,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("given", ["faces-vae", Path("faces.pth"), nn.Linear(3, 4)], ids=["name", "path", "module"])
def test_a_function_that_takes_a_model_says_so(name: str, given: object) -> None:
    with pytest.raises(OptionError, match=rf"{name}\(\) takes a model from open_model\(\)") as refused:
        FUNCTIONS[name](given)
    assert ("Open it first" in str(refused.value)) == (not isinstance(given, nn.Module))


def test_a_traversal_begins_at_one_latent(vae: Path) -> None:
    """Of several it took the first, and said nothing."""
    model = latentlab.open_model(vae, "cpu")
    with pytest.raises(OptionError, match=r"one latent, \(5,\); these are 3"):
        latentlab.traverse(model, model.sample(3))
    one, same = (latentlab.traverse(model, along=along) for along in ("dimension 3", ["dimension 3"]))
    assert one.names == same.names == ("dimension 3",)
    np.testing.assert_array_equal(one.latents, same.latents)


def test_an_unknown_parameter_of_a_map_is_named(vae: Path) -> None:
    model = latentlab.open_model(vae, "cpu")
    with pytest.raises(OptionError, match=r"tsne has no parameter 'perplexty'. Did you mean 'perplexity'"):
        latentlab.project(model, "tsne", perplexty=5)


def test_a_decoder_that_fails_without_a_word_is_no_decoder() -> None:
    class Silent(nn.Module):
        def forward(self, latents: Tensor) -> Tensor:
            raise AssertionError

    with pytest.raises(OptionError, match="AssertionError"):
        explorable(Silent(), latent_dim=3)


def test_converting_says_what_was_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The native checkpoint states it as if it were known, so nobody is asked again."""
    network = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 64))
    torch.save(network.state_dict(), tmp_path / "G.pth")
    arguments = ["convert", str(tmp_path / "G.pth"), str(tmp_path / "G.safetensors"), "--device", "cpu"]
    assert main(arguments) == 0
    assert "Warning: The file does not say" in capsys.readouterr().err
    assert main([*arguments, "--activation", "relu", "--range", "tanh"]) == 0
    assert capsys.readouterr().err == ""


def test_an_option_of_reading_goes_to_the_file_that_takes_it(
    tmp_path: Path, vae: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a native checkpoint, which states its activation, nothing could be said of the other file."""
    torch.save(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 64)).state_dict(), tmp_path / "G.pth")
    said = ["compare", str(vae), str(tmp_path / "G.pth"), "--device", "cpu", "--activation", "elu", "--range", "tanh"]
    assert main(said) == 0
    assert capsys.readouterr().err == ""
    assert main([*said, "--noise", "none"]) == 2
    assert "Leave --noise out" in capsys.readouterr().err
