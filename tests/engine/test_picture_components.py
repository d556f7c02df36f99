"""The job that finds components of pictures: of what is in a file, and refused where the file has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentlab
from latentlab.core.errors import CheckpointError
from latentlab.engine.picture_components import run
from tests.cli.conftest import write_tiny


@pytest.fixture(scope="module")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("vae") / "vae.safetensors", "vae")


class Silent:
    def progress(self, done: float, total: float, text: str = "") -> None: ...

    def partial(self, value: Any) -> None: ...


def test_a_job_finds_what_the_model_itself_finds(vae: Path) -> None:
    model = latentlab.open_model(vae, device="cpu")
    found = run(Silent(), str(vae), "z", count=2, checkpoint=model.info.sha256, device="cpu")
    assert [component.direction.name for component in found] == ["GANSpace 1", "GANSpace 2"]
    assert found[0].direction.checkpoint == model.info.sha256
    wanted = model.picture_directions(2)
    np.testing.assert_allclose(found[0].direction.vector, wanted[0].vector, atol=1e-6)
    with pytest.raises(CheckpointError, match="has changed"):
        run(Silent(), str(vae), "z", checkpoint="another", device="cpu")
