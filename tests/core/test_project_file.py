"""The session file gives back every part of the State, and refuses what is damaged in one sentence."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.core import project_file
from latentlab.core.condition import Condition
from latentlab.core.directions import DirectionSet
from latentlab.core.errors import DataError, SaveError
from latentlab.core.state import State
from latentlab.core.state_document import Mismatch, state_from, to_document


def assert_same(before: Any, after: Any, place: str = "state") -> None:
    """Equal in every field and every bit, down to the order of mappings."""
    assert type(before) is type(after), place
    if isinstance(before, np.ndarray):
        assert before.dtype == after.dtype, place
        np.testing.assert_array_equal(before, after, err_msg=place)
    elif dataclasses.is_dataclass(before):
        for field in dataclasses.fields(before):
            if field.name != "among":
                assert_same(getattr(before, field.name), getattr(after, field.name), f"{place}.{field.name}")
    elif isinstance(before, Mapping):
        assert list(before) == list(after), place
        for key in before:
            assert_same(before[key], after[key], f"{place}.{key}")
    elif isinstance(before, tuple):
        assert len(before) == len(after), place
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            assert_same(one, other, f"{place}.{index}")
    else:
        assert before == after, place


def test_the_state_of_these_tests_leaves_no_part_at_its_default(full_state: State) -> None:
    plain = State(origin=full_state.origin, base=full_state.base)
    for field in dataclasses.fields(State):
        if field.name not in ("origin", "base"):
            assert repr(getattr(full_state, field.name)) != repr(getattr(plain, field.name)), field.name


def test_every_part_returns(full_state: State, tmp_path: Path) -> None:
    project_file.save(tmp_path / "a.latentlab", full_state, "/models/a.safetensors")
    again = project_file.load(tmp_path / "a.latentlab")
    assert_same(full_state, again.state)
    np.testing.assert_array_equal(full_state.latent, again.state.latent)
    assert again.checkpoint_path == "/models/a.safetensors"
    assert again.state.directions["Eyeglasses"].among is again.state.directions


def test_nearly_empty_state_returns(tmp_path: Path) -> None:
    state = State(origin=np.zeros(1, np.float32), base=np.ones(1, np.float32))
    project_file.save(tmp_path / "a.latentlab", state)
    assert_same(state, project_file.load(tmp_path / "a.latentlab").state)


def test_missing_parts_have_their_defaults(full_state: State) -> None:
    document = to_document(full_state)
    short = {name: document[name] for name in ("origin", "base")}
    state = state_from(json.loads(json.dumps(short)))
    assert state.walk.fps == 30
    assert isinstance(state.directions, DirectionSet)
    with pytest.raises(Mismatch, match="state lacks origin"):
        state_from({"base": document["base"]})


def test_unknown_keys_are_kept_and_written_back(full_state: State, tmp_path: Path) -> None:
    path = tmp_path / "a.latentlab"
    project_file.save(path, full_state)
    document = json.loads(path.read_text())
    document["later"] = [1, 2]
    document["state"]["later"] = {"a": 1}
    document["state"]["walk"]["later"] = "b"
    document["checkpoint"]["later"] = 3
    path.write_text(json.dumps(document))
    loaded = project_file.load(path)
    calmer = dataclasses.replace(loaded.state, strengths={"Smiling": 1.0})
    project_file.save(path, calmer, document=loaded.document)
    written = json.loads(path.read_text())
    assert written["later"] == [1, 2]
    assert written["state"]["later"] == {"a": 1}
    assert written["state"]["walk"]["later"] == "b"
    assert written["checkpoint"]["later"] == 3
    assert written["state"]["strengths"] == {"Smiling": 1.0}, "an edit that was taken back must not return"


def test_checkpoint_is_found_beside_a_session_that_moved(full_state: State, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "models").mkdir(parents=True)
    (old / "models" / "a.safetensors").touch()
    project_file.save(old / "a.latentlab", full_state, old / "models" / "a.safetensors")
    assert project_file.load(old / "a.latentlab").checkpoint_path == str(old / "models" / "a.safetensors")
    old.rename(new)
    assert project_file.load(new / "a.latentlab").checkpoint_path == str(new / "models" / "a.safetensors")


def changed(*keys: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return change


ARRAY = {"dtype": "float32", "shape": [3], "base64": "AAAAAAAAAAAAAAAA"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("kind", to="latentlab directions"), "not a latentlab session"),
        (changed("version", to=99), "reads up to 1. Update latentlab"),
        (changed("version", to="one"), "damaged: version"),
        (changed("state", to=[1]), "damaged: state"),
        (changed("state", "walk", "fps", to="fast"), r"state\.walk\.fps is 'fast', not a whole number"),
        (changed("state", "walk", "fps", to=True), r"state\.walk\.fps"),
        (changed("state", "walk", "fps", to=0), "0 pictures per second"),
        (changed("state", "walk", "seconds", to=float("nan")), r"state\.walk\.seconds"),
        (changed("state", "walk", "interpolation", to="cubic"), "one of linear, spherical"),
        (changed("state", "walk", "keyframes", to={}), r"state\.walk\.keyframes is {}, not a list"),
        (
            changed("state", "walk", "keyframes", 0, "latent", to=ARRAY),
            r"keyframes\.0 has the shape \(3,\)",
        ),
        (changed("state", "walk", "keyframes", 0, to={"name": "a"}), "lacks latent"),
        (changed("state", "base", to=ARRAY), r"state\.base has the shape"),
        (changed("state", "base", to=[1, 2]), "not an array of float32"),
        (changed("state", "base", "base64", to="!"), r"state\.base holds 0 bytes|coded bytes"),
        (changed("state", "base", "base64", to="AAAA"), "holds 3 bytes where 16 are declared"),
        (changed("state", "base", "base64", to="AADAfwAAAAAAAAAAAAAAAA=="), "not finite"),
        (changed("state", "base", "shape", to=[2**30, 2**30]), "one can hold"),
        (changed("state", "base", "shape", to=[-4]), "shape of an array"),
        (changed("state", "base", "dtype", to="object"), "not an array of float32"),
        (changed("state", "original", "image", "deflated", to="AAAA"), "coded bytes"),
        (changed("state", "original", "image", "shape", to=[5, 7]), "holds 36 bytes where 35 are declared"),
        (changed("state", "sliders", "names", to={"x": "tilt"}), "'x', not a whole number"),
        (changed("state", "strengths", to={"Smiling": "much"}), r"state\.strengths\.Smiling"),
        (changed("state", "condition", to="cat"), r"state\.condition"),
        (changed("state", "condition", "label", to="cat"), r"state\.condition\.label"),
        (changed("state", "condition", "attributes", to=[2.0]), r"state\.condition\.attributes"),
        (changed("state", "groups", 0, "members", "base64", to="/" * 32), r"state\.groups\.0"),
    ],
)
def test_damage_is_named(
    full_state: State, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    path = tmp_path / "a.latentlab"
    project_file.save(path, full_state)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message) as caught:
        project_file.load(path)
    assert str(path) in str(caught.value)


def test_sessions_that_hold_the_number_of_a_class_still_load(full_state: State, tmp_path: Path) -> None:
    path = tmp_path / "a.latentlab"
    project_file.save(path, full_state)
    document = json.loads(path.read_text())
    changed("state", "condition", to=3)(document)
    path.write_text(json.dumps(document))
    assert project_file.load(path).state.condition == Condition(3)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[" * 100_000, b"\x80\x04", b"{}", b"<html>"])
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.latentlab"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.latentlab"):
        project_file.load(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_truncated(full_state: State, tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.latentlab"
    project_file.save(path, full_state)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(DataError, match="it is not JSON"):
        project_file.load(path)


def test_missing_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "a\0b"):
        with pytest.raises(DataError):
            project_file.load(path)


def test_failed_save_keeps_the_old_session(full_state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.latentlab"
    project_file.save(path, full_state)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="disk is full"):
        project_file.save(path, dataclasses.replace(full_state, name="other"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(derandomize=True, max_examples=80)
@given(st.sampled_from([field.name for field in dataclasses.fields(State)]), json_values)
def test_any_value_in_any_part_is_taken_or_refused_in_words(name: str, value: object) -> None:
    state = State(origin=np.zeros(2, np.float32), base=np.zeros(2, np.float32))
    refusal = name
    try:
        state_from({**to_document(state), name: value})
    except Mismatch as error:
        refusal = str(error)
    assert name in refusal
