"""The native file: what is written is read back, and everything unsound is refused in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.checkpoint_file import (
    METADATA_KEY,
    Header,
    ImageSpec,
    SpaceSpec,
    is_native,
    model_info,
    read_encodings,
    read_header,
    read_weights,
    verify,
    write_checkpoint,
)
from latentlab.core.encodings import EncodingSet, StoredPCA, Thumbnails
from latentlab.core.errors import CheckpointError
from latentlab.core.safetensors_table import read_table


def a_header(**changes: object) -> Header:
    document = {
        "family": "vae",
        "architecture": {"name": "vae", "latent_dim": 3},
        "spaces": [SpaceSpec(shape=[3])],
        "image": ImageSpec(height=8, width=8, channels=1),
        "figures": {"mse": 0.1, "unknown": float("nan")},
    }
    return Header(**{**document, **changes})


def some_encodings(count: int = 5) -> EncodingSet:
    latents = np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32)
    return EncodingSet(
        latents,
        labels=np.array([0, 1, -1, 1, 0][:count]),
        label_names=("zéro", "one"),
        attributes=np.array([[1, np.nan]] * count, np.float32),
        attribute_names=("Smiling", "Bald"),
        predicted=frozenset({"Bald"}),
        names=tuple(f"{index}.png" for index in range(count)),
        thumbnails=Thumbnails(np.arange(10, dtype=np.uint8), np.linspace(0, 10, count + 1).astype(np.int64)),
        pca=StoredPCA.fit(latents),
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    weights = {"decoder.weight": np.ones((2, 3), np.float32), "decoder.count": np.array(7)}
    write_checkpoint(path, a_header(), weights, some_encodings())
    return path


def test_what_is_written_is_read_back(checkpoint: Path) -> None:
    encodings = read_encodings(checkpoint)
    assert encodings is not None
    expected = some_encodings()
    np.testing.assert_array_equal(encodings.latents, expected.latents)
    np.testing.assert_array_equal(encodings.attribute("Bald"), expected.attribute("Bald"))
    assert encodings.label_of(0) == "zéro"
    assert encodings.label_of(2) == ""
    assert encodings.name_of(4) == "4.png"
    assert encodings.predicted == {"Bald"}
    assert encodings.thumbnails is not None
    assert encodings.thumbnails.coded(1) == bytes([2, 3])
    weights = read_weights(checkpoint)
    assert weights["decoder.weight"].shape == (2, 3)
    assert weights["decoder.count"].shape == ()
    info = model_info(checkpoint, read_header(checkpoint))
    assert (info.image.height, info.spaces[0].dim, info.sha256) == (8, 3, verify(checkpoint))


def test_the_library_reads_the_same_file(checkpoint: Path) -> None:
    from safetensors.numpy import load_file

    assert set(load_file(checkpoint)) == set(read_table(checkpoint).tensors)


def test_half_precision_is_for_floats_but_not_for_variances(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    weights = {"bn.running_var": np.full(2, 1e6, np.float32), "w": np.ones(2, np.float32), "n": np.arange(2)}
    write_checkpoint(path, a_header(), weights, half=True)
    stored = read_weights(path)
    assert [stored[name].dtype for name in ("bn.running_var", "w", "n")] == [np.float32, np.float16, np.int64]


def test_unknown_header_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "extra.safetensors"
    write_checkpoint(path, a_header(from_the_future={"a": 1}), {})
    header = read_header(path)
    write_checkpoint(path, header, {})
    assert json.loads(read_table(path).metadata[METADATA_KEY])["from_the_future"] == {"a": 1}


def test_every_flipped_byte_is_noticed(checkpoint: Path) -> None:
    sound = checkpoint.read_bytes()
    for position in range(8, len(sound), 97):
        damaged = bytearray(sound)
        damaged[position] ^= 0x10
        checkpoint.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            verify(checkpoint)


def table(document: object, data: bytes = b"") -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(begin: int, end: int, shape: object, dtype: str = "U8") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


UNSOUND = {
    "empty": b"",
    "random": bytes(range(200)),
    "header longer than the file": (2**60).to_bytes(8, "little") + b"{}",
    "not JSON": table(b"{nope"),
    "deeply nested": table(b"[" * 100_000),
    "a list": table([1]),
    "duplicate key": table(b'{"a": 1, "a": 2}'),
    "overlap": table({"a": entry(0, 4, [4]), "b": entry(2, 6, [4])}, bytes(6)),
    "hole": table({"a": entry(0, 4, [4]), "b": entry(6, 8, [2])}, bytes(8)),
    "trailing bytes": table({"a": entry(0, 4, [4])}, bytes(9)),
    "short": table({"a": entry(0, 4, [4])}, bytes(2)),
    "overflow": table({"a": entry(0, 4, [2**60, 2**60])}, bytes(4)),
    "false size": table({"a": entry(0, 4, [2**30])}, bytes(4)),
    "negative": table({"a": entry(0, 4, [-4])}, bytes(4)),
    "no shape": table({"a": {"dtype": "U8"}}),
    "metadata of numbers": table({"__metadata__": {"a": 1}}),
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "unsound.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"unsound\.safetensors"):
        read_header(path)
    assert not is_native(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(checkpoint: Path, share: float) -> None:
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError):
        read_header(checkpoint)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format_version": 99}, "version 99"),
        ({"image": {"height": 2**31, "width": 8, "channels": 1}}, "image.height"),
        ({"spaces": [{"shape": [-1]}]}, "spaces.0.shape"),
        ({"spaces": []}, "spaces"),
        ({"family": 3}, "family"),
    ],
)
def test_unusable_headers_are_refused_by_name(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = tmp_path / "header.safetensors"
    document = {**json.loads(a_header().model_dump_json()), **changes}
    path.write_bytes(table({"__metadata__": {METADATA_KEY: json.dumps(document)}}))
    with pytest.raises(CheckpointError, match=said):
        read_header(path)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: None], ids=["FIFO", "folder", "vanished"])
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "thing.safetensors"
    make(path)
    with pytest.raises(CheckpointError, match="thing"):
        read_header(path)


def test_arrays_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "misfit.safetensors"
    encodings = some_encodings()
    misfit = EncodingSet(encodings.latents, attributes=np.zeros((2, 1), np.float32), attribute_names=("Bald",))
    write_checkpoint(path, a_header(), {}, misfit)
    with pytest.raises(CheckpointError, match="attributes"):
        read_encodings(path)


def test_a_failed_write_leaves_the_old_file(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = checkpoint.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Exception, match=r"model\.safetensors"):
        write_checkpoint(checkpoint, a_header(), {"other": np.zeros(3)})
    assert checkpoint.read_bytes() == before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]
