"""`latentlab-train` as people type it: what it does, what it says, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.checkpoint_file import read_header
from latentlab.core.run_folder import read_run
from training.cli import main
from training.data import load

TINY = ("--epochs", "1", "--limit", "60", "--latent-dim", "3", "--width", "4", "--encodings", "20", "--threads", "1")


def digits(out: Path, *more: str) -> list[str]:
    return ["vae", "--data", "digits", "--out", str(out), *TINY, *more]


def told(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int = 2) -> str:
    """The one line on stderr of a command that fails."""
    assert main(arguments) == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("latentlab-train: ")
    return lines[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "digits"
    assert main(digits(out)) == 0
    return out


def test_a_run_from_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = read_header(run / "checkpoint.safetensors")
    assert header.training["data"] == "digits"
    assert (header.training["limit"], header.training["held_out"], header.training["seed"]) == (60, 0.1, 0)
    assert header.architecture["latent_dim"] == 3
    assert header.encodings.count == 20
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {line["split"] for line in lines} == {"train", "held_out"}
    assert list((run / "samples").glob("*.png"))


def test_resuming_needs_only_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(digits(out)) == 0
    first = (out / "metrics.jsonl").read_text()
    assert main(["vae", "--out", str(out), "--resume", "--epochs", "2"]) == 0
    assert "epoch 2/2" in capsys.readouterr().err
    assert (read_run(out).epochs, read_run(out).done) == (2, True)  # as whoever watches it sees it
    assert (out / "metrics.jsonl").read_text().startswith(first)
    assert "limit 60" in told(capsys, ["vae", "--out", str(out), "--resume", "--limit", "10"])
    assert "'digits'" in told(capsys, ["vae", "--out", str(out), "--resume", "--data", "mnist"])
    assert "run of vae" in told(capsys, ["dcgan", "--out", str(out), "--resume"])


def test_a_folder_that_holds_something_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "checkpoint.safetensors").read_bytes()
    assert "--resume" in told(capsys, digits(run))
    assert (run / "checkpoint.safetensors").read_bytes() == before
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "not empty" in told(capsys, digits(tmp_path))
    assert "is a file" in told(capsys, digits(tmp_path / "thesis.tex"))
    assert "no run to resume" in told(capsys, ["vae", "--out", str(tmp_path / "new"), "--resume"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vea"], "Did you mean 'vae'?"),
        (["vae", "--bta", "4"], "--beta"),
        (["vae", "--data", "digits"], "--out"),
        (["vae", "--out", "{new}"], "--data"),
        (["vae", "--data", "digit", "--out", "{new}"], "Did you mean 'digits'?"),
        (["vae", "--data", "digits", "--out", "{new}", "--epochs", "0"], "epochs"),
        (["vae", "--data", "digits", "--out", "{new}", "--epochs", "many"], "--epochs"),
        (["vae", "--data", "digits", "--out", "{new}", "--likelihood", "gauss"], "likelihood"),
        (["vae", "--data", "digits", "--out", "{new}", "--crop", "middle"], "--crop"),
        (["vae", "--data", "digits", "--out", "{new}", "--image-size", "9999"], "9999"),
        (["vae", "--data", "digits", "--out", "{new}", "--device", "tpu"], "tpu"),
        (["vae", "--data", "digits", "--out", "{new}", "--recipe", "faces"], "Did you mean 'faces-vae'?"),
        (["vae", "--data", "digits", "--out", "{new}", "--set", "objective.betta=3"], "Did you mean 'beta'?"),
        (["vae", "--data", "digits", "--out", "{new}", "--set", "bogus"], "name=value"),
        (["vae", "--data", "digits", "--out", "{new}", "--set", "epoch=3"], "Did you mean 'epochs'?"),
        (["dcgan", "--data", "digits", "--out", "{new}", "--beta", "4"], "means nothing for the family dcgan"),
        (["dcgan", "--data", "digits", "--out", "{new}", "--recipe", "faces-vae"], "not of dcgan"),
        (["vae", "--data", "mnist", "--out", "{new}", "--root", "{new}"], "--download"),
        (["evaluate", "{new}"], "no checkpoint"),
        (["vae", "--epochs", "many"], "it must be a whole number. See latentlab-train vae --help."),
        (["vae", "--data", "digits", "--out", "{new}", "--batch-size", "1"], "it must be at least 2."),
        (["vae", "--data", "digits", "--out", "{new}", "--augment", "flop"], "'augment' cannot be 'flop': it must be"),
        (["dae", "--data", "digits", "--out", "{new}", "--corruption", "mask:3"], "'mask:3': the amount is 3"),
        (["vae", "--data", "digits", "--out", "{new}", "--set", "residual=1"], "--set architecture.residual=…"),
        (["vae", "--data", "digits", "--out", "{new}", "--set", "beta=2"], "--set objective.beta=…"),
        (["prepare", "--data", "digits", "--out", "{new}/digits.npz"], "There is no folder"),
    ],
)
def test_one_clear_line_for_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    new = tmp_path / "new"
    assert said in told(capsys, [argument.format(new=new) for argument in arguments])
    assert not (new / "checkpoint.safetensors").exists()


def test_options_reach_the_configuration(tmp_path: Path) -> None:
    out = tmp_path / "run"
    more = (
        "--beta",
        "2.5",
        "--likelihood",
        "bce",
        "--seed",
        "7",
        "--augment",
        "flip,crop",
        "--set",
        "objective.free_bits=1",
    )
    assert main(digits(out, *more, "--set", "architecture.network=mlp", "--image-size", "12")) == 0
    config = json.loads((out / "config.json").read_text())
    assert (config["objective"]["beta"], config["objective"]["likelihood"]) == (2.5, "bce")
    assert (config["seed"], config["augment"], config["objective"]["free_bits"]) == (7, ["flip", "crop"], 1)
    header = read_header(out / "checkpoint.safetensors")
    assert (header.architecture["network"], header.image.height) == ("mlp", 12)


def test_skipped_files_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    faces = tmp_path / "faces"
    faces.mkdir()
    for index in range(24):
        Image.fromarray(np.full((20, 20, 3), 10 * index, np.uint8)).save(faces / f"{index}.png")
    (faces / "broken.png").write_bytes(b"")
    arguments = ["vae", "--data", str(faces), "--out", str(tmp_path / "run"), "--image-size", "8", *TINY]
    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert "1 file was skipped" in said
    assert "broken.png" in said


def test_a_run_on_a_folder_resumes_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    (tmp_path / "faces").mkdir()
    for index in range(24):
        Image.fromarray(np.full((20, 20, 3), 10 * index, np.uint8)).save(tmp_path / "faces" / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    assert main(["vae", "--data", "faces", "--out", "run", "--image-size", "8", *TINY]) == 0
    assert main(["vae", "--data", "./faces", "--out", "run", "--resume", "--epochs", "2"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["vae", "--out", "../run", "--resume", "--epochs", "3"]) == 0
    header = read_header(tmp_path / "run" / "checkpoint.safetensors")
    assert header.training["data"] == "faces"
    assert str(tmp_path) not in header.model_dump_json()


def test_listing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for word in ("vae", "dcgan", "avatars", "fashion-mnist", "faces-vae"):
        assert word in said
    assert "cgan; assets/digits-cgan.safetensors: MNIST, asked for a class" in said


def test_without_arguments_the_help_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr()
    assert not said.err
    assert "\n  dcgan " in said.out


def test_evaluating(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "figures.json"
    assert main(["evaluate", str(run), "--samples", "20", "--out", str(written)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(written.read_text())
    assert printed["held_out"] == 6
    assert 0 < printed["reconstruction"]["mse"] < 1
    assert len(printed["reconstruction"]["kl_per_dimension"]) == 3
    assert "classifier of 10 classes of 'digits'" in printed["samples"]["feature_space"]
    assert 0 <= printed["samples"]["recall"] <= 1


def test_preparing_data_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "faces.npz"
    asked = ["prepare", "--data", "avatars", "--image-size", "16", "--limit", "30", "--out", str(archive)]
    assert main(asked) == 0
    assert "30 pictures of 16 x 16 x 3" in capsys.readouterr().out
    prepared, drawn = load(str(archive)), load("avatars", size=16, limit=30)
    np.testing.assert_array_equal(prepared.images, drawn.images)
    np.testing.assert_array_equal(prepared.attributes, drawn.attributes)
    assert (prepared.label_names, prepared.attribute_names) == (drawn.label_names, drawn.attribute_names)
    assert prepared.licence == drawn.licence
    assert "exists already" in told(capsys, asked)


def test_help_is_quick_and_imports_no_torch() -> None:
    code = (
        "import sys; from training.cli import main; status = main(['--help']); "
        "print('TORCH' if 'torch' in sys.modules else 'LIGHT', file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "LIGHT"
    assert "dcgan" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_finishes_the_step_saves_and_can_be_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["vae", "--data", "digits", "--out", str(out), "--epochs", "100000", "--threads", "1", "--limit", "300"]
    command = [sys.executable, "-m", "training.cli", *arguments, "--latent-dim", "3", "--width", "4"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.startswith("epoch 1/") for line in process.stderr)  # reads no further
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    last = rest.strip().splitlines()[-1]
    assert "--resume" in last
    assert "Traceback" not in rest
    assert (out / "resume" / "state.pt").is_file()
    assert read_header(out / "checkpoint.safetensors").training["epochs"] >= 1
