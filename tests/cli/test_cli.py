"""`latentlab` without a window: what it writes, what it says, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import cli
from latentlab.command_line import commands
from latentlab.core.checkpoint_file import read_encodings, read_header, read_weights, verify
from latentlab.core.recipe_png import recipe_in
from latentlab.core.spaces import FloatArray


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """(status, standard output, standard error)"""
    status = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 2) -> str:
    """The one line that is said; nothing goes to standard output."""
    found, out, err = run(capsys, *arguments)
    assert found == status, err
    assert not out
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


# --- info ------------------------------------------------------------------------------------------------------


def test_info_prints_the_promised_keys(vae: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "info", vae)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert list(found) == [
        "path", "format", "family", "image", "spaces", "encoder", "conditional",
        "conditional_attributes", "encodings", "training", "figures", "licence", "sha256",
    ]  # fmt: skip
    assert found["path"] == str(vae)
    assert (found["format"], found["family"], found["encoder"], found["conditional"]) == ("native", "vae", True, None)
    assert found["image"] == {"height": 16, "width": 16, "channels": 3}
    assert found["spaces"] == [{"name": "z", "shape": [5], "prior": "normal"}]
    attributes = read_encodings(vae).attributes
    assert found["encodings"] == {
        "count": 60,
        "labels": ["low", "high"],
        "attributes": [
            {"name": "Eyeglasses", "predicted": False, "positives": int(attributes[:, 0].sum())},
            {"name": "Smiling", "predicted": True, "positives": int(attributes[:, 1].sum())},
        ],
    }
    assert found["training"] == {"data": "noise", "epochs": 1, "seed": 7}
    assert found["sha256"] == read_header(vae).sha256


def test_info_of_a_native_file_needs_no_torch(vae: Path) -> None:
    script = (
        f"import sys; from latentlab.cli import main; main(['info', {str(vae)!r}]); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--attribute Hat=1", b"no attribute 'Hat'"),
        ("--lock Smyling", b"Did you mean 'Smiling'"),
        ("--class 3", b"takes no class"),
        ("--device tpu", b"no device 'tpu'"),
    ],
)
def test_what_a_native_file_says_is_checked_without_torch(vae: Path, tmp_path: Path, options: str, said: bytes) -> None:
    words = ["render", str(vae), "-o", str(tmp_path / "x.png"), *options.split()]
    script = (
        f"import sys; from latentlab.cli import main; status = main({words!r}); "
        "sys.exit(9 if 'torch' in sys.modules else status)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert said in done.stderr
    assert done.returncode == 2


def test_info_of_a_run_folder_is_that_of_its_checkpoint(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(vae.read_bytes())
    status, out, _ = run(capsys, "info", tmp_path)
    assert status == 0
    assert json.loads(out)["path"] == str(tmp_path / "checkpoint.safetensors")


def test_the_name_of_a_command_wins_over_a_file(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("info").write_bytes(vae.read_bytes())
    assert "checkpoint" in refused(capsys, "info")
    status, out, _ = run(capsys, "info", "./info")
    assert status == 0
    assert json.loads(out)["family"] == "vae"


def test_a_path_that_is_not_utf8_is_opened_and_shown(vae: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xf0\x9f\x98\x80.safetensors"
    try:
        with open(path, "wb") as file:
            file.write(vae.read_bytes())
    except OSError:
        pytest.skip("this file system wants UTF-8")
    done = subprocess.run([sys.executable, "-m", "latentlab", "info", path], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "😀" in json.loads(done.stdout)["path"]


# --- render, edit ----------------------------------------------------------------------------------------------


def model_of(path: Path) -> Any:
    return latentlab.open_model(path, device="cpu")


def pixels(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as image:
        return np.asarray(image)


def tiles(path: Path, size: int = 16) -> FloatArray:
    """(B, size, size, C) of a sheet, row by row."""
    sheet = pixels(path)
    rows, columns = sheet.shape[0] // size, sheet.shape[1] // size
    return sheet.reshape(rows, size, columns, size, -1).swapaxes(1, 2).reshape(rows * columns, size, size, -1)


def test_render_draws_what_the_model_samples(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "grid.png"
    assert run(capsys, "render", vae, "-o", out, "--count", 4, "--seed", 3, "--truncation", 0.5)[0] == 0
    model = model_of(vae)
    latents = model.sample(4, seed=3, truncation=0.5)
    np.testing.assert_array_equal(tiles(out), model.decode(latents))
    recipe = recipe_in(out)
    assert recipe is not None
    assert recipe.checkpoint == model.info.sha256
    np.testing.assert_array_equal(np.array(recipe.tiles, np.float32), latents)


def test_render_applies_attributes_and_locks(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "grid.png"
    arguments = ["--attribute", "Eyeglasses=1.5", "--lock", "Smiling", "--count", 4, "--columns", 1]
    assert run(capsys, "render", vae, "-o", out, *arguments)[0] == 0
    model = model_of(vae)
    edited = model.directions["Eyeglasses"].apply(model.sample(4, seed=0), 1.5, keep=["Smiling"])
    assert pixels(out).shape == (64, 16, 3)
    np.testing.assert_array_equal(tiles(out), model.decode(edited))
    recipe = recipe_in(out)
    assert recipe is not None
    assert (recipe.strengths, recipe.locked) == ({"Eyeglasses": 1.5}, ["Smiling"])


def test_edit_encodes_edits_and_remembers_how(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    status, _, err = run(capsys, "edit", vae, "-o", out, "--image", face, "--attribute", "Eyeglasses=-1", "--scale", 2)
    assert status == 0, err
    model = model_of(vae)
    latent = model.encode(pixels(face)[None])
    expected = model.decode(model.directions["Eyeglasses"].apply(latent, -1))
    picture = pixels(out)
    assert picture.shape == (32, 32, 3)
    np.testing.assert_array_equal(picture[::2, ::2], expected[0])
    recipe = recipe_in(out)
    assert recipe is not None
    np.testing.assert_array_equal(np.array(recipe.base, np.float32), latent[0])
    assert recipe.name == "face.png"


def test_edit_inverts_where_there_is_no_encoder(
    gan: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    status, _, err = run(capsys, "edit", gan, "-o", out, "--image", face, "--attribute", "Smiling", "--steps", 3)
    assert status == 0, err
    assert pixels(out).shape == (16, 16, 3)


# --- walk ------------------------------------------------------------------------------------------------------


def test_a_saved_picture_is_taken_up_where_it_was(
    vae: Path, gan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly, and without a search; a picture of another model is one like any other."""
    saved, out = tmp_path / "saved.png", tmp_path / "out.png"
    assert run(capsys, "render", gan, "-o", saved, "--count", 1, "--seed", 6)[0] == 0
    status, _, err = run(capsys, "edit", gan, "-o", out, "--image", saved, "--attribute", "Smiling=1")
    assert (status, "saved.png was saved of this model" in err) == (0, True)
    model = model_of(gan)
    moved = model.directions["Smiling"].apply(model.sample(1, seed=6), 1.0)
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image), model.decode(moved)[0])
    status, _, err = run(capsys, "edit", vae, "-o", out, "--image", saved)
    assert (status, err) == (0, "")


