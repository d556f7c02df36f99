"""The small map of every epoch: what it holds, and that making it changes no run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.models.family import Network, architecture_from
from training.epoch_map import principal_axes, small, write_map


def network(family: str, **parameters: object) -> Network:
    torch.manual_seed(0)
    made, architecture = architecture_from(
        {"name": family, "image_size": 8, "channels": 1, "latent_dim": 5, "width": 4, **parameters}
    )
    return made(architecture).eval()


def pictures(count: int = 30) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)


def written(folder: Path, of: Network, **told: object) -> dict[str, np.ndarray]:
    write_map(folder, 3, of, pictures(), **told)  # type: ignore[arg-type]
    with np.load(folder / "epoch-0003.npz", allow_pickle=False) as content:
        return dict(content)


def test_encodings_lie_along_their_principal_axes(tmp_path: Path) -> None:
    labels = np.arange(30) % 3
    found = written(tmp_path, network("vae"), labels_N=labels, label_names=("a", "b", "c"))
    assert found["layout"].shape == (30, 2)
    assert found["layout"].dtype == np.float32
    assert str(found["of"]) == "components"
    assert not found["drawn"].any()
    assert found["labels"].tolist() == labels.tolist()
    assert found["label_names"].tolist() == ["a", "b", "c"]
    spread = found["layout"].std(0)
    assert spread[0] > spread[1] > 0
    assert 0 < found["share"] <= 1


def test_two_numbers_are_drawn_as_they_are(tmp_path: Path) -> None:
    made = network("vae", latent_dim=2)
    found = written(tmp_path, made)
    inputs = torch.from_numpy(pictures()).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    with torch.inference_mode():
        assert np.allclose(found["layout"], made.encode(inputs).numpy(), atol=1e-5)
    assert (str(found["of"]), float(found["share"])) == ("latents", pytest.approx(1))


def test_draws_of_a_generator_lie_among_the_pictures(tmp_path: Path) -> None:
    found = written(tmp_path, network("dcgan"))
    assert str(found["of"]) == "pictures"
    assert found["layout"].shape == (60, 2)
    assert found["drawn"].tolist() == [False] * 30 + [True] * 30
    known = small(pictures())
    axes, _ = principal_axes(known)
    assert np.allclose(found["layout"][:30], (known - known.mean(0)) @ axes.T, atol=1e-5)


@pytest.mark.parametrize("family", ["vae", "avb", "dcgan"])
def test_making_a_map_draws_no_random_numbers(family: str, tmp_path: Path) -> None:
    made = network(family)
    before = torch.get_rng_state()
    first = written(tmp_path, made)["layout"]
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(written(tmp_path, made)["layout"], first)


def test_a_run_that_has_diverged_has_no_map(tmp_path: Path) -> None:
    made = network("vae")
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(torch.inf)
    write_map(tmp_path, 1, made, pictures())
    assert not list(tmp_path.iterdir())


def test_large_pictures_are_compared_from_far_away() -> None:
    assert small(np.full((2, 64, 64, 3), 255, np.uint8)).shape == (2, 16 * 16 * 3)
    assert small(np.full((2, 28, 28, 1), 255, np.uint8)).max() == 1
