"""StyleGAN2 in rosinality's files: the pictures of the papers' formulas, the spaces z and w, truncation and noise."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import MapsSpaces
from latentlab.formats import open_checkpoint
from latentlab.measure.inversion import invert
from latentlab.models.torch_model import TorchModel
from tests.formats.saving import save
from tests.formats.stylegan2_samples import (
    Sizes,
    as_rosinality,
    mapped,
    random_weights,
    rosinality,
    synthesised,
)  # fmt: skip


def expected(weights: dict[str, torch.Tensor], w: np.ndarray, noisy: bool = True) -> np.ndarray:
    made = torch.stack([synthesised(weights, torch.from_numpy(row), noisy) for row in w])
    return (made.permute(0, 2, 3, 1).numpy() / 2 + 0.5).clip(0, 1)


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(z=6, mapping=1, channels=(4, 3, 8, 2), pictures=1)])
def test_the_pictures_of_the_formulas(tmp_path: Path, sizes: Sizes) -> None:
    weights = random_weights(sizes)
    file = {"g_ema": as_rosinality(weights), "g": as_rosinality(random_weights(sizes, 5)), "args": Namespace(size=16)}
    torch.save(file, tmp_path / "ffhq.pt")
    model = open_checkpoint(tmp_path / "ffhq.pt", device="cpu")
    side = 4 * 2 ** (len(sizes.channels) - 1)
    assert (model.info.format, model.info.image.height, model.info.family) == (
        "StyleGAN2 (rosinality)",
        side,
        "stylegan2",
    )
    assert [(space.name, space.dim) for space in model.info.spaces] == [("z", sizes.z), ("w", sizes.w)]
    z = model.sample(3, seed=4)
    w = np.stack([mapped(weights, torch.from_numpy(row)).numpy() for row in z])
    assert isinstance(model, MapsSpaces)
    np.testing.assert_allclose(model.to_space(z, "z", "w"), w, atol=1e-5)
    pictures = expected(weights, w)
    assert pictures.std() > 0.1
    np.testing.assert_allclose(model.decode_float(z), pictures, atol=1e-5)
    np.testing.assert_allclose(model.decode_float(w, space="w"), pictures, atol=1e-5)
    quiet = open_checkpoint(tmp_path / "ffhq.pt", device="cpu", options={"noise": "none"})
    np.testing.assert_allclose(quiet.decode_float(z), expected(weights, w, noisy=False), atol=1e-5)
    assert np.abs(quiet.decode_float(z) - pictures).max() > 0.05


def test_w_is_where_z_is_mapped_to(tmp_path: Path) -> None:
    model = open_checkpoint(rosinality(tmp_path / "a.pt"), device="cpu")
    w = model.info.space("w")
    many = model.to_space(model.sample(3000, seed=9), "z", "w")  # type: ignore[attr-defined]
    np.testing.assert_allclose(w.mean, many.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(w.std, many.std(axis=0), rtol=0.1)
    assert (w.prior, w.drawable) == ("empirical", True)
    draws = model.sample(500, seed=2, space="w")
    np.testing.assert_allclose(np.cov(draws.T), np.cov(many.T), atol=0.25 * np.cov(many.T).max())
    centre = model.sample(2, seed=2, truncation=0, space="w")
    np.testing.assert_allclose(centre, np.stack([w.centre, w.centre]), atol=1e-6)
    half = model.sample(500, seed=2, truncation=0.5, space="w")
    np.testing.assert_allclose(half - w.centre, (draws - w.centre) / 2, atol=1e-5)
    assert model.info.mappings == (("z", "w"),)
    with pytest.raises(OptionError, match="only those of z to w"):
        model.to_space(draws, "w", "z")  # type: ignore[attr-defined]
    with pytest.raises(OptionError, match="no latent space 's'"):
        model.decode(draws, space="s")


def test_a_picture_is_inverted_by_search(tmp_path: Path) -> None:
    model = open_checkpoint(rosinality(tmp_path / "a.pt"), device="cpu")
    assert isinstance(model, TorchModel)
    assert model.info.invertible
    picture = model.decode(model.sample(1, seed=8))[0]
    found = invert(model, picture, steps=15)
    assert found.mse < found.started_mse


def test_files_without_noise_have_one_that_stays_the_same(tmp_path: Path) -> None:
    state = {name: value for name, value in as_rosinality(random_weights()).items() if not name.startswith("noises.")}
    path = save(state, tmp_path / "a.pt", "g_ema")
    first, second = (open_checkpoint(path, device="cpu") for _ in range(2))
    np.testing.assert_array_equal(first.decode(first.sample(2)), second.decode(first.sample(2)))


def test_missing_and_misshapen_weights_are_named(tmp_path: Path) -> None:
    state = as_rosinality(random_weights())
    with pytest.raises(CheckpointError, match=r"1 weights are missing .* 'layers\.2\.affine\.bias'"):
        open_checkpoint(save(without(state, "convs.1.conv.modulation.bias"), tmp_path / "a.pt", "g_ema"))
    state["convs.2.conv.weight"] = torch.zeros(1, 5, 9, 3, 3)
    with pytest.raises(CheckpointError, match=r"'layers\.3\.weight' \(is \(5, 9, 3, 3\); \(5, 6, 3, 3\) is needed\)"):
        open_checkpoint(save(state, tmp_path / "a.pt", "g_ema"))


def without(state: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    return {key: value for key, value in state.items() if key != name}


def test_the_affine_layers_of_all_blocks_say_what_directions_w_has(tmp_path: Path) -> None:
    weights = random_weights()
    model = open_checkpoint(rosinality(tmp_path / "a.pt"), device="cpu")
    found = model.weight_directions(3, space="w")  # type: ignore[attr-defined]
    names = ["at4.b", "at8.a", "at8.b", "at16.a", "at16.b", "rgb16"]
    stacked = np.concatenate([weights[f"{name}.affine.weight"].numpy() for name in names])
    stacked /= np.linalg.norm(stacked, axis=1, keepdims=True)
    _, _, axes = np.linalg.svd(stacked)
    draws = model.info.space("w").draws
    for k, direction in enumerate(found):
        length = float(np.linalg.norm(direction.vector))
        assert abs(float(direction.vector @ axes[k])) == pytest.approx(length, rel=1e-4)
        assert length == pytest.approx(float((draws @ axes[k]).std()), rel=1e-3)
        assert (direction.space, direction.name) == ("w", f"SeFa {k + 1}")
    with pytest.raises(OptionError, match="switch to the space w"):
        model.weight_directions(3)  # type: ignore[attr-defined]


def test_components_of_draws_in_w(tmp_path: Path) -> None:
    """GANSpace: without any encodings, the draws that w keeps."""
    model = open_checkpoint(rosinality(tmp_path / "a.pt"), device="cpu")
    first, second = model.principal_directions(2, space="w")  # type: ignore[attr-defined]
    draws = model.info.space("w").draws
    assert draws is not None
    assert np.linalg.norm(first.vector) == pytest.approx(np.sqrt(np.linalg.eigvalsh(np.cov(draws.T))[-1]), rel=1e-3)
    assert abs(float(first.vector @ second.vector)) < 1e-4
    assert list(model.directions) == ["PC 1", "PC 2"]
    with pytest.raises(OptionError, match="z has neither"):
        model.principal_directions(2)  # type: ignore[attr-defined]
