"""`latentlab-train` for other programs: everything a form needs, and what becomes of a run that nobody watches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from training.cli import TRAINABLE, main
from training.data import SOURCES
from training.recipes import RECIPES


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, list[dict[str, object]]]:
    assert main(["list", "--json"]) == 0
    found: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return found


def test_it_names_what_there_is(listed: dict[str, list[dict[str, object]]]) -> None:
    assert [family["name"] for family in listed["families"]] == list(TRAINABLE)
    assert [data["name"] for data in listed["data"]] == list(SOURCES)
    assert [data["name"] for data in listed["data"] if not data["downloaded"]] == ["digits", "avatars"]
    assert {recipe["name"]: recipe["family"] for recipe in listed["recipes"]} == {
        name: make().family for name, make in RECIPES.items()
    }


def test_every_option_is_a_flag_of_its_family(
    listed: dict[str, list[dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    for family in listed["families"]:
        assert main([str(family["name"]), "--help"]) == 0
        known = capsys.readouterr().out.split()
        options = [*listed["options"], *family["options"]]  # type: ignore[misc]
        assert len(options) > 20
        for option in options:
            assert option["flag"] in known
            assert option["help"]
            assert option["kind"] in ("switch", "whole", "number", "text", "several")


def test_kinds_choices_and_defaults_are_those_of_the_fields(listed: dict[str, list[dict[str, object]]]) -> None:
    (dcgan,) = (family for family in listed["families"] if family["name"] == "dcgan")
    options = {option["flag"]: option for option in [*listed["options"], *dcgan["options"]]}  # type: ignore[misc]
    assert options["--spectral-norm"]["kind"] == "switch"
    assert options["--spectral-norm"]["default"] == "true"
    assert (options["--image-size"]["kind"], options["--epochs"]["kind"]) == ("whole", "whole")
    assert (options["--thumbnails"]["kind"], options["--root"]["kind"]) == ("switch", "text")
    assert options["--diffaugment"]["kind"] == "several"
    assert options["--diffaugment"]["choices"] == ["colour", "translation", "cutout"]
    assert options["--r1"]["kind"] == "number"


def test_a_run_nobody_watches_any_more_is_saved_and_ends(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["vae", "--data", "digits", "--out", str(out), "--epochs", "100000", "--limit", "48", "--threads", "1"]
    arguments += ["--latent-dim", "3", "--width", "4", "--evaluate-every", "100000", "--progress", "json"]
    command = [sys.executable, "-m", "training.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while json.loads(process.stdout.readline())["event"] != "step":
            pass
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Go on with --resume" in said
    assert len(said.strip().splitlines()) == 1
    assert (out / "resume" / "state.pt").is_file()
