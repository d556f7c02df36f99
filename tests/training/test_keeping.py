"""Averaged weights, number formats and sheets: what accompanies a run without changing it."""

from __future__ import annotations

import platform
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.errors import OptionError
from latentlab.models.device import chosen_device
from latentlab.models.vae import VAE, VAEArchitecture
from training.averaging import Averaged
from training.data import Dataset
from training.examples import Examples
from training.losses import apart
from training.memory import kept_memory
from training.precision import Precision, has_fast_bfloat16
from training.sheets import drawn, encoded, sheet, write_sheets

CPU = torch.device("cpu")


def network() -> VAE:
    return VAE(VAEArchitecture(image_size=8, channels=1, latent_dim=2, width=4))


def test_the_average_follows_weights_and_batch_statistics() -> None:
    vae = network()
    averaged = Averaged(vae, decay=0.9)
    target = {name: value.clone() for name, value in vae.state_dict().items()}
    with torch.no_grad():
        for value in vae.state_dict().values():
            value.add_(1)
    for _ in range(300):
        averaged.update(vae)
    for name, value in averaged.network.state_dict().items():
        assert torch.allclose(value.float(), target[name].float() + 1, atol=1e-3), name
    assert not averaged.network.training
    assert not any(parameter.requires_grad for parameter in averaged.network.parameters())
    restored = Averaged(network(), decay=0.9)
    restored.load_state_dict(averaged.state_dict())
    assert restored.steps == 300
    for name, value in restored.network.state_dict().items():
        assert torch.equal(value, averaged.network.state_dict()[name])


def test_the_average_is_the_decayed_sum() -> None:
    vae = network()
    averaged = Averaged(vae, decay=0.5)
    bias = vae.decoder.project.bias  # type: ignore[union-attr]
    assert isinstance(bias, torch.nn.Parameter)
    expected = bias.detach().clone()
    for step in range(6):
        with torch.no_grad():
            bias.fill_(step)
        averaged.update(vae)
        weight = 1 - min(0.5, (1 + step) / (10 + step))
        expected = expected + weight * (step - expected)
    assert torch.allclose(averaged.network.decoder.project.bias, expected)  # type: ignore[union-attr, operator, arg-type]


def test_the_format_follows_from_the_processor() -> None:
    expected = "bfloat16" if has_fast_bfloat16() else "float32"
    assert Precision.choose(CPU).name == expected
    assert Precision.choose(CPU, "float32").autocast()._enabled is False
    assert Precision.choose(CPU, "bfloat16").scaler is None


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xla"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(OptionError):
        chosen_device(name)


def test_a_sheet_holds_every_picture_in_order() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2)
    canvas = sheet(images, columns=3, gap=1)
    assert canvas.shape == (2 * 5 + 1, 3 * 5 + 1, 1)
    for index in range(5):
        row, column = divmod(index, 3)
        assert canvas[1 + 5 * row + 2, 1 + 5 * column + 2, 0] == index
    assert canvas[-2, -2, 0] == 255


def test_sheets_leave_the_random_numbers_alone(tmp_path: Path) -> None:
    vae = network().eval()
    before = torch.get_rng_state()
    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    write_sheets(tmp_path, 7, vae, pictures)
    assert torch.equal(before, torch.get_rng_state())
    with Image.open(tmp_path / "samples-0007.png") as samples:
        assert samples.mode == "L"
    with Image.open(tmp_path / "reconstructions-0007.png") as image:
        rows = np.asarray(image)
    assert np.array_equal(rows[2:10, 2:10], pictures[0, ..., 0])


def test_fewer_pictures_than_a_row_still_stand_above_their_reconstructions(tmp_path: Path) -> None:
    vae = network().eval()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)
    write_sheets(tmp_path, 7, vae, pictures)
    with Image.open(tmp_path / "reconstructions-0007.png") as image:
        rows = np.asarray(image)
    assert rows.shape == (2 * 10 + 2, 3 * 10 + 2)
    decoded = drawn(vae, encoded(vae, pictures))
    for place in range(3):
        left = 2 + 10 * place
        assert np.array_equal(rows[2:10, left : left + 8], pictures[place, ..., 0])
        assert np.array_equal(rows[12:20, left : left + 8], decoded[place, ..., 0])


def test_a_batch_is_the_pictures_asked_for() -> None:
    rng = np.random.default_rng(0)
    data = Dataset(
        "x", rng.integers(0, 256, (9, 8, 8, 3), dtype=np.uint8), labels=np.arange(9), label_names=tuple("abcdefghi")
    )
    examples = Examples.of(data, np.arange(4, 9), CPU)
    batch = examples.batch(np.array([3, 0]), CPU)
    assert batch.labels is not None
    assert batch.labels.tolist() == [7, 4]
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    restored = batch.images.add(1).mul(127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(restored, data.images[[7, 4]])
    torch.manual_seed(0)
    mirrored = examples.batch(np.zeros(32, np.int64), CPU, augment=("flip",)).images
    same = [torch.equal(image, mirrored[0]) for image in mirrored]
    assert 0 < sum(same) < 32
    assert {tuple(image.flatten().tolist()) for image in mirrored} == {
        tuple(image.flatten().tolist()) for image in (mirrored[0], mirrored[0].flip(2))
    }
    assert len(examples.spread(3)) == 3
    assert len(examples.spread(30)) == 5


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_memory_that_is_freed_is_not_faulted_in_again() -> None:
    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            torch.ones(2**24)  # 64 MB
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    with kept_memory():
        faults()  # until there is room for it
        kept = faults()
    assert kept < 0.5 * faults()


def test_kept_losses_let_go_of_the_memory_of_their_step() -> None:
    step = torch.arange(6.0)
    losses = {"loss": step[3], "kl": step[5].to(torch.bfloat16)}
    kept = apart(losses)
    assert {name: value.item() for name, value in kept.items()} == {"loss": 3.0, "kl": 5.0}
    (block,) = {value.untyped_storage().data_ptr() for value in kept.values()}  # one for all of them
    assert block != step.untyped_storage().data_ptr()
    assert apart({}) == {}


def test_pictures_in_memory_are_not_copied() -> None:
    images = np.zeros((9, 8, 8, 3), np.uint8)
    examples = Examples.of(Dataset("x", images), np.array([2, 5]), CPU)
    images[5] = 255
    assert examples.batch(np.array([1]), CPU).images.min() == 1
    assert examples.batch(np.array([0]), CPU).images.max() == -1
