"""Unsaved work is offered after a crash, and never that of a window that is open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentlab.core import project_file
from latentlab.core.errors import DataError, SaveError
from latentlab.core.locking import locked
from latentlab.core.snapshots import Snapshots
from latentlab.core.state import State


@pytest.fixture
def state() -> State:
    return State(origin=np.zeros(2, np.float32), base=np.ones(2, np.float32), name="mine")


CHILD = """
import sys
from pathlib import Path
import numpy as np
from latentlab.core.snapshots import Snapshots
from latentlab.core.state import State
snapshots = Snapshots(Path(sys.argv[1]))
snapshots.open()
state = State(origin=np.zeros(2, np.float32), base=np.ones(2, np.float32), name="of the child")
snapshots.write(state, "/models/a.safetensors")
print("saved", flush=True)
sys.stdin.read()
"""


def test_snapshot_of_a_killed_process_is_offered_and_only_then(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"saved\n"
        here = Snapshots(tmp_path)
        here.open()
        assert here.left_behind() == [], "a second instance is no crash"
        child.kill()
    (left,) = here.left_behind()
    loaded = project_file.load(left.path)
    assert loaded.state.name == "of the child"
    assert loaded.checkpoint_path == "/models/a.safetensors"
    here.forget(left)
    assert here.left_behind() == []
    here.close()
    assert list(tmp_path.iterdir()) == []


def test_two_sessions_in_one_process_know_each_other(tmp_path: Path, state: State) -> None:
    one, other = Snapshots(tmp_path), Snapshots(tmp_path)
    one.open()
    other.open()
    one.write(state)
    assert other.left_behind() == []
    assert one.left_behind() == []
    one.discard()
    assert not one.path.exists()
    one.write(state)
    one.close()
    assert other.left_behind() == []
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_lock_that_nobody_holds_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "123-abc.lock").touch()
    here = Snapshots(tmp_path)
    here.open()
    here.left_behind()
    assert not (tmp_path / "123-abc.lock").exists()
    here.close()


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path: Path) -> None:
    torn, fresh = tmp_path / ".latentlab-0a.tmp", tmp_path / ".latentlab-0b.tmp"
    for path in (torn, fresh):
        path.write_bytes(b"half")
    os.utime(torn, (0, 0))
    here = Snapshots(tmp_path)
    here.open()
    assert here.left_behind() == []
    assert not torn.exists()
    assert fresh.exists(), "another window may be writing it"
    here.close()


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_damaged_snapshot_is_offered_and_refused_when_it_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "123-abc.latentlab").write_bytes(content)
    (left,) = Snapshots(tmp_path).left_behind()
    with pytest.raises(DataError):
        project_file.load(left.path)


def test_nothing_is_written_before_the_lock_is_held(tmp_path: Path, state: State) -> None:
    snapshots = Snapshots(tmp_path / "deep" / "folder")
    snapshots.write(state)
    assert snapshots.left_behind() == []
    snapshots.open()
    snapshots.write(state)
    assert snapshots.path.exists()
    snapshots.close()
    snapshots.write(state)
    assert list((tmp_path / "deep" / "folder").iterdir()) == []


def test_unusable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="LATENTLAB_DATA_HOME"):
        Snapshots(tmp_path / "file").open()


def test_work_that_is_not_kept_since_its_lock_is_held_is_said(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    descriptor = locked(snapshots._lock_path)
    assert descriptor is not None
    with pytest.raises(SaveError, match="cannot be kept"):
        snapshots.open()
    os.close(descriptor)
    snapshots.open()
    snapshots.close()


def test_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path))
    assert Snapshots().folder == tmp_path / "snapshots"
