"""Damaged and hostile variants of every format: each opens, or is refused with one typed error; nothing else.

LATENTLAB_MUTATIONS says how many variants of each file are tried; few by default. `benchmarks/mutations.py` tries
10,000 in a process that it watches over.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.formats.mutating import ALL, HOSTILE, MARK, TRIALS, outcome, peak_bytes, variants

VARIANTS = int(os.environ.get("LATENTLAB_MUTATIONS", "5"))
SECONDS_AT_MOST = 5.0
MEMORY_BYTES = 200_000_000  # and twice the file


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("kind", "mode"), TRIALS)
def test_variants_open_or_are_refused(tmp_path: Path, kind: str, mode: str) -> None:
    path = ALL[kind](tmp_path)
    refused = kind in HOSTILE or kind in ("TorchScript", ".pt2")  # the latter open only where they are trusted
    assert outcome(path) == ("refused" if refused else "opened")
    size, before = path.stat().st_size, peak_bytes()
    outcomes = []
    for variant in variants(path, mode, VARIANTS, seed=7):
        began = time.monotonic()
        outcomes.append(outcome(variant))
        assert time.monotonic() - began < SECONDS_AT_MOST
        assert not (tmp_path / MARK).exists()
    assert "refused" in outcomes
    assert peak_bytes() - before < MEMORY_BYTES + 2 * size


@pytest.mark.parametrize("kind", ["planted torch", "StyleGAN2 (NVIDIA)"])
def test_info_ends_with_0_or_2_as_a_command(tmp_path: Path, kind: str) -> None:
    path = ALL[kind](tmp_path)
    done = subprocess.run([sys.executable, "-m", "latentlab", "info", str(path)], capture_output=True, timeout=120)
    assert done.returncode == (2 if kind in HOSTILE else 0)
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / MARK).exists()
