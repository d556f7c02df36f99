"""A run's folder as one reads it who watches: what is there, what is damaged, what is of something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.core.errors import DataError
from latentlab.core.run_folder import HELD_OUT, TRAIN, is_run, read_map, read_run, stamp_of, turned_like


def line(epoch: int, split: str = TRAIN, **values: Any) -> str:
    return json.dumps({"epoch": epoch, "step": 10 * epoch, "seconds": 2.0, "split": split, **values}) + "\n"


def write_map(folder: Path, epoch: int, layout: np.ndarray, of: str = "components") -> None:
    (folder / "map").mkdir(exist_ok=True)
    count = len(layout)
    np.savez_compressed(
        folder / "map" / f"epoch-{epoch:04d}.npz",
        of=of,
        layout=layout.astype(np.float32),
        share=np.float32(0.5),
        drawn=np.zeros(count, bool),
        labels=np.arange(count) % 2,
        label_names=np.array(["a", "b"]),
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "samples").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"family": "vae", "data": "digits", "epochs": 5}))
    (folder / "metrics.jsonl").write_text(
        line(1, loss=3.0, kl=1.0, images_per_second=100.0)
        + line(1, HELD_OUT, loss=3.5)
        + line(2, loss=2.0, kl=1.5, images_per_second=120.0, alarms=["gradient"], notes=["It is steep."])
        + line(2, HELD_OUT, loss=2.5)
    )
    for epoch in (1, 2):
        for kind in ("samples", "reconstructions"):
            (folder / "samples" / f"{kind}-{epoch:04d}.png").touch()
        write_map(folder, epoch, np.random.default_rng(0).standard_normal((20, 2)))
    return folder


def test_what_a_run_tells(run: Path) -> None:
    found = read_run(run)
    assert (found.family, found.data, found.epochs, found.epochs_done, found.steps_done) == ("vae", "digits", 5, 2, 20)
    assert (found.seconds, found.images_per_second, found.done) == (4.0, 120.0, False)
    curves = [(curve.name, curve.split, curve.values_E.tolist()) for curve in found.curves]
    assert curves == [("loss", TRAIN, [3, 2]), ("loss", HELD_OUT, [3.5, 2.5]), ("kl", TRAIN, [1, 1.5])]
    assert found.curves[0].steps_E.tolist() == [10, 20]
    assert found.notes == ((2, "It is steep."),)
    assert {kind: list(sheets) for kind, sheets in found.sheets.items()} == {
        "reconstructions": [1, 2],
        "samples": [1, 2],
    }
    assert found.looks == [1, 2]
    assert (found.checkpoint_ns, found.resumable) == (0, False)


def test_the_stamp_changes_with_what_is_saved(run: Path) -> None:
    before = stamp_of(run)
    assert read_run(run).stamp == before
    (run / "checkpoint.safetensors").write_bytes(b"weights")
    assert stamp_of(run) != before
    assert read_run(run).checkpoint_ns > 0


def test_lines_that_a_kill_cut_off_and_values_that_are_none_are_left_out(run: Path) -> None:
    with open(run / "metrics.jsonl", "a") as file:
        file.write(line(3, loss=None, kl=1.2) + "[1, 2]\n" + line(4, loss=9.0)[:-9])
    found = read_run(run)
    assert found.epochs_done == 3
    assert [len(curve.values_E) for curve in found.curves] == [2, 2, 3]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no run of latentlab-train"):
        read_run(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "autoencoder"}')
    assert not is_run(tmp_path)
    with pytest.raises(DataError, match="of something else"):
        read_run(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        read_run(tmp_path)


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"family": "vae", "epochs": 5}')
    found = read_run(tmp_path)
    assert (found.epochs_done, found.curves, found.looks, found.done) == (0, (), [], False)


def test_maps_are_turned_to_lie_as_the_one_before(run: Path) -> None:
    layout = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)
    angle = 2.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]], np.float32)  # and mirrored
    write_map(run, 1, layout)
    write_map(run, 2, layout @ turn)
    maps = read_run(run).maps
    assert np.allclose(maps[1].layout_N2, layout)
    assert np.allclose(maps[2].layout_N2, layout, atol=1e-5)


def test_latents_of_two_numbers_are_never_turned(run: Path) -> None:
    layout = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)
    write_map(run, 1, layout, of="latents")
    write_map(run, 2, -layout, of="latents")
    assert np.allclose(read_run(run).maps[2].layout_N2, -layout)


def test_turning_keeps_distances() -> None:
    rng = np.random.default_rng(2)
    one, other = (rng.standard_normal((30, 2)).astype(np.float32) for _ in range(2))
    turned = turned_like(one, other)
    assert np.allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(one, axis=1), atol=1e-5)
    assert np.linalg.norm(turned - other) < np.linalg.norm(one - other)


def test_maps_that_were_read_are_not_read_again_but_for_the_newest(run: Path) -> None:
    before = read_run(run)
    write_map(run, 3, np.ones((20, 2)))
    after = read_run(run, before)
    assert after.maps[1] is before.maps[1]
    assert after.maps[2] is not before.maps[2]
    assert list(after.maps) == [1, 2, 3]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x93NUMPY"])
def test_damaged_maps_are_left_out(run: Path, content: bytes) -> None:
    path = run / "map" / "epoch-0002.npz"
    path.write_bytes(content)
    assert read_map(path) is None
    assert list(read_run(run).maps) == [1]


def test_a_map_that_unpacks_to_gigabytes_is_left_out(run: Path) -> None:
    path = run / "map" / "epoch-0002.npz"
    np.savez_compressed(path, layout=np.zeros((1 << 20, 2), np.float32))
    assert path.stat().st_size < 1 << 16
    assert read_map(path) is None


def test_nothing_in_a_map_is_unpickled(run: Path) -> None:
    path = run / "map" / "epoch-0002.npz"
    np.savez(path, layout=np.array([{"a": 1}], dtype=object))
    assert read_map(path) is None
