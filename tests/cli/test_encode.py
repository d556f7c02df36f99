"""`latentlab encode` without -o: what is encoded lies beside the checkpoint, as the window keeps it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab import cli, open_model
from latentlab.core import beside
from latentlab.core.encodings_file import ENDING, encodings_beside


@pytest.fixture
def folder(face: Path, tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        (tmp_path / "pictures" / name / "face.png").write_bytes(face.read_bytes())
    return tmp_path / "pictures"


def test_encodings_are_kept_beside_the_checkpoint_and_found_there(
    vae: Path, folder: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copy(vae, tmp_path / "faces.safetensors"))
    before = path.read_bytes()
    assert cli.main(["encode", str(path), "--images", str(folder)]) == 0
    said = capsys.readouterr()
    kept = tmp_path / f"faces.safetensors{ENDING}"
    assert said.out == ""
    assert "2 pictures encoded, 0 skipped" in said.err
    assert f"Kept as {kept}" in said.err
    assert path.read_bytes() == before
    model = open_model(path, device="cpu")
    assert model.encodings is not None
    assert (len(model.encodings), model.encodings.label_names) == (2, ("one", "two"))
    with Image.open(face) as picture:
        latent = model.encode(np.asarray(picture)[None])
    np.testing.assert_allclose(model.encodings.latents[0], latent[0], atol=1e-5)
    assert cli.main(["info", str(path)]) == 0
    assert '"count": 2' in capsys.readouterr().out


def test_pictures_without_labels_take_the_attributes_away_and_that_is_said(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copy(vae, tmp_path / "faces.safetensors"))
    (tmp_path / "flat").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "flat" / name).write_bytes(face.read_bytes())
    assert cli.main(["encode", str(path), "--images", str(tmp_path / "flat")]) == 0
    assert "no attributes now; Eyeglasses, Smiling, low, … come back" in capsys.readouterr().err
    out = tmp_path / "out.png"
    assert cli.main(["render", str(path), "-o", str(out), "--attribute", "Smiling=1"]) == 2
    assert "no attribute 'Smiling'. This checkpoint has none" in capsys.readouterr().err


def test_where_the_folder_cannot_be_written_to_they_are_kept_elsewhere(
    vae: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(vae, tmp_path / "faces.safetensors"))
    monkeypatch.setattr(beside, "assets_folder", lambda: tmp_path)  # the bundled models' folder is never written to
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))
    assert cli.main(["encode", str(path), "--images", str(folder)]) == 0
    said = capsys.readouterr().err
    assert not (tmp_path / f"faces.safetensors{ENDING}").exists()
    (kept,) = (tmp_path / "data").rglob(f"*{ENDING}")
    assert str(kept) in said
    model = open_model(path, device="cpu")
    found = encodings_beside(model.info).encodings
    assert found is not None
    assert len(found) == 2


def test_without_an_encoder_nothing_is_written(
    gan: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(shutil.copy(gan, tmp_path / "gan.safetensors"))
    assert cli.main(["encode", str(path), "--images", str(folder)]) == 2
    assert "no encoder" in capsys.readouterr().err
    assert not list(tmp_path.glob(f"*{ENDING}"))
