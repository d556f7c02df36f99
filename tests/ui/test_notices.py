"""Notices: kept in a log, counted when repeated, actionable, and never over the picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from latentlab.core.errors import CheckpointError
from latentlab.ui.notices import (
    LOG_LIMIT,
    SHOWN_LIMIT,
    Action,
    NoticeCard,
    Notices,
    NoticeStack,
    Severity,
    place_beside,
)
from latentlab.ui.saved import say_saved
from tests.ui.conftest import deliver

PICTURE = QRect(500, 100, 300, 400)


@pytest.fixture
def notices(qapp: QApplication) -> Notices:
    return Notices()


def a_stack(notices: Notices, qtbot: QtBot) -> NoticeStack:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    return NoticeStack(notices, window, lambda: PICTURE)


def cards(stack: NoticeStack) -> list[NoticeCard]:
    return [card for card in stack.findChildren(NoticeCard) if not card.isHidden()]


def test_our_own_errors_are_said_as_they_stand_others_with_details(notices: Notices) -> None:
    notices.report(CheckpointError("faces.pt is empty. Copy it again."))
    assert (notices.log[-1].text, notices.log[-1].details) == ("faces.pt is empty. Copy it again.", "")
    try:
        raise KeyError("missing")
    except KeyError as error:
        notices.report(error, "Drawing the map")
    assert "Drawing the map failed: KeyError" in notices.log[-1].text
    assert "Traceback" in notices.log[-1].details
    assert notices.log[-1].severity is Severity.ERROR


def test_the_same_again_is_counted_not_stacked(notices: Notices, qtbot: QtBot) -> None:
    stack = a_stack(notices, qtbot)
    for _ in range(3):
        notices.warn("The engine ended")
    assert len(cards(stack)) == 1
    assert "(3 times)" in cards(stack)[0]._text.text()
    notices.dismiss(notices.shown[0])
    notices.warn("The engine ended")
    assert len(notices.log) == 2


def test_the_log_and_the_stack_are_bounded(notices: Notices, qtbot: QtBot) -> None:
    stack = a_stack(notices, qtbot)
    for i in range(LOG_LIMIT + 5):
        notices.error(f"error {i}")
    assert len(notices.log) == LOG_LIMIT
    assert len(notices.shown) == len(cards(stack)) == SHOWN_LIMIT


def test_actions_run_and_dismiss_and_details_are_copied(notices: Notices, qtbot: QtBot) -> None:
    stack = a_stack(notices, qtbot)
    done: list[str] = []
    notices.error("Not opened", Action("Try again", lambda: done.append("again")), details="the traceback")
    buttons = {button.text(): button for button in cards(stack)[0].findChildren(QPushButton)}
    buttons["Copy details"].click()
    assert QGuiApplication.clipboard().text() == "Not opened\n\nthe traceback"
    assert notices.shown
    buttons["Try again"].click()
    deliver()
    assert done == ["again"]
    assert not notices.shown
    assert not cards(stack)
    assert stack.isHidden()


def test_an_information_goes_by_itself_an_error_stays(notices: Notices, qtbot: QtBot) -> None:
    stack = a_stack(notices, qtbot)
    notices.error("wrong")
    notices.info("saved")
    error, information = cards(stack)
    assert not error._timer.isActive()
    assert information._timer.isActive()
    information._timer.timeout.emit()
    assert [notice.text for notice in notices.shown] == ["wrong"]


def test_a_card_is_as_tall_as_its_text(notices: Notices, qtbot: QtBot) -> None:
    stack = a_stack(notices, qtbot)
    notices.error("A long sentence about what went wrong. " * 12)
    assert stack.height() >= cards(stack)[0].heightForWidth(stack.width())
    assert stack.geometry().bottom() < 800


@pytest.mark.parametrize(
    "picture", [QRect(), PICTURE, QRect(800, 400, 480, 400), QRect(0, 400, 1280, 400), QRect(500, 60, 780, 740)]
)
def test_a_card_is_beside_the_picture(picture: QRect) -> None:
    window, card = QRect(0, 0, 1280, 800), QSize(360, 120)
    place = QRect(place_beside(window, card, picture), card)
    assert window.contains(place)
    assert not place.intersects(picture)


def test_bottom_right_is_preferred() -> None:
    place = place_beside(QRect(0, 0, 1280, 800), QSize(360, 120), PICTURE)
    assert place.x() + 360 > 1260
    assert place.y() + 120 > 740


def test_what_was_saved_leads_to_its_folder_and_goes_by_itself(
    notices: Notices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()) or True)
    stack = a_stack(notices, qtbot)
    notice = say_saved(notices, "Saved walk.gif", tmp_path / "walk.gif")
    notices.info("There is no map yet.", Action("Draw samples", lambda: None))
    saved, offer = cards(stack)
    assert (saved._timer.isActive(), offer._timer.isActive()) == (True, False), "what is to be decided stays"
    notice.actions[0].run()
    assert shown == [str(tmp_path)]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    notice.actions[0].run()
    assert notices.log[-1].text == f"It is in {tmp_path}"
