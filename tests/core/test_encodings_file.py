"""Encodings beside a checkpoint: found again, refused when they are not its own, kept elsewhere where need be."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.beside import found_beside, path_beside, path_elsewhere
from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.encodings_file import ENDING, encodings_beside, write_encodings
from latentlab.core.errors import SaveError
from latentlab.core.latent_model import ImageShape, ModelInfo
from latentlab.core.spaces import LatentSpace

DIM = 5


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def info(tmp_path: Path) -> ModelInfo:
    path = tmp_path / "models" / "faces.pth"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    spaces = (LatentSpace("z", (DIM,)),)
    return ModelInfo(str(path), "MLP VAE", "vae", ImageShape(8, 8, 1), spaces, encoder=True, sha256="ab" * 32)


def encodings(count: int = 12) -> EncodingSet:
    latents = np.random.default_rng(1).standard_normal((count, DIM)).astype(np.float32)
    return EncodingSet(
        latents, labels=np.arange(count) % 3, label_names=("a", "b", "ç"),
        names=tuple(f"{i}.png" for i in range(count)),
        attributes=(latents[:, :1] > 0).astype(np.float32), attribute_names=("Smiling",), pca=StoredPCA.fit(latents),
        thumbnails=Thumbnails(np.frombuffer(b"x" * count, np.uint8), np.arange(count + 1)), samples=True,
    )  # fmt: skip


def test_what_was_kept_is_found_again(info: ModelInfo) -> None:
    kept = encodings()
    path = write_encodings(info, kept, "holiday")
    assert path == Path(info.path + ENDING)
    found = encodings_beside(info)
    assert found.warning == ""
    assert found.encodings is not None
    assert np.array_equal(found.encodings.latents, kept.latents)
    assert found.encodings.label_names == ("a", "b", "ç")
    assert [found.encodings.label_of(i) for i in (0, 2)] == ["a", "ç"]
    assert np.array_equal(found.encodings.attribute("Smiling"), kept.attribute("Smiling"))
    assert found.encodings.names[3] == "3.png"
    assert found.encodings.samples
    assert found.encodings.pca is not None
    assert found.encodings.thumbnails is not None
    assert found.encodings.thumbnails.coded(2) == b"x"


def test_a_checkpoint_alone_has_none(info: ModelInfo) -> None:
    found = encodings_beside(info)
    assert (found.encodings, found.warning) == (None, "")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"sha256": "cd" * 32}, "another version of this checkpoint"),
        ({"reading": {"activation": "tanh", "range": "tanh"}}, "read with nothing said"),
        ({"spaces": (LatentSpace("z", (DIM + 1,)),)}, "latents of 5 numbers"),
        ({"spaces": (LatentSpace("w", (DIM,)),)}, "in 'z'"),
    ],
)
def test_those_of_another_model_are_refused(info: ModelInfo, other: dict[str, object], said: str) -> None:
    write_encodings(info, encodings())
    found = encodings_beside(replace(info, **other))  # type: ignore[arg-type]
    assert found.encodings is None
    assert said in found.warning
    assert "make them again" in found.warning


@pytest.mark.parametrize("damage", ["truncated", "header", "other", "empty"])
def test_a_damaged_file_is_said_and_the_checkpoint_opens(info: ModelInfo, damage: str) -> None:
    path = write_encodings(info, encodings())
    whole = path.read_bytes()
    path.write_bytes(
        {"truncated": whole[:-9], "header": whole.replace(b"version", b"versio\\"),
         "other": b"\x02" + b"\0" * 7 + b"{}", "empty": b""}[damage]
    )  # fmt: skip
    found = encodings_beside(info)
    assert found.encodings is None
    assert path.name in found.warning


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind nobody here")
def test_a_folder_that_may_not_be_written_to(info: ModelInfo) -> None:
    folder = Path(info.path).parent
    folder.chmod(0o500)
    try:
        path = write_encodings(info, encodings())
    finally:
        folder.chmod(0o700)
    assert path == path_elsewhere(Path(info.path), ENDING)


def test_where_the_folder_takes_no_file_the_data_folder_does(info: ModelInfo) -> None:
    beside = path_beside(Path(info.path), ENDING)
    beside.mkdir()  # a folder of that name: nothing can be written there
    path = write_encodings(info, encodings(7))
    assert path == path_elsewhere(Path(info.path), ENDING)
    found = encodings_beside(info)
    assert found.encodings is not None
    assert len(found.encodings) == 7
    beside.rmdir()
    write_encodings(info, encodings(9))  # now beside it, and the one elsewhere no longer stands in its way
    again = encodings_beside(info)
    assert again.encodings is not None
    assert len(again.encodings) == 9
    assert found_beside(Path(info.path), ENDING) == beside


def test_nowhere_to_write(info: ModelInfo, tmp_path: Path) -> None:
    path_beside(Path(info.path), ENDING).mkdir()
    (tmp_path / "data").write_bytes(b"in the way")
    with pytest.raises(SaveError, match="LATENTLAB_DATA_HOME"):
        write_encodings(info, encodings())
