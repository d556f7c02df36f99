"""Tiny models of every family, and checkpoints of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny_networks import header_of, tiny_network

from latentlab.core.checkpoint_file import write_checkpoint
from latentlab.models.loading import weights_of


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    network = tiny_network()
    write_checkpoint(tmp_path / "model.safetensors", header_of(network), weights_of(network))
    return tmp_path / "model.safetensors"
