"""What is no checkpoint of ours is refused by its content: said what it is, nothing in it run, nothing unpacked."""

from __future__ import annotations

import io
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.errors import CheckpointError
from latentlab.formats import open_checkpoint


class Planted:
    """Pickled, this leaves a file behind when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def saved(value: object, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return buffer.getvalue()


def arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, images=np.zeros(3, np.uint8))
    return buffer.getvalue()


CONTENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty (0 bytes)"),
    "random": (lambda: np.random.default_rng(4).bytes(5000), "of no known format"),
    "one byte": (lambda: b"\x80", "of no known format"),
    "text": (lambda: "Grüße\n".encode() * 9, "a text file"),
    "json": (lambda: b'{"a": 1}', "a text file"),
    "html": (lambda: b"\xef\xbb\xbf\n<!DOCTYPE html><html>404</html>", "a web page"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    "pickle": (lambda: pickle.dumps({"a": [1, 2]}, protocol=4), "a Python pickle"),
    "stylegan": (lambda: b"\x80\x04\x95" + bytes(8) + b"torch_utils.persistence", "StyleGAN"),
    "picture": (picture, "is a picture"),
    "npz": (arrays, "latentlab-train"),
    "npy": (lambda: b"\x93NUMPY\x01\x00" + bytes(90), "NumPy arrays"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5"),
    "zip": (lambda: zipped({"readme.txt": b"hello"}), "a zip archive without"),
    "cut zip": (lambda: saved({"w": torch.zeros(500)})[:900], "cut off or damaged"),
    "torchscript": (
        lambda: zipped({"m/data.pkl": b"", "m/constants.pkl": b"", "m/code/__torch__.py": b"", "m/version": b"3"}),
        "TorchScript",
    ),
    "pt2": (lambda: zipped({"m/archive_format": b"pt2", "m/data.pkl": b""}), "(.pt2)"),
    "onnx": (lambda: b"\x08\x08\x12\x07pytorch\x1a\x031.0:\x10" + bytes(range(90, 200)), "ONNX"),
    "weights of something": (lambda: saved({"w": torch.zeros(3)}), "not known"),
    "legacy weights": (lambda: saved({"w": torch.zeros(3)}, legacy=True), "not known"),
    "wrapped weights": (lambda: saved({"state_dict": {"module.w": torch.zeros(3)}, "epoch": 3}), "(w; 1 in all)"),
    "no weights": (lambda: saved({"epoch": 3, "loss": 0.5}), "without weights by name"),
    "one tensor": (lambda: saved(torch.zeros(3)), "holds a Tensor"),
    "integers": (lambda: saved({"w": torch.zeros(3, dtype=torch.int32)}), "is int32"),
    "complex": (lambda: saved({"w": torch.zeros(3, dtype=torch.complex64)}), "is complex64"),
    "stride 0": (lambda: saved({"w": torch.zeros(1).expand(2**30)}), "claim more than the file holds"),
    "sparse": (lambda: saved({"w": torch.eye(3).to_sparse()}), ""),
    "meta": (lambda: saved({"w": torch.zeros(3, device="meta")}), ""),
    "a module": (lambda: saved(torch.nn.Linear(2, 2)), "torch.nn.modules.linear.Linear"),
    "a legacy module": (lambda: saved(torch.nn.Linear(2, 2), legacy=True), "torch.nn.modules.linear.Linear"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch warns of what it is about to refuse
@pytest.mark.parametrize("kind", CONTENTS)
def test_refused_in_one_sentence_that_names_file_and_cause(tmp_path: Path, kind: str) -> None:
    make, said = CONTENTS[kind]
    path = tmp_path / "face.safetensors"
    path.write_bytes(make())
    with pytest.raises(CheckpointError) as refused:
        open_checkpoint(path)
    message = str(refused.value)
    assert said in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert message.endswith((".", ")"))


@pytest.mark.parametrize("legacy", [False, True, None])
def test_planted_code_never_runs(tmp_path: Path, legacy: bool | None) -> None:
    mark, path = tmp_path / "it ran", tmp_path / "model.pt"
    planted = {"w": torch.zeros(2), "extra": Planted(mark)}
    path.write_bytes(pickle.dumps(planted) if legacy is None else saved(planted, legacy))
    for trust in (False, True):
        with pytest.raises(CheckpointError) as refused:
            open_checkpoint(path, trust=trust)
        assert not mark.exists()
    if legacy is False:
        assert "mkdir" in str(refused.value)


def test_a_zip_bomb_is_refused_without_inflating_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    path.write_bytes(
        zipped({"m/data.pkl": b"x", "m/version": b"3", "m/data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    )
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=r"50,000,\d+ bytes.*zip bomb"):
            open_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_truncated_torch_file_is_said_to_be_damaged(tmp_path: Path, share: float, legacy: bool) -> None:
    whole = saved({"w": torch.arange(3000.0)}, legacy)
    path = tmp_path / "cut.pt"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match=r"damaged|cut off"):
        open_checkpoint(path)


# --- places that are no files ----------------------------------------------------------------------------------


def test_places_that_are_no_files_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "pythae").mkdir()
    (tmp_path / "pythae" / "model_config.json").touch()
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name, said in {
        "pipe": "named pipe",
        "folder": "holds no checkpoint.safetensors",
        "pythae": "a pythae model folder without model.pt",
        "link": "does not exist",
        "absent": "does not exist",
        "a\0b": "null",
    }.items():
        with pytest.raises(CheckpointError, match=said):
            open_checkpoint(tmp_path / name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.pt"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(CheckpointError, match="permission denied"):
        open_checkpoint(path)


def test_a_permission_that_is_refused_on_opening_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.pt"
    path.write_bytes(b"x")

    def refuses(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(CheckpointError, match="permission denied"):
        open_checkpoint(path)


def test_a_file_that_vanishes_between_two_looks_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gone.pt"
    path.write_bytes(b"x")
    looked = Path.open

    def vanishes(self: Path, *arguments: object, **options: object) -> object:
        path.unlink(missing_ok=True)
        return looked(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", vanishes)
    with pytest.raises(CheckpointError, match="does not exist"):
        open_checkpoint(path)
