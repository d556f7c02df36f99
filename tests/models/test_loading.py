"""From a file to a model: what does not fit is refused with a table, what is not finite is said and never drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_networks import header_of, tiny_network

from latentlab.core.checkpoint_file import read_header, read_weights, write_checkpoint
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.models.loading import load_native, weights_of
from latentlab.models.torch_model import TorchModel


def rewritten(path: Path, changes: dict[str, Any], **header: Any) -> Path:
    """The same checkpoint with other weights (None: without) or another header."""
    weights = {name: value for name, value in (read_weights(path) | changes).items() if value is not None}
    write_checkpoint(path, read_header(path).model_copy(update=header), weights)
    return path


def test_half_precision_is_widened(tmp_path: Path) -> None:
    network = tiny_network()
    for half in (False, True):
        write_checkpoint(tmp_path / f"{half}.safetensors", header_of(network), weights_of(network), half=half)
    exact, stored = (load_native(tmp_path / f"{half}.safetensors", device="cpu") for half in (False, True))
    latents = exact.sample(4)
    assert np.abs(exact.decode_float(latents) - stored.decode_float(latents)).max() < 0.01
    assert all(str(p.dtype) == "torch.float32" for p in stored.network.parameters())


def test_weights_that_do_not_fit_are_listed_ten_at_most(checkpoint: Path) -> None:
    weights = read_weights(checkpoint)
    changes: dict[str, Any] = {f"added.{i}": np.zeros(2, np.float32) for i in range(12)}
    changes["encoder.moments.bias"] = None
    changes["encoder.moments.weight"] = weights["encoder.moments.weight"][:-1]
    with pytest.raises(CheckpointError) as caught:
        load_native(rewritten(checkpoint, changes))
    lines = str(caught.value).splitlines()
    assert "14 of its tensors" in lines[0]
    assert sum("added." in line for line in lines) == 10
    assert lines[-1].strip() == "… and 4 more"
    with pytest.raises(CheckpointError, match=r"shape +encoder.moments.weight is \(9, .*\), \(10, "):
        load_native(rewritten(checkpoint, {f"added.{i}": None for i in range(12)}))


@pytest.mark.parametrize("dtype", [np.int32, np.float64, np.int8])
def test_other_dtypes_are_refused_not_cast(checkpoint: Path, dtype: Any) -> None:
    bias = read_weights(checkpoint)["encoder.moments.bias"]
    with pytest.raises(CheckpointError, match=f"encoder.moments.bias is {np.dtype(dtype)}"):
        load_native(rewritten(checkpoint, {"encoder.moments.bias": bias.astype(dtype)}))


def test_weights_that_are_not_finite_open_with_a_warning_and_draw_a_placeholder(checkpoint: Path) -> None:
    weight = read_weights(checkpoint)["decoder.project.weight"].copy()
    weight[0, 0] = np.nan
    model = load_native(rewritten(checkpoint, {"decoder.project.weight": weight}), device="cpu")
    assert any("decoder.project.weight" in warning for warning in model.info.warnings)
    images = model.decode(model.sample(2))
    assert np.array_equal(images[0], images[1])
    assert len(np.unique(images)) == 2


def test_a_latent_that_is_not_finite_draws_a_placeholder_for_itself_alone(checkpoint: Path) -> None:
    model = load_native(checkpoint, device="cpu")
    latents = model.sample(2)
    latents[0, 0] = np.inf
    images = model.decode(latents)
    assert len(np.unique(images[0])) == 2
    assert np.array_equal(images[1], model.decode(latents[1])[0])


def test_a_header_that_contradicts_its_architecture_is_refused(checkpoint: Path) -> None:
    header = read_header(checkpoint)
    image = header.image.model_copy(update={"height": 32})
    with pytest.raises(CheckpointError, match="32 x 16"):
        load_native(rewritten(checkpoint, {}, image=image))


def test_an_unknown_architecture_is_refused_by_name(checkpoint: Path) -> None:
    header = read_header(checkpoint)
    with pytest.raises(CheckpointError, match="Did you mean 'dcgan'"):
        load_native(rewritten(checkpoint, {}, architecture=header.architecture | {"name": "dgcan"}))


@pytest.fixture
def model(checkpoint: Path) -> TorchModel:
    return load_native(checkpoint, device="cpu")


def test_wrong_arguments_are_said(model: TorchModel) -> None:
    with pytest.raises(OptionError, match=r"\(B, 5\)"):
        model.decode(np.zeros((2, 4), np.float32))
    with pytest.raises(OptionError, match="no latent space 'w'"):
        model.decode(model.sample(1), space="w")
    with pytest.raises(DataError, match=r"float32 from -1 to -1"):
        model.encode(np.full((1, 16, 16, 3), -1, np.float32))
    with pytest.raises(OptionError, match="There is no device 'gpu'"):
        TorchModel(model.network, model.info, device="gpu")


def test_grey_pictures_are_coloured_and_colours_greyed(model: TorchModel, tmp_path: Path) -> None:
    grey = np.full((2, 20, 20), 77, np.uint8)
    assert np.array_equal(model.prepared(grey), np.full((2, 16, 16, 3), 77, np.uint8))
    network = tiny_network("vae mlp")
    write_checkpoint(tmp_path / "grey.safetensors", header_of(network), weights_of(network))
    white = np.full((1, 28, 28, 3), 255, np.uint8)
    assert np.array_equal(load_native(tmp_path / "grey.safetensors").prepared(white), white[..., :1])


def test_directions_come_from_the_encodings(tmp_path: Path) -> None:
    network = tiny_network()
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((60, 5)).astype(np.float32)
    has_it = (np.arange(60) % 2).astype(np.float32)
    latents[:, 2] += 3 * has_it
    encodings = EncodingSet(latents, attributes=has_it[:, None], attribute_names=("hat",))
    write_checkpoint(tmp_path / "m.safetensors", header_of(network), weights_of(network), encodings)
    model = load_native(tmp_path / "m.safetensors", device="cpu")
    direction = model.directions["hat"]
    assert int(np.abs(direction.vector).argmax()) == 2
    assert direction.checkpoint == model.info.sha256


def test_memory_that_runs_out_on_the_device_is_answered_by_smaller_batches_then_the_cpu(
    model: TorchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    expected = model.decode(model.sample(4))
    decode = type(model.network).decode
    allowed = [2]

    def scarce(self: Any, latents: torch.Tensor, condition: Any = None) -> torch.Tensor:
        if len(latents) > allowed[0]:
            raise torch.OutOfMemoryError("out of memory")
        return decode(self, latents, condition)

    monkeypatch.setattr(type(model.network), "decode", scarce)
    assert np.array_equal(model.decode(model.sample(4)), expected)
    assert len(model.info.warnings) == 1
    model.decode(model.sample(4))
    assert len(model.info.warnings) == 1
