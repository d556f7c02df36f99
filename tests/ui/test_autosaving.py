"""Unsaved work survives a crash, and nothing is left after a clean end."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QMessageBox

from latentlab.core.snapshots import Snapshots
from latentlab.core.state import with_strength
from latentlab.ui.autosaving import Autosaving
from latentlab.ui.main_window import MainWindow
from tests.ui.conftest import FakeEngine, deliver


@pytest.fixture
def model(window: MainWindow, tmp_path: Path) -> Path:
    path = tmp_path / "faces.pt"
    path.write_bytes(b"weights")
    window.workspace.opened.info = replace(window.workspace.opened.info, path=str(path))
    return path


def edit(window: MainWindow) -> None:
    session = window.workspace.session
    session.update(with_strength(session.state, "Eyeglasses", 1.5), "Add Eyeglasses")


def joined(autosaving: Autosaving) -> None:
    assert autosaving._writer is not None
    autosaving._writer.join()


def crash(autosaving: Autosaving) -> None:
    """What the system does when a process is killed: its lock is freed, its files stay."""
    assert autosaving._snapshots._lock is not None
    os.close(autosaving._snapshots._lock)
    autosaving._snapshots._lock = None


def test_a_clean_window_keeps_nothing_an_edited_one_a_snapshot_a_closed_one_nothing(
    window: MainWindow, model: Path
) -> None:
    autosaving = window.autosaving
    autosaving.begin()
    autosaving.snapshot()
    folder = autosaving._snapshots.folder
    assert not list(folder.glob("*.latentlab"))
    edit(window)
    autosaving.snapshot()
    joined(autosaving)
    assert len(list(folder.glob("*.latentlab"))) == 1
    autosaving.close()
    assert not list(folder.iterdir())


def test_work_is_offered_after_a_crash_and_goes_on_unsaved(window: MainWindow, model: Path, engine: FakeEngine) -> None:
    autosaving = window.autosaving
    autosaving.begin()
    edit(window)
    latent = window.workspace.state.latent
    autosaving.snapshot()
    joined(autosaving)
    crash(autosaving)
    window.commands.revert()
    again = Autosaving(window.workspace, window.opening, window)
    again.begin()
    notice = window.workspace.notices.shown[-1]
    assert "unsaved work" in notice.text
    next(action for action in notice.actions if action.text == "Restore").run()
    deliver()
    assert np.allclose(window.workspace.state.latent, latent)
    assert window.workspace.session.dirty
    assert not Snapshots().left_behind()
    again.close()


def test_work_that_cannot_be_restored_is_offered_again(window: MainWindow, model: Path, engine: FakeEngine) -> None:
    autosaving = window.autosaving
    autosaving.begin()
    edit(window)
    autosaving.snapshot()
    joined(autosaving)
    crash(autosaving)
    again = Autosaving(window.workspace, window.opening, window)
    again.begin()
    model.unlink()
    next(a for a in window.workspace.notices.shown[-1].actions if a.text == "Restore").run()
    deliver()
    assert "does not exist" in window.workspace.notices.shown[-1].text
    assert len(Snapshots().left_behind()) == 1
    again.close()


def test_another_window_that_is_open_is_no_crash(window: MainWindow, model: Path) -> None:
    window.autosaving.begin()
    edit(window)
    window.autosaving.snapshot()
    joined(window.autosaving)
    second = Autosaving(window.workspace, window.opening, window)
    second.begin()
    assert not window.workspace.notices.shown
    second.close()
    window.autosaving.close()


def test_a_folder_that_cannot_be_used_is_said_once(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(occupied))
    autosaving = Autosaving(window.workspace, window.opening, window)
    autosaving.begin()
    assert "cannot be kept" in window.workspace.notices.shown[-1].text
    autosaving.close()


def test_settings_that_cannot_be_saved_keep_no_window_open(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(type(window.workspace.settings), "_path", None, raising=False)
    assert window.close()
    assert not window.isVisible()
    assert "disk is full" in window.workspace.notices.log[-1].text


def test_a_disk_that_fills_up_is_said_once_and_the_snapshot_stays(
    window: MainWindow, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosaving = window.autosaving
    autosaving.begin()
    edit(window)
    autosaving.snapshot()
    joined(autosaving)
    (kept,) = autosaving._snapshots.folder.glob("*.latentlab")
    before = kept.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        window.commands.add_keyframe()
        autosaving.snapshot()
        joined(autosaving)
        deliver()
    assert kept.read_bytes() == before
    (said,) = (notice for notice in window.workspace.notices.shown if "disk is full" in notice.text)
    assert said.count == 1
    assert not autosaving._timer.isActive()
    autosaving.close()


def test_a_person_is_asked_only_about_work_that_took_effort(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(*parts: object) -> QMessageBox.StandardButton:
        asked.append(str(parts[1]))
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", answer)
    edit(window)
    assert window.commands.may_leave()
    window.commands.add_keyframe()
    assert not window.commands.may_leave()
    assert asked == ["Save the session?"]
    window.commands.quit()
    assert window.isVisible()
