"""The trainer on a disk of 256 KB, for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.saving import tiny_disk
from latentlab.core.checkpoint_file import verify
from training.cli import main

TINY = ("--epochs", "40", "--batch-size", "16", "--latent-dim", "2", "--width", "4", "--threads", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="tmpfs")
def test_a_run_that_fills_the_disk_ends_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sheets pile up until there is room no more; whatever is written then, the checkpoint is whole."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with tiny_disk(disk) as mounted:
        if not mounted:
            pytest.skip("this user may not mount a small disk")
        (disk / "filler").write_bytes(bytes(150_000))
        asked = ["vae", "--data", "digits", "--limit", "60", *TINY, "--progress", "none", "--out", str(disk / "run")]
        assert main(asked) == 1
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "disk is full" in line or "No space left" in line
        assert not list(disk.rglob(".latentlab-*"))
        for checkpoint in (disk / "run").glob("*.safetensors"):
            verify(checkpoint)
