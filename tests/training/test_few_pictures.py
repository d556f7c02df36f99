"""A folder of thirty pictures gets a batch, epochs and augmentation that suit thirty; what a person says stays."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from training.cli import main
from training.few_pictures import MANY, STEPS, counted, fitted_to
from training.options import OPTIONS
from training.recipes import defaults
from training.reports import EpochReport
from training.watching import TrainingBar


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(np.full((8, 8, 3), 5 * index, np.uint8)).save(folder / f"{index}.png")
    return folder


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """The configuration, and the comment above it."""
    assert main([*arguments, "--print-config"]) == 0
    text = capsys.readouterr().out
    return tomllib.loads(text), text.splitlines()[0] if text.startswith("#") else ""


def test_pictures_are_counted_without_reading_them(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a" / "b", 4)
    (folder / "broken.JPG").write_bytes(b"")  # read, it would be skipped
    for name in (".DS_Store", "._1.png", "notes.txt"):
        (folder / name).write_bytes(b"")
    np.savez(tmp_path / "faces.npz", images=np.zeros((7, 8, 8, 3), np.uint8))
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    assert counted(str(tmp_path), None) == 5
    assert counted(str(tmp_path), 3) == 3
    assert counted(str(tmp_path / "faces.npz"), None) == 7
    assert counted(str(tmp_path / "bad.npz"), None) is None
    assert counted(str(tmp_path / "nowhere"), None) is None
    assert counted("mnist", None) is None
    assert counted("mnist", 300) == 300
    assert counted("mnist", MANY) is None


@pytest.mark.parametrize("family", list(OPTIONS))
@pytest.mark.parametrize("count", [2, 5, 30, 300, 1000, 3000, MANY - 1])
def test_a_run_has_steps_enough_whatever_the_number(family: str, count: int) -> None:
    usual = defaults(family)
    values = usual | fitted_to(count, family, usual, {})
    trained_on = max(1, round(0.9 * count))
    batch_size = min(values["batch_size"], trained_on)
    assert trained_on // batch_size * values["epochs"] >= STEPS
    assert values["batch_size"] <= usual["batch_size"]
    assert values["epochs"] >= usual["epochs"]
    assert 20 <= values["epochs"] / values.get("evaluate_every", 1) <= 60
    endless = fitted_to(count, family, usual, {"epochs": 1_000_000}).get("evaluate_every", 1)
    assert endless * (trained_on // batch_size) <= max(STEPS / 20, trained_on / batch_size)


def test_many_pictures_change_nothing() -> None:
    usual = defaults("vae")
    assert fitted_to(MANY, "vae", usual, {}) == {}


def test_few_pictures_are_changed_at_random_and_drawn_around(tmp_path: Path) -> None:
    for family in ("vae", "ae", "dae", "avb", "cvae"):
        usual = defaults(family, "avatars")
        values = usual | fitted_to(100, family, usual, {})
        assert values["augment"] == ("flip", "crop", "rotate")
        assert values["fit_prior"]
    # What a generator is shown it imitates, seams of shifted edges too.
    assert "augment" not in fitted_to(100, "dcgan", defaults("dcgan"), {})


def test_flags_files_and_recipes_win(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("vae", "--data", str(pictures(tmp_path / "class", 30)))
    config, why = printed(capsys, *asked)
    assert (config["batch_size"], config["epochs"], config["evaluate_every"]) == (8, 400, 13)
    assert config["augment"] == ["crop", "rotate"]
    assert why.startswith("# 30 pictures are few, ")
    assert " --batch-size 8 --epochs 400 --evaluate-every 13 --augment crop,rotate --fit-prior. " in why
    config, why = printed(capsys, *asked, "--epochs", "5", "--no-fit-prior")
    assert (config["batch_size"], config["epochs"], config["evaluate_every"]) == (8, 5, 1)
    assert not config["fit_prior"]
    assert " takes --batch-size 8 --augment crop,rotate. " in why
    config, why = printed(capsys, *asked, "--batch-size", "4")
    assert (config["batch_size"], config["epochs"]) == (4, 200)  # as many steps with that batch
    (tmp_path / "run.toml").write_text("epochs = 7\nbatch_size = 16\naugment = []\nfit_prior = false\n")
    config, why = printed(capsys, *asked, "--config", str(tmp_path / "run.toml"))
    assert (config["batch_size"], config["epochs"], config["augment"], config["fit_prior"]) == (16, 7, [], False)
    assert not why
    config, why = printed(capsys, *asked, "--recipe", "faces-vae")
    assert (config["batch_size"], config["epochs"]) == (32, 260)
    assert not why


def test_a_run_says_what_was_chosen_once_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces, out = pictures(tmp_path / "class", 30), tmp_path / "run"
    small = ("--latent-dim", "2", "--image-size", "8", "--set", "architecture.network=mlp", "--threads", "1")
    assert main(["vae", "--data", str(faces), "--out", str(out), "--epochs", "2", *small]) == 0
    assert capsys.readouterr().err.count("30 pictures are few") == 1
    first = json.loads((out / "config.json").read_text())
    assert (first["batch_size"], first["augment"]) == (8, ["crop", "rotate"])
    assert main(["vae", "--out", str(out), "--resume", "--epochs", "3"]) == 0
    assert "pictures are few" not in capsys.readouterr().err
    header = tomllib.loads((out / "config.toml").read_text())
    assert (header["batch_size"], header["epochs"]) == (8, 3)


def test_another_program_hears_what_was_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["vae", "--data", str(pictures(tmp_path / "class", 12)), "--out", str(tmp_path / "run"), "--epochs", "1"]
    small = ["--latent-dim", "2", "--image-size", "8", "--set", "architecture.network=mlp", "--threads", "1"]
    assert main([*asked, *small, "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (chosen,) = (event for event in events if event["event"] == "chosen")
    assert chosen["text"].startswith("12 pictures are few, ")


def test_of_hundreds_of_epochs_a_line_each_time_it_is_evaluated() -> None:
    console = Console(record=True, width=200)
    bar = TrainingBar(console, epochs=7)
    for epoch in range(1, 8):
        held_out = {"loss": 2.0} if epoch in (1, 3, 6) else {}
        bar.epoch(EpochReport(epoch, 7, 3 * epoch, 1.0, 10.0, {"loss": 1.0}, held_out))
    assert [line.split()[1] for line in console.export_text().splitlines()] == ["1/7", "3/7", "6/7", "7/7"]
    bar = TrainingBar(console, epochs=3)
    for epoch in range(1, 4):  # nothing is held out
        bar.epoch(EpochReport(epoch, 3, 3 * epoch, 1.0, 10.0, {"loss": 1.0}, {}))
    assert len(console.export_text().splitlines()) == 3
