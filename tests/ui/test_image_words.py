"""What the image panel says and shows of itself: its caption, its focus, the name a picture is saved under."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Decode
from latentlab.core.state import with_strength
from latentlab.ui import theme
from latentlab.ui.panel import Panel
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.workspace import Workspace
from tests.ui.conftest import DIM, deliver


@pytest.fixture
def panel(workspace: Workspace, follow: Callable[[Panel], None], qtbot: QtBot) -> ImagePanel:
    panel = ImagePanel(workspace)
    qtbot.addWidget(panel)
    follow(panel)
    ask(workspace)
    return panel


def ask(workspace: Workspace) -> None:
    """What the window does: the current picture is decoded under the consumer "image"."""
    state = workspace.state
    workspace.decoding.submit("image", Decode(state.checkpoint, state.latent[None], state.space, state.condition))
    deliver()


def test_a_comparison_with_nothing_says_so(panel: ImagePanel, workspace: Workspace) -> None:
    """A difference of nothing is a grey square, which explains nothing."""
    panel.toggle_difference()
    deliver()
    assert "nothing is edited yet" in panel.caption.text()
    workspace.session.update(with_strength(workspace.state, "Eyeglasses", 2.0), "Add Eyeglasses")
    ask(workspace)
    assert "difference, signed" in panel.caption.text()


def test_who_comes_with_the_keyboard_sees_where_they_are(panel: ImagePanel, qtbot: QtBot) -> None:
    with qtbot.waitActive(panel):
        panel.show()
    panel.take_focus(Qt.FocusReason.TabFocusReason)
    assert panel.view.grab().toImage().pixelColor(0, 0) == QColor(theme.current().accent)
    panel.clearFocus()
    assert panel.view.grab().toImage().pixelColor(0, 0) == QColor(theme.current().panel)
    panel.take_focus(Qt.FocusReason.MouseFocusReason)
    assert panel.view.grab().toImage().pixelColor(0, 0) == QColor(theme.current().panel)


@pytest.mark.parametrize(
    ("name", "file"),
    [("holiday.JPG", "holiday by faces.png"), ("sample 3 of seed 0", "sample 3 of seed 0.png"), ("", "picture.png")],
)
def test_a_picture_is_saved_under_a_name_that_is_not_its_originals(
    panel: ImagePanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *told: (asked.append(Path(told[2]).name), ("", ""))[1])
    workspace.go_to(np.zeros(DIM, np.float32), name)
    ask(workspace)
    panel.save_picture()
    assert asked == [file]
