"""Which file the work belongs to, that Save writes to without asking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from latentlab.ui.main_window import MainWindow
from tests.ui.conftest import FakeEngine, deliver, some_info


@pytest.fixture
def saved(window: MainWindow, tmp_path: Path) -> Path:
    """A session that is open, and whose model is a file."""
    model = tmp_path / "faces.pt"
    model.write_bytes(b"weights")
    window.workspace.opened.info = replace(window.workspace.opened.info, path=str(model))
    path = tmp_path / "work.latentlab"
    assert window.files.save(path)
    return path


def other_model(engine: FakeEngine, tmp_path: Path) -> Path:
    other = tmp_path / "other.pt"
    other.write_bytes(b"weights")
    engine.info = some_info(sha256="d" * 64, encoder=False)
    return other


def test_another_model_is_other_work_so_saving_it_does_not_write_over_the_session(
    window: MainWindow, engine: FakeEngine, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()
    window.commands.open_path(other_model(engine, tmp_path))
    deliver()
    assert window.workspace.state.checkpoint == "d" * 64
    asked: list[str] = []
    monkeypatch.setattr(
        "latentlab.ui.commands.QFileDialog.getSaveFileName", lambda *_: (asked.append("where"), ("", ""))[1]
    )
    window.actions_by_key["save-session"].trigger()
    assert asked == ["where"]
    assert saved.read_bytes() == before


def test_a_session_whose_model_does_not_open_is_not_where_the_open_work_is_saved(
    window: MainWindow, engine: FakeEngine, saved: Path, tmp_path: Path
) -> None:
    window.commands.open_path(other_model(engine, tmp_path))
    deliver()
    engine.refuse = "damaged"
    window.commands.open_path(saved)
    deliver()
    assert window.files.path is None


def test_the_same_model_opened_again_leaves_the_work_with_its_file(window: MainWindow, saved: Path) -> None:
    window.commands.open_path(Path(window.workspace.opened.info.path))
    deliver()
    assert window.files.path == saved


def test_a_session_is_offered_the_name_of_its_model_and_then_its_own(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tuesday.latentlab"
    offered: list[str] = []
    answers = [("", ""), (str(target), ""), ("", "")]
    monkeypatch.setattr(
        "latentlab.ui.commands.QFileDialog.getSaveFileName", lambda *told: (offered.append(told[2]), answers.pop(0))[1]
    )
    window.workspace.opened.info = replace(window.workspace.opened.info, path=str(tmp_path / "faces.pt"))
    for _ in range(3):
        window.actions_by_key["save-session-as"].trigger()
    assert offered[:2] == ["faces.latentlab"] * 2
    assert offered[2] == str(target)
    said = window.workspace.notices.log[-1]
    assert target.name in said.text
    assert [action.text for action in said.actions] == ["Open folder"]