# --- encode, convert -------------------------------------------------------------------------------------------


def test_encode_puts_other_encodings_into_the_checkpoint(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "new.safetensors"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "face.png").write_bytes(face.read_bytes())
    (folder / "two" / "broken.png").write_bytes(b"not a picture")
    status, _, err = run(capsys, "encode", vae, "--images", folder, "-o", out)
    assert status == 0, err
    assert "2 pictures encoded, 1 skipped" in err
    assert "broken.png" in err
    encodings = read_encodings(out)
    assert encodings is not None
    assert encodings.label_names == ("one", "two")
    latent = model_of(vae).encode(pixels(face)[None])
    np.testing.assert_allclose(encodings.latents[0], latent[0], atol=1e-5)
    verify(out)


def test_convert_halves_the_weights_and_keeps_the_pictures(
    vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "half.safetensors"
    assert run(capsys, "convert", vae, out, "--half")[0] == 0
    assert {value.dtype for value in read_weights(out).values() if value.ndim > 1} == {np.dtype(np.float16)}
    latents = model_of(vae).sample(3)
    difference = model_of(out).decode(latents).astype(int) - model_of(vae).decode(latents)
    assert abs(difference).max() <= 2
    assert len(read_encodings(out)) == 60


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("render {vae} -o {out}/x.png --attribute Eyglasses=1", "Did you mean 'Eyeglasses'"),
        ("render {vae} -o {out}/x.png --attribute Eyeglasses=much", "'much' is not a number"),
        ("render {vae} -o {out}/x.png --attribute Eyeglasses=nan", "not understood"),
        ("render {vae} -o {out}/x.png --lock Hat", "no attribute 'Hat'"),
        ("render {vae} -o {out}/x.png --count 0", "--count is 0"),
        ("render {vae} -o {out}/x.png --count many", "--count"),
        ("render {vae} -o {out}/x.png --truncation inf", "--truncation is inf"),
        ("render {vae} -o {out}/x.png --seed -1", "seed -1"),
        ("render {vae} -o {out}/x.png --device tpu", "'tpu'"),
        ("render {vae} -o {out}/x.png --activation sine", "no activation 'sine'"),
        ("info {vae} --latent 4x", "--latent 4x is no size of a latent"),
        ("walk {vae} -o {out}/x.gif --noise loud", "no noise 'loud'"),
        ("render {vae} -o {out}/x.png --class 3", "takes no class"),
        ("render {vae} -o {out}/x.jpg", "does not end in .png"),
        ("render {vae} -o {out}/x.png --atribute A=1", "--attribute"),
        ("render {vae}", "--output"),
        ("render", "checkpoint"),
        ("render {out}/absent -o {out}/x.png", "does not exist"),
        ("edit {vae} -o {out}/x.png --image {out}/absent.png", "absent.png does not exist"),
        ("edit {vae} -o {out}/x.png --image {vae}", "not a picture"),
        ("edit {vae} -o {out}/x.png --image {face} --crop 1,2", "--crop '1,2'"),
        ("edit {vae} -o {out}/x.png --image {face} --attribute Hat=1", "no attribute 'Hat'"),
        ("walk {vae} -o {out}/w.avi", "'.avi'"),
        ("walk {vae} -o {out}/w.gif --seeds 1", "1 keyframes"),
        ("walk {vae} -o {out}/w.gif --seeds a,b", "a,b"),
        ("walk {vae} -o {out}/w.gif --fps 0", "positive"),
        ("walk {vae} -o {out}/w.gif --seconds 1e9", "too many"),
        ("encode {vae} -o {out}/e.safetensors --images {out}/absent", "not a folder"),
        ("encode {vae} -o {out}/e.pt --images {out}", "does not end in .safetensors"),
        ("convert {face} {out}/c.safetensors", "is a picture"),
        ("info {face}", "is a picture"),
        ("rendr", "Did you mean 'render'"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(
    vae: Path, face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = [word.format(vae=vae, out=out, face=face) for word in arguments.split()]
    assert said in refused(capsys, *words)
    assert not list(out.iterdir())


def test_a_folder_that_is_not_there_is_a_failure(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "folder does not exist" in refused(capsys, "render", vae, "-o", tmp_path / "no" / "x.png", status=1)


def test_a_target_that_is_a_folder_is_a_failure(vae: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.png").mkdir()
    assert "it is a folder" in refused(capsys, "render", vae, "-o", tmp_path / "x.png", status=1)


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted"),
        (MemoryError(), 1, "memory"),
        (PermissionError(13, "Permission denied", "file"), 1, "file: Permission denied"),
        (RuntimeError("a fault of ours"), 1, "did not expect: RuntimeError: a fault of ours"),
    ],
)
def test_every_other_end_has_its_status_and_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, vae: Path, tmp_path: Path,
    raised: BaseException, status: int, said: str,
) -> None:  # fmt: skip
    def fails(*arguments: object) -> None:
        raise raised

    monkeypatch.setattr(commands, "opened", fails)
    assert said in refused(capsys, "render", vae, "-o", tmp_path / "x.png", status=status)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"latentlab {latentlab.__version__}\n", "")
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert tuple(line.split()[0] for line in out.partition("Commands:")[2].strip().splitlines()) == cli.COMMANDS
    assert "..." not in out.partition("Commands:")[2], "every command's line is short enough to be read"
    status, out, _ = run(capsys, "walk", "--help")
    assert status == 0
    assert "--spherical" in out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_can_say_how_a_file_is_read_and_explains_every_option(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)(.*)\n( {8,}\S)?", out, re.MULTILINE)
    assert {"--device", "--trust", "--activation", "--range"} <= {name for name, _, _ in options}
    bare = [name for name, told, below in options if not re.search(r"\S {2,}\S|^ {2,}\S", told) and not below]
    assert not bare
    assert "list[" not in out
    example = out.partition("Example:\n")[2].strip()
    assert example.startswith(f"latentlab {command} ")
    assert set(re.findall(r" (--[a-z-]+)", example)) <= {name for name, _, _ in options}


def test_the_window_is_started_without_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, types\n"
        "app = types.ModuleType('latentlab.app')\n"
        "app.main = lambda argv: print(argv, 'typer' in sys.modules, 'torch' in sys.modules) or 0\n"
        "sys.modules['latentlab.app'] = app\n"
        "import latentlab\n"
        "latentlab.app = app\n"
        "from latentlab.cli import main\n"
        "sys.exit(main(['faces.safetensors', '--device', 'cpu']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['faces.safetensors', '--device', 'cpu'] False False\n"


@pytest.mark.parametrize("arguments", [("one.safetensors", "two.safetensors"), ("one.safetensors", "--colour")])
def test_the_window_refuses_what_it_does_not_know_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert arguments[1] in refused(capsys, *arguments)


def test_the_window_says_that_there_is_no_display(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert "no display" in refused(capsys, status=1)
