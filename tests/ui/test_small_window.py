"""The window on a small screen: of a projector, or of a small laptop."""

from __future__ import annotations

from latentlab.core.registry import PANELS
from latentlab.core.requests import Progress
from latentlab.ui import theme
from latentlab.ui.main_window import MainWindow
from latentlab.ui.status_line import JobRow
from tests.ui.conftest import deliver, some_info


def test_no_panel_needs_more_than_a_small_screen(window: MainWindow) -> None:
    """Raising one behind a tab made the window larger than the screen of a projector, or of a small laptop."""
    font = window.font()
    font.setPixelSize(theme.BODY_PX)
    window.setFont(font)
    window.setStyleSheet(theme.stylesheet(theme.current()))
    for key in PANELS:
        window.docks.raise_panel(key)
        deliver()
        least = window.minimumSizeHint()
        assert (least.width() <= 1024, least.height() <= 640) == (True, True), (key, least)
    assert window.workspace.training is not None
    window.workspace.training.close()  # as the program does before the window goes: its form has asked something


def test_a_long_name_of_a_model_leaves_the_tool_bar_its_room(window: MainWindow) -> None:
    name = "a_model_whose_name_says_everything_that_was_tried_on_a_tuesday_afternoon_with_beta_4"
    window.workspace.opened.info = some_info(path=f"/models/{name}.safetensors")
    window.menus.show_model()
    shown = window.menus.model_button.text()
    assert len(shown) <= 40
    assert shown.startswith("a_model_whose")
    assert shown.endswith("with_beta_4")
    assert name in window.menus.model_button.toolTip()
    assert name in window.windowTitle()


def test_what_runs_does_not_widen_the_window(window: MainWindow) -> None:
    """A job says what it does at length, and a model may have any name: the status line gives way."""
    window.workspace.opened.info = some_info(path=f"/models/{'a_long_name_' * 8}.safetensors")
    window.status.show_model(window.workspace.opened, "a_long_name_" * 8)
    deliver()
    before = window.minimumSizeHint().width()
    text = "comparing the features of the pictures with those of the draws: 544 of 1,000"
    job = window.workspace.running.start("Measuring a model with a folder of pictures", "module:function", {})
    job.latest = Progress(544, 1000, text)
    window.status.show_jobs()
    deliver()
    assert window.minimumSizeHint().width() <= max(before, 1024)
    (row,) = window.status.findChildren(JobRow)
    assert text in row._text.toolTip()
