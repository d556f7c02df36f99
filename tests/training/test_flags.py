"""Every option of a family has a flag and a place in a TOML file; the unknown is answered with the nearest known."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from training.cli import main
from training.config import TrainingConfig, config_from
from training.data_note import DataAsked, DataNote
from training.flags import CONFIGURATION, flag
from training.options import OPTIONS, AdversarialOptions
from training.reports import StepReport
from training.watching import forewarned

DIGITS = ("--data", "digits")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The effective configuration of what is asked."""
    assert main([*arguments, "--print-config"]) == 0
    return tomllib.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def file(folder: Path, text: str) -> str:
    path = folder / "run.toml"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("family", list(OPTIONS))
def test_every_option_has_a_flag_and_is_explained(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([family, "--help"]) == 0
    said = capsys.readouterr().out
    for model, names in ((OPTIONS[family], OPTIONS[family].model_fields), (TrainingConfig, CONFIGURATION)):
        for name in names:
            assert f"{flag(name)} " in said, name
            assert model.model_fields[name].description, f"{name} of {family} has no description"
    assert main(["list", family]) == 0
    assert flag(next(iter(OPTIONS[family].model_fields))) in capsys.readouterr().out
    assert not set(OPTIONS[family].model_fields) & {*TrainingConfig.model_fields, "latent_dim", "width", "set"}


def test_flags_of_a_family_reach_its_objective(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("dcgan", *DIGITS, "--r1", "10", "--diffaugment", "colour,translation", "--no-spectral-norm")
    config = printed(capsys, *asked, "--adam-betas", "0,0.9", "--compile", "--gradient-clip", "5", "--latent-dim", "7")
    objective = config["objective"]
    assert (objective["r1"], objective["diffaugment"]) == (10, ["colour", "translation"])
    assert (objective["spectral_norm"], objective["adam_betas"]) == (False, [0, 0.9])
    assert (config["compile"], config["gradient_clip"], config["architecture"]["latent_dim"]) == (True, 5, 7)
    assert objective["label_smoothing"] == 0.1  # what nobody asked for is told too


def test_flags_win_over_the_file_and_the_file_over_the_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'recipe = "faces-vae"\ndata = "avatars"\nepochs = 3\nseed = 5\n[objective]\nedges = 0.5\nbeta = 2\n'
    written = file(tmp_path, text + "[architecture]\nlatent_dim = 9\n")
    config = printed(capsys, "vae", "--config", written, "--epochs", "4", "--beta", "3")
    assert (config["epochs"], config["seed"], config["batch_size"]) == (4, 5, 32)
    assert (config["objective"]["beta"], config["objective"]["edges"]) == (3, 0.5)
    assert config["objective"]["attributes"] == 30  # of the recipe
    assert (config["architecture"]["latent_dim"], config["architecture"]["width"]) == (9, 48)


def test_a_printed_configuration_is_a_file_that_makes_the_same_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("vae", *DIGITS, "--image-size", "12", "--limit", "30", "--likelihood", "bce", "--crop", "none")
    asked += ("--augment", "flip,crop")
    first = printed(capsys, *asked)
    again = file(tmp_path, "")
    main([*asked, "--print-config"])
    Path(again).write_text(capsys.readouterr().out, "utf-8")
    assert printed(capsys, "vae", "--config", again) == first
    assert (first["image_size"], first["limit"], first["crop"]) == (12, 30, "none")


def test_notes_of_runs_and_files_read_data_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One record of how data are read: asked, in a file, remembered by a run; what a later note adds is passed over."""
    said = {"data": "digits", "image_size": 12, "crop": "none", "limit": 30, "thumbnails": False, "mapped": True}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
    told = printed(capsys, "vae", "--config", file(tmp_path, f'{text}root = "{tmp_path}"'))
    assert {name: told[name] for name in said} == said
    assert told["root"] == str(tmp_path)
    note = DataNote.model_validate_json(json.dumps(said | {"root": str(tmp_path), "colours": 3}))
    assert note.model_dump(mode="json") == said | {"root": str(tmp_path)}
    with pytest.raises(ValidationError):
        DataAsked.model_validate({"colours": 3})


@pytest.mark.parametrize("family", ["gan", "dcgan", "cgan", "vae-gan", "alpha-gan"])
def test_what_objectives_with_a_discriminator_share_is_said_alike(
    family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flags, files and stored configurations of before have the same names; only a default may differ."""
    shared = {
        "label_smoothing": 0.2,
        "r1": 0.5,
        "diffaugment": ["colour"],
        "learning_rate": 1e-4,
        "discriminator_learning_rate": 2e-4,
        "adam_betas": [0.0, 0.9],
        "stop_when_balanced": 7,
    }
    flags = [
        part
        for name, value in shared.items()
        for part in (
            "--" + name.replace("_", "-"),
            ",".join(map(str, value)) if isinstance(value, list) else str(value),
        )
    ]
    told = printed(capsys, family, *DIGITS, *flags)
    assert {name: told["objective"][name] for name in shared} == shared
    assert config_from(family=family, objective=told["objective"]).options().model_dump(mode="json") == {
        **told["objective"],
        **{name: None for name in OPTIONS[family].model_fields if name not in told["objective"]},
    }
    assert issubclass(OPTIONS[family], AdversarialOptions)


def test_a_dense_discriminator_has_no_feature_maps(capsys: pytest.CaptureFixture[str]) -> None:
    assert "architecture.hidden" in refused(capsys, "gan", *DIGITS, "--out", "x", "--discriminator-width", "8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "Did you mean 'epochs'?"),
        ("beta = 3", "below [objective]"),
        ("residual = 1", "below [architecture]"),
        ("[objective]\nbetta = 3", "Did you mean 'beta'?"),
        ('[objective]\nlikelihood = "gauss"', "'likelihood' cannot be 'gauss'"),
        ('epochs = "many"', "'epochs' cannot be 'many'"),
        ('image_size = "big"', "'image_size' cannot be 'big'"),
        ("objective = 3", "is a table"),
        ("epochs == 3", "TOML"),
        ('family = "dcgan"', "not of vae"),
    ],
)
def test_a_file_that_cannot_work_is_refused(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert said in refused(capsys, "vae", *DIGITS, "--out", str(out), "--config", file(tmp_path, text))
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--learning-rat", "1"), "Did you mean '--learning-rate'?"),
        (("--r1", "3"), "--r1 means nothing for the family vae"),
        (("--residual", "1"), "--set architecture.residual="),
        (("--hidden", "64"), "--set architecture.hidden="),  # which is an option of the objective in another family
        (("--noise-dim", "4"), "There is no option '--noise-dim'"),  # of the network of another family
        (("--adam-betas", "0.5"), "adam_betas"),
        (("--config", "{tmp}/none.toml"), "no such file"),
        (("--progress", "jsn"), "Did you mean 'json'?"),
        (("--schedule", "cosin"), "schedule"),
    ],
)
def test_flags_that_cannot_work(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    assert said in refused(capsys, "vae", *DIGITS, "--out", str(tmp_path / "run"), *given)


def test_a_run_of_few_steps_is_told_so_before_it_has_cost_time() -> None:
    first = StepReport(1, 1, 1, 3, 100.0, {}, "Half the batch.")
    assert forewarned(first, 30).note.startswith("This run has only 90 steps (3 an epoch)")
    assert forewarned(first, 30).note.endswith("Half the batch.")
    assert forewarned(first, 67).note == "Half the batch."
    assert forewarned(replace(first, step=4, epoch=2), 30).note == "Half the batch."


def test_another_program_reads_the_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    tiny = ("--limit", "40", "--latent-dim", "2", "--width", "4", "--threads", "1", "--encodings", "10")
    asked = ["vae", *DIGITS, "--out", str(out), "--epochs", "2", "--batch-size", "36", *tiny, "--progress", "json"]
    assert main(asked) == 0
    captured = capsys.readouterr()
    assert not captured.err
    events = [json.loads(line) for line in captured.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert [kind for kind in kinds if kind != "stage"] == ["chosen", "step", "epoch", "step", "epoch", "finished"]
    notes = [event["note"] for event in events if event["event"] == "step"]
    assert ["only 2 steps" in note for note in notes] == [True, False]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [(event["epoch"], event["epochs"]) for event in epochs] == [(1, 2), (2, 2)]
    assert epochs[0]["held_out"]["loss"] > 0
    assert events[-1]["checkpoint"] == str(out / "checkpoint.safetensors")
    assert any(event["event"] == "stage" and event["text"] == "encoding" for event in events)
    assert main(["vae", "--out", str(out), "--resume", "--epochs", "3", "--batch-size", "8", "--progress", "json"]) == 2
    (failed,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (failed["event"], failed["status"]) == ("failed", 2)
    assert "batch_size" in failed["text"]


def test_tensorboard_gets_losses_and_sheets(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = tmp_path / "run"
    tiny = ("--limit", "40", "--latent-dim", "2", "--width", "4", "--threads", "1", "--encodings", "0", "--epochs", "2")
    assert main(["vae", *DIGITS, "--out", str(out), *tiny, "--tensorboard", "--progress", "none"]) == 0
    events = EventAccumulator(str(out / "tensorboard")).Reload()
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for split in ("train", "held_out"):
        told = [line["loss"] for line in lines if line["split"] == split]
        assert [scalar.value for scalar in events.Scalars(f"{split}/loss")] == pytest.approx(told)
    assert {"samples", "reconstructions", "traversals"} <= set(events.Tags()["images"])
