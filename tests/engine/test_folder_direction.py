"""The job that makes a direction of folders of pictures: with an encoder, against the map, by search, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import CheckpointError, DataError, OptionError
from latentlab.core.requests import JobCancelled
from latentlab.engine import folder_direction
from latentlab.formats import open_checkpoint
from tests.cli.conftest import write_tiny


class Said:
    """A report that keeps what it hears, and is cancelled at the first word of a kind."""

    def __init__(self, cancel_at: str = "") -> None:
        self.cancel_at = cancel_at
        self.done: list[float] = []
        self.texts: list[str] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.done.append(done / max(total, 1e-9))
        self.texts.append(text)
        if self.cancel_at and text.startswith(self.cancel_at):
            raise JobCancelled

    def partial(self, value: Any) -> None: ...


def pictures(folder: Path, count: int, level: int) -> str:
    folder.mkdir()
    rng = np.random.default_rng(level)
    for index in range(count):
        noise = rng.integers(0, 30, (20, 20, 3))
        Image.fromarray((level + noise).astype(np.uint8)).save(folder / f"{index}.png")
    return str(folder)


@pytest.fixture(scope="module")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("vae") / "tiny.safetensors")


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("gan") / "tiny.safetensors", "dcgan")


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[int, int], tuple[str, str]]:
    return lambda bright, dark: (
        pictures(tmp_path / "bright", bright, 200),
        pictures(tmp_path / "dark", dark, 20),
    )


def test_two_folders_make_the_direction_between_their_means(
    vae: Path, folders: Callable[[int, int], tuple[str, str]]
) -> None:
    bright, dark = folders(12, 15)
    (Path(bright) / "broken.png").write_bytes(b"no picture")
    report = Said()
    found = folder_direction.run(report, str(vae), bright, "bright", dark, device="cpu")
    assert (found.with_it, found.without, found.direction.examples) == (12, 15, 27)
    assert found.direction.name == "bright"
    assert found.direction.auc == pytest.approx(1)
    assert len(found.skipped) == 1
    assert "broken.png" in found.skipped[0]
    model = open_checkpoint(vae, device="cpu")
    means = [
        model.encode(np.stack([np.asarray(Image.open(file)) for file in sorted(Path(folder).glob("[0-9]*.png"))])).mean(
            0
        )
        for folder in (bright, dark)
    ]
    cosine = found.direction.vector @ (means[0] - means[1])
    assert cosine > 0.99 * np.linalg.norm(found.direction.vector) * np.linalg.norm(means[0] - means[1])
    assert report.done == sorted(report.done)
    assert report.done[-1] == pytest.approx(1)


def test_one_folder_against_the_encodings(vae: Path, folders: Callable[[int, int], tuple[str, str]]) -> None:
    bright, _ = folders(12, 1)
    model = open_checkpoint(vae, device="cpu")
    assert model.encodings is not None
    found = folder_direction.run(
        Said(), str(vae), bright, "bright", against=model.encodings.latents, checkpoint=model.info.sha256, device="cpu"
    )
    assert (found.with_it, found.without) == (12, 60)
    assert found.direction.method == "pictures against the encodings"
    with pytest.raises(DataError, match="second folder"):
        folder_direction.run(Said(), str(vae), bright, "bright", device="cpu")
    with pytest.raises(CheckpointError, match="has changed"):
        folder_direction.run(Said(), str(vae), bright, "bright", bright, checkpoint="other", device="cpu")


def test_without_an_encoder_each_picture_is_searched_for(
    gan: Path, folders: Callable[[int, int], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_direction, "SEARCHED_AT_MOST", 2)
    monkeypatch.setattr(folder_direction, "SEARCH_STEPS", 3)
    bright, dark = folders(3, 2)
    report = Said()
    found = folder_direction.run(report, str(gan), bright, "bright", dark, device="cpu")
    assert (found.with_it, found.without, found.direction.examples) == (2, 2, 4)
    assert found.direction.space == "z"
    assert "searching: 2 of 2" in report.texts
    with pytest.raises(OptionError, match="second folder too"):
        folder_direction.run(Said(), str(gan), bright, "bright", against=np.zeros((3, 5), np.float32), device="cpu")


@pytest.mark.parametrize("stage", ["reading", "encoding"])
def test_it_can_be_cancelled_on_the_way(vae: Path, folders: Callable[[int, int], tuple[str, str]], stage: str) -> None:
    bright, dark = folders(3, 3)
    with pytest.raises(JobCancelled):
        folder_direction.run(Said(cancel_at=stage), str(vae), bright, "bright", dark, device="cpu")
