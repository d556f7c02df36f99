"""Memory that runs out: decoding, encoding and inverting go on with fewer at a time, then on the CPU, said once.

The meta device stands in for a graphics card: what lies there has a device of its own and takes no memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from latentlab.core.errors import Failure
from latentlab.measure.encoding import encode_pictures
from latentlab.measure.inversion import TOGETHER, invert
from latentlab.measure.memory import in_memory
from latentlab.models.dcgan import DCGAN, DCGANArchitecture
from latentlab.models.torch_model import TorchModel, model_of
from latentlab.models.vae import VAE, VAEArchitecture

SIDE, DIM, COUNT = 16, 4, 6
NO_MEMORY = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 GB"


class Said:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.texts.append(text)

    def partial(self, value: object) -> None:
        pass

    @property
    def of_memory(self) -> list[str]:
        return [text for text in self.texts if "memory" in text]


@pytest.fixture
def vae() -> TorchModel:
    torch.manual_seed(0)
    architecture = VAEArchitecture(image_size=SIDE, channels=1, latent_dim=DIM, network="mlp", hidden=16)
    return model_of(VAE(architecture).eval())


@pytest.fixture
def gan() -> TorchModel:
    torch.manual_seed(0)
    return model_of(DCGAN(DCGANArchitecture(image_size=SIDE, channels=1, latent_dim=DIM, width=4)).eval())


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 1), dtype=np.uint8)


def scarce(monkeypatch: pytest.MonkeyPatch, model: TorchModel, method: str, room: Callable[[Tensor], bool]) -> None:
    """From now on `method` of the model's network finds no memory for inputs that `room` says no to."""
    work = getattr(type(model.network), method)

    def short(self: Any, inputs: Tensor, *rest: Any) -> Any:
        if not room(inputs):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return work(self, inputs, *rest)

    monkeypatch.setattr(type(model.network), method, short)


def on_the_cpu_alone(inputs: Tensor) -> bool:
    return inputs.device.type == "cpu"


def test_decoding_ends_up_on_the_cpu(vae: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = vae.sample(COUNT)
    expected = vae.decode(latents)
    vae.device = torch.device("meta")
    scarce(monkeypatch, vae, "decode", on_the_cpu_alone)
    assert np.array_equal(vae.decode(latents), expected)
    assert vae.device.type == "cpu"
    fewer, cpu = vae.info.warnings
    assert "smaller batches" in fewer
    assert "on the CPU from now on" in cpu
    vae.decode(latents)
    assert len(vae.info.warnings) == 2


@pytest.mark.parametrize("room", [lambda inputs: len(inputs) <= 2, on_the_cpu_alone], ids=["few", "none"])
def test_encoding_gives_the_same_with_less_memory(
    vae: TorchModel, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch, room: Callable[[Tensor], bool]
) -> None:
    expected, encoded = encode_pictures(vae, pictures), vae.encode(pictures)
    if room is on_the_cpu_alone:
        vae.device = torch.device("meta")
    for method in ("posterior", "encode"):
        scarce(monkeypatch, vae, method, room)
    found = encode_pictures(vae, pictures)
    np.testing.assert_allclose(found.latents, expected.latents, atol=1e-6)
    assert found.kl_per_dimension is not None
    np.testing.assert_allclose(found.kl_per_dimension, expected.kl_per_dimension, rtol=1e-5)
    np.testing.assert_allclose(vae.encode(pictures), encoded, atol=1e-6)
    assert vae.device.type == "cpu"


def test_inverting_goes_on_with_fewer_starts_at_a_time(
    gan: TorchModel, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = invert(gan, pictures[0], steps=3)
    # Only the search has gradients; what measures the starts is `TorchModel.decode`, which has its own way back.
    scarce(monkeypatch, gan, "decode", lambda latents: not latents.requires_grad or len(latents) == 1)
    report = Said()
    found = invert(gan, pictures[0], steps=3, report=report)
    np.testing.assert_allclose(found.latent, expected.latent, atol=1e-4)
    (said,) = report.of_memory
    assert "fewer at a time" in said
    assert TOGETHER > 1, "else nothing could be halved"


def test_a_single_row_that_does_not_fit_goes_to_the_cpu(gan: TorchModel) -> None:
    gan.device = torch.device("meta")
    said: list[str] = []

    def work(rows: slice) -> list[int]:
        if gan.device.type == "meta":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(range(rows.start, rows.stop))

    parts = in_memory(gan, COUNT, work, said.append)
    assert [row for part in parts for row in part] == list(range(COUNT))
    assert gan.device.type == "cpu"
    assert ["with the CPU" in text for text in said] == [False, True], "once each"


@pytest.mark.parametrize("work", ["decode", "encode", "posterior", "invert"])
def test_a_cpu_without_memory_is_said(
    work: str, vae: TorchModel, gan: TorchModel, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError(NO_MEMORY)

    for model in (vae, gan):
        for method in ("decode", "encode", "posterior"):
            monkeypatch.setattr(type(model.network), method, none_left, raising=False)
    attempts: dict[str, Callable[[], object]] = {
        "decode": lambda: vae.decode(vae.sample(2)),
        "encode": lambda: vae.encode(pictures),
        "posterior": lambda: encode_pictures(vae, pictures),
        "invert": lambda: invert(gan, pictures[0], steps=2),
    }
    with pytest.raises(Failure, match=r"memory.*close other programs|memory.*Close other programs"):
        attempts[work]()
