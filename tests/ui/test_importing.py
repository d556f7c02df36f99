"""Opening what others made: how it is read is asked with pictures, whether it is trusted is asked at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latentlab.core.beside import path_elsewhere
from latentlab.core.readings import ENDING, Guess
from latentlab.core.requests import Done, JobFailed, Partial, Progress
from latentlab.ui.import_form import ImportForm
from latentlab.ui.importing import Importing
from latentlab.ui.latent_size_form import LatentSizeForm
from latentlab.ui.main_window import MainWindow
from tests.ui.conftest import FakeEngine, FakeJob, FakeJobs, deliver

READINGS = [("relu", "tanh"), ("leaky_relu", "tanh"), ("relu", "sigmoid"), ("tanh", "tanh")]


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_DATA_HOME", str(tmp_path / "data"))


def guess(activation: str, output: str) -> Guess:
    return Guess(activation, output, np.full((4, 8, 8, 3), 90, np.uint8))


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    path = tmp_path / "G.pth"
    path.write_bytes(b"weights of somebody")
    return path


@pytest.fixture
def importing(window: MainWindow) -> Importing:
    return window.commands.importing


@pytest.fixture
def asked(window: MainWindow, engine: FakeEngine, jobs: FakeJobs, foreign: Path) -> tuple[ImportForm, FakeJob]:
    """The dialog over a file whose reading was guessed, with all readings drawn."""
    reading = {"activation": "relu", "range": "tanh"}
    engine.info = replace(engine.info, sha256="foreign", reading=reading, guessed=("activation", "range"))
    window.commands.open_path(foreign)
    deliver()
    form = window.commands.importing.form
    assert form is not None
    assert form.selected is not None  # the engine has drawn the likeliest before the job has said a word
    job = jobs.started[-1]
    for number, (activation, output) in enumerate(READINGS, 1):
        job.say(Partial(guess(activation, output)))
        job.say(Progress(number, len(READINGS), f"{number} of {len(READINGS)}"))
    deliver()
    return form, job


def test_the_likeliest_is_shown_at_once_and_the_question_comes_with_it(
    window: MainWindow, engine: FakeEngine, jobs: FakeJobs, asked: tuple[ImportForm, FakeJob], foreign: Path
) -> None:
    form, job = asked
    assert window.workspace.opened.info.path == str(foreign)
    assert engine.requests[-1][1].checkpoint == "foreign"  # its picture is asked for behind the dialog
    assert form.isVisible()
    assert job.function == "latentlab.formats.guessing:run"
    assert job.arguments["path"] == str(foreign)
    assert [card.guess.reading for card in form.cards] == [{"activation": a, "range": r} for a, r in READINGS]
    assert form.selected is form.cards[0].guess
    assert "likeliest" in form.cards[0].accessibleName()
    assert not any("--activation" in notice.text for notice in window.workspace.notices.log)
    assert (form.bar.maximum(), form.bar.value()) == (4, 4)
    job.say(Done(4))
    deliver()
    assert not form.bar.isVisible()
    form.use_button.click()  # long after the job has gone
    deliver()
    assert window.workspace.opened.info.guessed == ()


def test_another_reading_by_keyboard_is_used_remembered_and_not_asked_again(
    window: MainWindow, engine: FakeEngine, asked: tuple[ImportForm, FakeJob], foreign: Path, qtbot: QtBot
) -> None:
    form, job = asked
    window.commands.add_keyframe()
    qtbot.keyClick(form.cards[0], Qt.Key.Key_Right)
    assert form.selected is form.cards[1].guess
    qtbot.keyClick(form.cards[1], Qt.Key.Key_Return)
    deliver()
    said = {"activation": "leaky_relu", "range": "tanh"}
    assert json.loads((foreign.parent / (foreign.name + ENDING)).read_text()) == said
    assert engine.opens[-1].options == said
    opened = window.workspace.opened
    assert (dict(opened.info.reading), opened.info.guessed) == (said, ())
    assert opened.request.options == said
    assert window.commands.importing.form is None
    assert job.cancelled  # what it would still draw is of no use
    assert len(window.workspace.state.walk.keyframes) == 1  # the latents are the same ones


def test_what_was_said_of_a_file_goes_with_it(
    window: MainWindow, engine: FakeEngine, asked: tuple[ImportForm, FakeJob], tmp_path: Path
) -> None:
    form, _job = asked
    notices = window.workspace.notices
    form.later_button.click()
    deliver()
    assert any("likeliest guess" in notice.text for notice in notices.shown)
    engine.info = replace(engine.info, sha256="broken", reading={}, guessed=(), warnings=("w1 holds NaN.",))
    (tmp_path / "broken.pth").write_bytes(b"weights")
    window.commands.open_path(tmp_path / "broken.pth")
    deliver()
    assert not any("likeliest guess" in notice.text for notice in notices.shown)
    assert any("w1 holds NaN" in notice.text for notice in notices.shown)
    engine.info = replace(engine.info, sha256="sound", warnings=())
    (tmp_path / "sound.pth").write_bytes(b"weights")
    window.commands.open_path(tmp_path / "sound.pth")
    deliver()
    assert not any("w1 holds NaN" in notice.text for notice in notices.shown)
    assert any("w1 holds NaN" in notice.text for notice in notices.log)


def test_of_a_graph_the_output_and_the_size_are_remembered_too(
    window: MainWindow, engine: FakeEngine, jobs: FakeJobs, foreign: Path
) -> None:
    reading = {"range": "tanh", "picture": "sum", "latent": "8"}
    engine.info = replace(engine.info, sha256="foreign", reading=reading, guessed=("range", "picture"))
    window.commands.open_path(foreign)
    deliver()
    form = window.commands.importing.form
    assert form is not None
    assert form.selected is not None
    assert form.selected.reading == {"range": "tanh", "picture": "sum"}
    assert "in use" in form.cards[0].notes
    jobs.started[-1].say(Partial(Guess("", "sigmoid", np.full((4, 16, 16, 3), 90, np.uint8), "fine")))
    deliver()
    assert "the output 'fine', sigmoid at the end" in form.cards[1].accessibleName()
    form.cards[1].setChecked(True)
    form.use_button.click()
    deliver()
    said = json.loads((foreign.parent / (foreign.name + ENDING)).read_text())
    assert said == {"range": "sigmoid", "latent": "8", "picture": "fine"}
    assert engine.opens[-1].options == {"range": "sigmoid", "picture": "fine"}


def test_pictures_of_the_reading_before_are_forgotten(
    window: MainWindow, engine: FakeEngine, asked: tuple[ImportForm, FakeJob]
) -> None:
    form, _ = asked
    before = len(engine.requests)
    form.cards[2].click()
    form.use_button.click()
    deliver()
    assert {consumer for consumer, *_ in engine.requests[before:]} >= {"image", "samples/sheet"}


def test_a_double_click_takes_a_card(
    window: MainWindow, engine: FakeEngine, asked: tuple[ImportForm, FakeJob], qtbot: QtBot
) -> None:
    form, _ = asked
    qtbot.mouseDClick(form.cards[3], Qt.MouseButton.LeftButton)
    deliver()
    assert engine.opens[-1].options == {"activation": "tanh", "range": "tanh"}


def test_cards_that_come_later_do_not_take_the_choice_away(
    window: MainWindow, asked: tuple[ImportForm, FakeJob], qtbot: QtBot
) -> None:
    form, job = asked
    qtbot.mouseClick(form.cards[2], Qt.MouseButton.LeftButton)
    job.say(Partial(guess("elu", "sigmoid")))
    deliver()
    assert form.selected is form.cards[2].guess


def test_escape_keeps_the_guess_and_offers_the_question_again(
    window: MainWindow, engine: FakeEngine, asked: tuple[ImportForm, FakeJob], foreign: Path, qtbot: QtBot
) -> None:
    form, job = asked
    opens = len(engine.opens)
    qtbot.keyClick(form, Qt.Key.Key_Escape)
    deliver()
    assert len(engine.opens) == opens
    assert not (foreign.parent / (foreign.name + ENDING)).exists()
    assert job.cancelled
    notice = window.workspace.notices.shown[-1]
    assert "ReLU between the layers, tanh at the end" in notice.text
    notice.actions[0].run()
    assert window.commands.importing.form is not None


def test_it_can_be_asked_again_with_the_reading_in_use_chosen(
    window: MainWindow, engine: FakeEngine, jobs: FakeJobs, importing: Importing, asked: tuple[ImportForm, FakeJob]
) -> None:
    form, _ = asked
    form.cards[1].click()
    form.use_button.click()
    deliver()
    window.actions_by_key["reading"].trigger()
    again = importing.form
    assert again is not None
    for activation, output in READINGS:
        jobs.started[-1].say(Partial(guess(activation, output)))
    deliver()
    assert again.selected is again.cards[1].guess
    assert "in use" in again.cards[1].accessibleName()


def test_a_file_that_says_it_is_not_asked(window: MainWindow, jobs: FakeJobs, importing: Importing) -> None:
    window.actions_by_key["reading"].trigger()
    assert importing.form is None
    assert "nothing to choose" in window.workspace.notices.shown[-1].text


def test_samples_that_cannot_be_drawn_are_said_in_the_dialog(asked: tuple[ImportForm, FakeJob]) -> None:
    form, job = asked
    job.say(JobFailed("the memory was full."))
    deliver()
    assert "the memory was full" in form.said.text()
    assert form.use_button.isEnabled()


def test_an_answer_that_cannot_be_kept_beside_the_file(
    window: MainWindow, asked: tuple[ImportForm, FakeJob], foreign: Path
) -> None:
    form, _ = asked
    (foreign.parent / (foreign.name + ENDING)).mkdir()
    form.use_button.click()
    deliver()
    assert path_elsewhere(foreign, ENDING).is_file()
    assert any("kept as" in notice.text for notice in window.workspace.notices.log)


def test_another_model_closes_the_question(
    window: MainWindow, engine: FakeEngine, importing: Importing, asked: tuple[ImportForm, FakeJob], tmp_path: Path
) -> None:
    _, job = asked
    other = tmp_path / "other.pth"
    other.write_bytes(b"x")
    engine.info = replace(engine.info, sha256="other", reading={}, guessed=())
    window.commands.open_path(other)
    deliver()
    assert importing.form is None
    assert job.cancelled


# --- trust


@pytest.fixture
def doubted(window: MainWindow, engine: FakeEngine, foreign: Path) -> Callable[[], None]:
    """Opens a file that can run code."""
    engine.needs_trust = True
    engine.info = replace(engine.info, sha256="program")

    def again() -> None:
        window.commands.open_path(foreign)
        deliver()

    again()
    return again


def test_no_is_the_answer_unless_a_person_says_otherwise(
    window: MainWindow, engine: FakeEngine, importing: Importing, doubted: Callable[[], None], qtbot: QtBot
) -> None:
    shown = window.workspace.opened.info.sha256
    box = importing.box
    assert box is not None
    assert box.isVisible()
    assert box.informativeText().startswith("G.pth is a program, which can run code.\n")
    assert "G.pth" in box.text()
    assert box.defaultButton() is box.refuse_button
    with qtbot.waitSignal(window.opening.refused):
        qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert not any(request.trust for request in engine.opens)
    assert window.workspace.opened.info.sha256 == shown
    assert "can run code" in window.workspace.notices.shown[-1].text


def test_trusted_it_opens_this_once(
    window: MainWindow, engine: FakeEngine, importing: Importing, doubted: Callable[[], None]
) -> None:
    assert importing.box is not None
    importing.box.trust_button.click()
    deliver()
    assert engine.opens[-1].trust
    assert window.workspace.opened.info.sha256 == "program"
    assert window.workspace.opened.for_jobs["trust"] is True  # its jobs need not ask again
    doubted()  # but the next opening does
    assert not engine.opens[-1].trust
    assert importing.box is not None
    importing.box.refuse_button.click()


def test_a_session_goes_on_where_it_was_once_its_model_is_trusted(
    window: MainWindow, engine: FakeEngine, importing: Importing, foreign: Path
) -> None:
    engine.needs_trust = True
    engine.info = replace(engine.info, sha256="program")
    there = replace(window.workspace.state, name="where I was", checkpoint="program")
    window.opening.open(foreign, there)
    deliver()
    assert importing.box is not None
    importing.box.trust_button.click()
    deliver()
    assert window.workspace.state.name == "where I was"


def test_no_question_is_left_open(window: MainWindow) -> None:
    assert QApplication.activeModalWidget() is None


# --- how large its latents are


@pytest.fixture
def open_ended(window: MainWindow, engine: FakeEngine, foreign: Path) -> LatentSizeForm:
    """The question over a file that leaves the size of its latents open."""
    engine.needs_latent = True
    engine.info = replace(engine.info, sha256="open-ended")
    window.commands.open_path(foreign)
    deliver()
    form = window.commands.importing.size_form
    assert form is not None
    return form


def test_a_size_that_a_file_leaves_open_is_asked_and_remembered(
    window: MainWindow, engine: FakeEngine, open_ended: LatentSizeForm, foreign: Path, qtbot: QtBot
) -> None:
    assert window.workspace.opened.info.sha256 != "open-ended"
    assert not open_ended.open_button.isEnabled()
    for wrong in ("0", "64x", "4x16x16x2"):
        open_ended.field.setText(wrong)
        assert not open_ended.open_button.isEnabled()
    open_ended.field.clear()
    qtbot.keyClicks(open_ended.field, "4x16x16")
    qtbot.keyClick(open_ended.field, Qt.Key.Key_Return)
    deliver()
    assert engine.opens[-1].options == {"latent": "4x16x16"}
    assert window.workspace.opened.info.sha256 == "open-ended"
    assert json.loads((foreign.parent / (foreign.name + ENDING)).read_text()) == {"latent": "4x16x16"}
    assert window.commands.importing.size_form is None
    assert not any("leaves the size" in notice.text for notice in window.workspace.notices.shown)


def test_without_an_answer_the_file_is_refused(
    window: MainWindow, engine: FakeEngine, open_ended: LatentSizeForm, foreign: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(window.opening.refused):
        open_ended.refuse_button.click()
    deliver()
    assert "leaves the size of its latents open" in window.workspace.notices.shown[-1].text
    assert window.workspace.opened.info.sha256 != "open-ended"
    assert not (foreign.parent / (foreign.name + ENDING)).exists()


def test_a_wrong_answer_is_not_remembered(
    window: MainWindow, engine: FakeEngine, open_ended: LatentSizeForm, foreign: Path
) -> None:
    engine.refuse = "It takes latents of 6, not of 7."
    open_ended.field.setText("7")
    open_ended.open_button.click()
    deliver()
    assert "not of 7" in window.workspace.notices.shown[-1].text
    assert not (foreign.parent / (foreign.name + ENDING)).exists()
