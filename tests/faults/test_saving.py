"""Everything that is saved, on a full disk and under kill -9: the old file or the new one, and no third thing.

`python -m benchmarks.faults` does the same with forty kills of each.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.saving import (
    SAVES,
    Save,
    Zygote,
    both,
    content,
    kept,
    kept_on_a_full_disk,
    kept_where_nothing_may_be_written,
    killed,
    restore,
    tiny_disk,
)
from latentlab.core.errors import SaveError

KILLS = 5
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="fork, kill -9 and tmpfs")


@pytest.fixture(params=list(SAVES))
def save(request: pytest.FixtureRequest) -> Save:
    return SAVES[request.param]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with tiny_disk(folder) as mounted:
        if not mounted:
            pytest.skip("this user may not mount a small disk")
        yield folder


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as found:
        yield found


@POSIX
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_disk_that_is_full_keeps_the_old_file(save: Save, disk: Path, scratch: Path, share: float) -> None:
    assert kept_on_a_full_disk(save, disk, scratch, share) == ""


@POSIX
def test_a_disk_that_is_read_only_keeps_the_old_file(save: Save, disk: Path, scratch: Path) -> None:
    assert kept_where_nothing_may_be_written(save, disk, scratch) == ""


def test_a_folder_of_that_name_stays(save: Save, tmp_path: Path, scratch: Path) -> None:
    target = tmp_path / "taken" / save.file
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    if save.elsewhere:
        save.write(target, True)
    else:
        with pytest.raises(SaveError, match=r"is a folder|is not empty") as caught:
            save.write(target, True)
        assert str(target) in str(caught.value)
    assert content(target) == {"mine.txt": b"mine"}
    assert list(target.parent.iterdir()) == [target]


@POSIX
def test_a_link_is_written_through(save: Save, tmp_path: Path, scratch: Path) -> None:
    _old, new = both(save, scratch)
    target, real = tmp_path / "link" / save.file, tmp_path / "real" / save.file
    for folder in (target.parent, real.parent):
        folder.mkdir()
    save.write(real, False)
    target.symlink_to(real)
    save.write(target, True)
    assert target.is_symlink()
    assert content(real) == content(new)
    assert list(target.parent.iterdir()) == [target]
    assert list(real.parent.iterdir()) == [real]


def test_a_disk_that_says_so_late_keeps_the_old_file(
    save: Save, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no disk can be mounted too: the error comes with the last step, as it does over a network."""
    old, _new = both(save, scratch)
    target = tmp_path / "disk" / save.file
    target.parent.mkdir()
    restore(target, old)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(Path, "replace", full)
    assert kept(save, target, old) == ""


@POSIX
@pytest.mark.parametrize("save", [name for name, save in SAVES.items() if not save.torch], indirect=True)
def test_a_kill_leaves_the_old_file_or_the_new_one(save: Save, zygote: Zygote, tmp_path: Path, scratch: Path) -> None:
    """What needs torch goes through the same function; the trainer is killed by tests/training/test_resuming.py."""
    folder = tmp_path / "killed"
    folder.mkdir()
    found = killed(zygote, save, folder, scratch, KILLS)
    assert found.torn == 0
    assert found.old + found.new == KILLS
