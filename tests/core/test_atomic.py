"""A save is the old file or the new one, and what prevents it is said in one sentence."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.core.atomic import atomic_file, atomic_write, displayed
from latentlab.core.errors import SaveError


def only(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_new_file(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert only(tmp_path) == ["a.bin"]


def test_replaces_and_keeps_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old and longer")
    target.chmod(0o640)
    atomic_write(str(target), b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_new_file_honours_the_umask(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    atomic_write(tmp_path / "a.bin", b"")
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_file_can_be_read_and_sought(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a.bin") as file:
        file.write(b"0123")
        file.seek(1)
        assert file.read(2) == b"12"
        file.seek(0)
        file.write(b"X")
    assert (tmp_path / "a.bin").read_bytes() == b"X123"


@pytest.mark.parametrize("exception", [RuntimeError("broke"), KeyboardInterrupt()])
def test_exception_in_the_block_leaves_the_old_file(tmp_path: Path, exception: BaseException) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def save_half() -> None:
        with atomic_file(target) as file:
            file.write(b"half")
            raise exception

    with pytest.raises(type(exception)):
        save_half()
    assert target.read_bytes() == b"old"
    assert only(tmp_path) == ["a.bin"]


def test_error_about_another_file_is_not_called_a_failed_save(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a.bin") as file:
        file.write((tmp_path / "missing").read_bytes())
    assert only(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match=r"a\.bin: (the disk is full|your quota|the disk reported)") as caught:
        atomic_write(target, b"new")
    assert "unchanged" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert only(tmp_path) == ["a.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_limit_of_the_system_on_the_file_size(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    program = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from latentlab.core.atomic import atomic_write
from latentlab.core.errors import SaveError
try:
    atomic_write(sys.argv[1], bytes(5000))
except SaveError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(target)], capture_output=True, text=True, check=True)
    assert "larger than this disk allows" in done.stdout
    assert target.read_bytes() == b"old"
    assert only(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("", "it is a folder"),
        ("missing/a.bin", "its folder does not exist"),
        ("file/a.bin", "a part of the path is not a folder"),
        ("n" * 300, "the name is too long"),
        ("loop", "the link points at itself"),
        ("pipe", "a pipe or a device"),
        ("a\0b", "null"),
    ],
)
def test_unusable_targets(tmp_path: Path, name: str, cause: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    before = only(tmp_path)
    with pytest.raises(SaveError, match=cause) as caught:
        atomic_write(tmp_path / name, b"new")
    assert displayed(tmp_path) in str(caught.value)
    assert only(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_places(tmp_path: Path) -> None:
    protected = tmp_path / "protected.bin"
    protected.write_bytes(b"old")
    protected.chmod(0o444)
    with pytest.raises(SaveError, match="you may not write there"):
        atomic_write(protected, b"new")
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(SaveError, match="you may not write there"):
            atomic_write(tmp_path / "a.bin", b"new")
    finally:
        tmp_path.chmod(0o755)
    assert protected.read_bytes() == b"old"


def test_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "a.bin"
    real.write_bytes(b"old")
    link = tmp_path / "link.bin"
    link.symlink_to(real)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert only(tmp_path / "real") == ["a.bin"]


def test_link_to_nothing_creates_its_target(tmp_path: Path) -> None:
    (tmp_path / "link.bin").symlink_to(tmp_path / "real.bin")
    atomic_write(tmp_path / "link.bin", b"new")
    assert (tmp_path / "real.bin").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["ä 🙂.bin", "n" * 255, "\udcff.bin"])
def test_unusual_names(tmp_path: Path, name: str) -> None:
    atomic_write(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"
    displayed(tmp_path / name).encode()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_kill_at_any_moment_leaves_one_of_the_two(tmp_path: Path) -> None:
    """One child saves without pause and says when it has begun; it is killed at some moments and started anew."""
    target = tmp_path / "a.bin"
    old, new = b"o" * 400_000, b"n" * 500_000
    program = """
import sys
from latentlab.core.atomic import atomic_write
print("ready", flush=True)
while True:
    for letter, size in ((b"n", 500_000), (b"o", 400_000)):
        atomic_write(sys.argv[1], letter * size)
        print(".", end="", flush=True)
"""
    target.write_bytes(old)
    for saves in (0, 1, 2, 3, 5):
        with subprocess.Popen([sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            child.stdout.read(saves)
            child.send_signal(signal.SIGKILL)
        assert target.read_bytes() in (old, new)
