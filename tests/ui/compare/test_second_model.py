"""A second model opened, given back, undone, found again; and the contract of its panel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from latentlab.core.requests import OpenFailed
from latentlab.core.space_switching import in_space
from latentlab.core.spaces import LatentSpace
from latentlab.core.state import Comparison
from latentlab.ui.actions import ACTIONS
from latentlab.ui.importing import TrustBox
from latentlab.ui.panels.compare import ComparePanel
from latentlab.ui.workspace import Workspace
from tests.ui.compare.conftest import Settled, asked, go_to
from tests.ui.conftest import CHECKPOINT, SECOND, FakeEngine, some_info

# --- the second model


def test_without_a_second_model_one_line_says_how_to_get_one(panel: ComparePanel, engine: FakeEngine) -> None:
    assert panel.stack.currentWidget() is panel.empty
    assert "Drop a checkpoint here" in panel.empty.line.text()
    names = [button.text() for button in panel.empty.buttons]
    assert "faces-alpha-gan" in names
    assert names[-1] == "Open a file…"
    assert not panel.choice.isVisible()
    assert not asked(engine, "found"), "nothing is asked of a model that is not there"


def test_a_bundled_model_is_opened_by_its_button(panel: ComparePanel, engine: FakeEngine, settled: Settled) -> None:
    button = next(button for button in panel.empty.buttons if button.text() == "digits-cgan")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [(Path(one.path).name, one.slot) for one in engine.opens] == [("digits-cgan.safetensors", "compare")]
    settled()
    assert panel.heads.second.text() == "digits-cgan"


def test_opening_a_second_model_is_a_step_that_can_be_undone_and_redone(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    comparison = workspace.state.comparison
    assert (comparison.path, comparison.checkpoint) == (str(path), SECOND)
    assert workspace.session.undo_label == "Compare with other"
    assert both.stack.currentWidget() is both.pages["picture"]
    workspace.session.undo()
    settled()
    assert both.second.held is None
    assert engine.let_go_of == ["compare"]
    assert both.stack.currentWidget() is both.empty
    workspace.session.redo()
    settled()
    assert both.second.held is not None
    assert [one.path for one in engine.opens] == [str(path), str(path)]
    assert workspace.session.redo_label == "", "bringing it back is no step of its own"


def test_closing_it_frees_its_memory_and_the_first_is_not_touched(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    latent = workspace.state.latent
    assert "11 MB" in both.heads.captions[1].text()
    QTest.mouseClick(both.heads.close_button, Qt.MouseButton.LeftButton)
    settled()
    assert engine.let_go_of == ["compare"]
    assert workspace.state.comparison.path == ""
    np.testing.assert_array_equal(workspace.state.latent, latent)
    assert workspace.opened.info.sha256 == CHECKPOINT


def test_a_refused_file_is_said_and_what_was_there_stays(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, tmp_path: Path, settled: Settled
) -> None:
    engine.refuse = "bad.pt is empty. Choose another file."
    (tmp_path / "bad.pt").touch()
    both.second.open(tmp_path / "bad.pt")
    settled()
    assert workspace.notices.shown[-1].text.startswith("bad.pt is empty")
    assert both.second.held is not None
    assert both.second.held.name == "other"
    both.second.open(tmp_path / "absent.pt")
    assert "does not exist" in workspace.notices.shown[-1].text
    assert not both.opening.isVisible()


def test_a_session_whose_second_file_is_gone_says_so_once(
    panel: ComparePanel, workspace: Workspace, engine: FakeEngine, tmp_path: Path, settled: Settled
) -> None:
    workspace.change("A session", comparison=Comparison(str(tmp_path / "gone.pt"), SECOND))
    go_to(workspace, 1.0)
    settled()
    said = [notice.text for notice in workspace.notices.shown]
    assert len(said) == 1
    assert "gone.pt, could not be opened again" in said[0]
    assert engine.opens == []
    assert panel.stack.currentWidget() is panel.empty


def test_a_session_that_moved_finds_its_second_file_beside_the_first(
    panel: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    workspace.opened.info = replace(workspace.opened.info, path=str(path.parent / "faces.safetensors"))
    workspace.change("A session", comparison=Comparison("/elsewhere/other.pt", SECOND))
    settled()
    assert [one.path for one in engine.opens] == [str(path)]
    assert panel.second.held is not None
    settled()
    go_to(workspace, 1.0)
    settled()
    assert len(engine.opens) == 1, "it is found once"
    assert engine.let_go_of == []


def test_a_file_dropped_on_the_panel_is_opened_beside_the_first(
    panel: ComparePanel, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(panel.rect().center(), Qt.DropAction.CopyAction, mime, button, keys)
    panel.dragEnterEvent(entering)
    assert entering.isAccepted()
    panel.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, button, keys))
    settled()
    assert panel.second.held is not None
    assert engine.opens[0].slot == "compare"
    picture = QMimeData()
    picture.setUrls([QUrl.fromLocalFile(str(path.with_suffix(".png")))])
    entering = QDragEnterEvent(panel.rect().center(), Qt.DropAction.CopyAction, picture, button, keys)
    entering.ignore()
    panel.dragEnterEvent(entering)
    assert entering.isAccepted()
    asked: list[str] = []
    panel.command_wanted.connect(asked.append)
    panel.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, picture, button, keys))
    assert asked == [f"picture:{path.with_suffix('.png')}"]
    assert len(engine.opens) == 1, "a picture is no second model"


def test_a_file_is_chosen_from_the_menu_too(
    panel: ComparePanel, workspace: Workspace, path: Path, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    target = next(spec.target for spec in ACTIONS if spec.key == "compare-with")
    assert target.partition(".")[0] == panel.key
    getattr(panel, target.partition(".")[2])()
    settled()
    assert panel.second.held is not None
    assert workspace.settings.open_folder == str(path.parent)
    assert workspace.settings.recent[0] == str(path)


def test_a_guessed_reading_is_said_and_a_file_that_runs_code_asks_for_trust(
    panel: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    engine.second = some_info(sha256=SECOND, reading={"activation": "relu", "range": "tanh"}, guessed=("activation",))
    engine.needs_trust = True
    panel.second.open(path)
    settled()
    boxes = panel.findChildren(TrustBox)
    assert len(boxes) == 1
    QTest.mouseClick(boxes[0].trust_button, Qt.MouseButton.LeftButton)
    settled()
    assert [one.trust for one in engine.opens] == [False, True]
    assert panel.second.held is not None
    assert "likeliest guess: ReLU between the layers" in workspace.notices.shown[-1].text
    assert not panel.findChildren(QMessageBox)


def test_cancelling_gives_up_what_is_on_its_way_and_keeps_what_was_there(
    both: ComparePanel, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    engine.hold = True
    another = path.with_name("another.pt")
    another.touch()
    both.second.open(another)
    assert both.opening.isVisible()
    assert both.opening.text.text() == "Opening another…"
    QTest.mouseClick(both.opening.cancel_button, Qt.MouseButton.LeftButton)
    assert not both.opening.isVisible()
    engine.release()
    settled()
    assert both.second.held is not None
    assert both.second.held.name == "other"
    assert [Path(one.path).name for one in engine.opens][-1] == "other.pt", "its place in the engine is its own again"


def test_an_engine_that_came_back_without_the_second_lets_it_go(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, path: Path, settled: Settled
) -> None:
    engine.reply(OpenFailed(str(path), f"{path} does not exist.", slot="compare"))
    settled()
    assert both.second.held is None
    assert "could not be opened again" in workspace.notices.shown[-1].text
    go_to(workspace, 1.0)
    settled()
    assert len(engine.opens) == 1, "it is not tried again by itself"


# --- the contract of a panel


def test_drawing_writes_nothing_back_and_what_is_compared_goes_along_to_another_space(
    both: ComparePanel, workspace: Workspace, settled: Settled
) -> None:
    for aspect in both.pages:
        state = replace(workspace.state, comparison=replace(workspace.state.comparison, aspect=aspect))
        workspace.session.update(state, "Look")
        settled()
        assert workspace.state is state
    assert len({button.isChecked() for button in both.buttons.values()}) == 2
    info = some_info(spaces=(LatentSpace("z", (8,)), LatentSpace("w", (8,))))
    assert in_space(workspace.state, info, "w").comparison.path == workspace.state.comparison.path


def test_another_first_model_forgets_what_was_found_and_keeps_the_second(
    both: ComparePanel, workspace: Workspace, engine: FakeEngine, settled: Settled
) -> None:
    third = some_info(sha256="d" * 64, path="third.safetensors")
    comparison = workspace.state.comparison
    workspace.opened = replace(workspace.opened, info=third, encodings=None)
    workspace.decoding.checkpoint = third.sha256
    workspace.session.restart(replace(workspace.state, checkpoint=third.sha256, comparison=comparison))
    both.show_model()
    both.show_state(workspace.state, None)
    settled()
    assert both.second.held is not None
    assert both.heads.first.text() == "third"
    request = asked(engine, "found/first")[-1]
    assert request.checkpoint == third.sha256
    assert engine.let_go_of == []


def test_every_control_has_a_name_and_a_tooltip(both: ComparePanel) -> None:
    controls = [*both.buttons.values(), both.heads.second, both.heads.close_button]
    for page in both.pages.values():
        controls += [getattr(page, name) for name in ("draw_button", "other_button", "choice") if hasattr(page, name)]
    for control in controls:
        assert control.accessibleName()
        assert control.toolTip()
