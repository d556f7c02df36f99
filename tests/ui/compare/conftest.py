"""The compare panel with and without a second model, and what tests of it ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Decode, Encode, Lane
from latentlab.ui.panels.compare import ComparePanel
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import CHECKPOINT, FakeEngine

Settled = Callable[[], None]


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot, follow: Callable[[ComparePanel], None]) -> ComparePanel:
    panel = ComparePanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(420, 520)
    panel.show()
    qtbot.waitExposed(panel)
    follow(panel)
    return panel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that the fake engine opens as the second model."""
    path = tmp_path / "other.pt"
    path.write_bytes(b"weights")
    return path


def open_second(panel: ComparePanel, path: Path, qtbot: QtBot, settled: Settled) -> None:
    """And waits until its attributes are known, which takes a thread."""
    panel.second.open(path)
    settled()
    assert panel.second.held is not None
    qtbot.waitUntil(lambda: panel.second.held is not None and bool(panel.second.held.directions))
    settled()


@pytest.fixture
def both(panel: ComparePanel, path: Path, qtbot: QtBot, settled: Settled) -> ComparePanel:
    open_second(panel, path, qtbot, settled)
    return panel


def asked(engine: FakeEngine, place: str) -> list[Decode | Encode]:
    return [request for consumer, request, _, _ in engine.requests if consumer.startswith(f"compare/{place}")]


def go_to(workspace: Workspace, *first: float) -> np.ndarray:
    """Another current picture, as the window asks for it: the panel hears of it by the image's own reply."""
    latent = np.zeros(8, np.float32)
    latent[: len(first)] = first
    workspace.go_to(latent, "elsewhere")
    workspace.decoding.submit("image", Decode(CHECKPOINT, latent[None]), Lane.LIVE)
    return latent
