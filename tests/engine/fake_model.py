"""A model in numpy alone, and factories that open it in an engine's process. Steered by what it is asked for.

`open_fake` opens any path that exists: the text of the file is the SHA-256 of the model; "kill" ends the process,
"large" does not fit in memory, "slow" waits at the gate. In a decode, the first number of the first latent decides:
KILL ends the process, FAIL raises, GATE waits until the test lets it go (see `Gate`), LOST fails as a lost device does,
the first time it is asked for, OUTGROW as a CPU without memory.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.condition import Asked
from latentlab.core.directions import DirectionSet
from latentlab.core.errors import CheckpointError, OptionError
from latentlab.core.latent_model import Images, ImageShape, ModelInfo
from latentlab.core.spaces import FloatArray, LatentSpace

DIM = 4
KILL, FAIL, REFUSE, GATE = 90.0, 91.0, 92.0, 93.0
LOST, OUTGROW = -94.0, -95.0
NO_MEMORY = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"


class Gate:
    """A place where a process waits for the test: `entered()` returns once it is there, `let_go()` lets it pass."""

    def __init__(self, folder: Path) -> None:
        self.into, self.out = folder / "into", folder / "out"
        for pipe in (self.into, self.out):
            if not pipe.exists():
                os.mkfifo(pipe)

    def entered(self) -> None:
        self.into.read_bytes()

    def let_go(self) -> None:
        self.out.write_bytes(b"")

    def wait_here(self) -> None:
        self.into.write_bytes(b"")
        self.out.read_bytes()


class AcceleratorError(RuntimeError):
    """By this name torch calls a fault of the device itself."""


class FakeModel:
    """Decodes a latent to an 8 x 8 grey picture as bright as its first number; encodes a picture to its mean."""

    encodings = None
    directions = DirectionSet()
    device = "cpu"

    def __init__(self, path: Path, sha256: str, size: int = 8) -> None:
        self.path = path
        self.info = ModelInfo(
            str(path), "fake", "fake", ImageShape(size, size, 1), (LatentSpace("z", (DIM,)),), True, sha256=sha256
        )

    def sample(self, count: int, seed: int = 0, truncation: float = 1.0, *, space: str | None = None) -> FloatArray:
        return self.info.spaces[0].sample(count, seed, truncation)

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: Asked = None) -> Images:
        first = float(latents[0, 0])
        if first == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if first == FAIL:
            raise ValueError("a fault of the model")
        if first == OUTGROW:
            raise RuntimeError(NO_MEMORY)
        if first == REFUSE:
            raise OptionError("The class 9 does not exist; choose 0 to 3.")
        if first == GATE:
            Gate(self.path.parent).wait_here()
        if first == LOST and not (seen := self.path.with_suffix(".lost")).exists():
            seen.touch()
            raise AcceleratorError("CUDA error: unspecified launch failure")
        height, width = self.info.image.height, self.info.image.width
        values = np.clip(latents[:, 0], 0, 255).astype(np.uint8)
        return np.broadcast_to(values[:, None, None, None], (len(values), height, width, 1)).copy()

    def decode_float(self, latents: FloatArray, **options: Any) -> FloatArray:
        return self.decode(latents, **options).astype(np.float32) / 255

    def encode(self, images: Images, *, condition: Asked = None) -> FloatArray:
        means = images.reshape(len(images), -1).mean(axis=1)
        return np.repeat(means[:, None], DIM, 1).astype(np.float32)


def open_fake(path: Path, device: str, trust: bool, options: dict[str, Any]) -> FakeModel:
    try:
        text = path.read_text()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    if text == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "large":
        raise RuntimeError(NO_MEMORY)
    if text == "slow":
        Gate(path.parent).wait_here()
    return FakeModel(path, text, options.get("size", 8))
