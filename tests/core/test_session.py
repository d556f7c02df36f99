"""One drag is one undo step, and nothing that happens in between is lost or doubled."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from latentlab.core.session import HISTORY_LIMIT, Session
from latentlab.core.state import State


def state(name: str) -> State:
    return State(origin=np.zeros(2, np.float32), base=np.zeros(2, np.float32), name=name)


@pytest.fixture
def session() -> Session:
    return Session(state("0"))


def heard(session: Session) -> list[tuple[str, str]]:
    changes: list[tuple[str, str]] = []
    session.changed.connect(lambda new, old: changes.append((new.name, old.name)))
    return changes


def test_update_is_heard_and_undone(session: Session) -> None:
    changes = heard(session)
    session.update(state("1"), "First")
    session.update(state("2"), "Second")
    assert (session.undo_label, session.redo_label) == ("Second", "")
    session.undo()
    assert (session.state.name, session.undo_label, session.redo_label) == ("1", "First", "Second")
    session.undo()
    session.undo()
    assert (session.state.name, session.undo_label) == ("0", "")
    session.redo()
    session.redo()
    session.redo()
    assert (session.state.name, session.redo_label) == ("2", "")
    assert changes == [("1", "0"), ("2", "1"), ("1", "2"), ("0", "1"), ("1", "0"), ("2", "1")]


def test_same_state_is_no_change(session: Session) -> None:
    changes = heard(session)
    session.update(session.state)
    assert (changes, session.undo_label) == ([], "")


def test_gesture_is_one_step_however_many_updates(session: Session) -> None:
    changes = heard(session)
    session.update(state("1"), "Before")
    with session.gesture("Drag"):
        assert session.open_gesture == "Drag"
        for number in range(2, 9):
            session.update(state(str(number)), "ignored")
        assert session.undo_label == "Drag"
    assert len(changes) == 8
    assert session.open_gesture == ""
    session.undo()
    assert (session.state.name, session.undo_label) == ("1", "Before")
    session.redo()
    assert session.state.name == "8"


def test_gesture_without_a_change_leaves_no_step(session: Session) -> None:
    session.update(state("1"), "Before")
    with session.gesture("Click"):
        pass
    assert session.undo_label == "Before"


def test_gesture_ends_when_its_block_raises(session: Session) -> None:
    def broken_drag() -> None:
        with session.gesture("Drag"):
            session.update(state("1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_drag()
    assert session.open_gesture == ""
    session.undo()
    assert session.state.name == "0"


def test_second_gesture_ends_the_first(session: Session) -> None:
    session.begin("One")
    session.update(state("1"))
    session.begin("Two")
    session.update(state("2"))
    session.end()
    session.end()
    session.undo()
    assert (session.state.name, session.undo_label) == ("1", "One")


def test_undo_during_a_gesture_takes_the_whole_gesture_back(session: Session) -> None:
    session.begin("Drag")
    session.update(state("1"))
    session.undo()
    assert session.state.name == "0"
    session.update(state("2"), "After")
    assert session.undo_label == "After"


def test_abandoned_gesture_never_was(session: Session) -> None:
    session.update(state("1"), "Before")
    session.begin("Drag")
    session.update(state("2"))
    session.abandon()
    assert (session.state.name, session.undo_label, session.redo_label) == ("1", "Before", "")
    session.abandon()
    assert session.state.name == "1"


def test_new_edit_forgets_what_was_undone(session: Session) -> None:
    session.update(state("1"))
    session.undo()
    session.update(state("2"))
    session.redo()
    assert session.state.name == "2"


def test_dirty_follows_the_saved_state(session: Session) -> None:
    assert not session.dirty
    session.update(state("1"))
    assert session.dirty
    session.saved = session.state
    assert not session.dirty
    session.update(state("2"))
    session.undo()
    assert not session.dirty


def test_restart_ends_the_history(session: Session) -> None:
    session.update(state("1"))
    session.begin("Drag")
    session.restart(state("new"))
    assert (session.state.name, session.undo_label, session.open_gesture, session.dirty) == ("new", "", "", False)


def test_history_is_bounded(session: Session) -> None:
    for number in range(HISTORY_LIMIT + 20):
        session.update(state(str(number)))
    for _ in range(HISTORY_LIMIT + 20):
        session.undo()
    assert session.state.name == "19"


@pytest.mark.parametrize("dragging", [False, True])
def test_amend_reaches_every_remembered_state(session: Session, dragging: bool) -> None:
    session.update(state("1"), "One")
    session.update(state("2"), "Two")
    session.undo()
    if dragging:
        session.begin("Drag")
        session.update(state("3"))
    session.amend(lambda old: dataclasses.replace(old, space="w"))
    assert session.state.space == "w"
    seen = []
    while session.undo_label:
        session.undo()
        seen.append(session.state)
    while session.redo_label:
        session.redo()
        seen.append(session.state)
    assert {one.space for one in seen} == {"w"}


def test_amend_makes_nothing_dirty(session: Session) -> None:
    session.amend(lambda old: dataclasses.replace(old, space="w"))
    assert not session.dirty
    session.update(state("1"))
    session.amend(lambda old: dataclasses.replace(old, space="v"))
    assert session.dirty


class Editing(RuleBasedStateMachine):
    """Any order of edits, drags, undo and redo beside a list that says what must be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(state("0"))
        self.steps = ["0"]  # every state that undo and redo can reach
        self.at = 0
        self.count = 0
        self.drag: str | None = None  # what is shown within an open gesture

    @rule(times=st.integers(1, 3))
    def edit(self, times: int) -> None:
        for _ in range(times):
            self.count += 1
            self.session.update(state(str(self.count)))
            if self.drag is not None:
                self.drag = str(self.count)
            else:
                self._step(str(self.count))

    @rule()
    def begin(self) -> None:
        self._end()
        self.session.begin("Drag")
        self.drag = self.steps[self.at]

    @precondition(lambda self: self.drag is not None)
    @rule()
    def end(self) -> None:
        self.session.end()
        self._end()

    @precondition(lambda self: self.drag is not None)
    @rule()
    def abandon(self) -> None:
        self.session.abandon()
        self.drag = None

    @rule()
    def undo(self) -> None:
        self._end()
        self.session.undo()
        self.at = max(0, self.at - 1)

    @rule()
    def redo(self) -> None:
        self._end()
        self.session.redo()
        self.at = min(len(self.steps) - 1, self.at + 1)

    @invariant()
    def shows_what_it_must(self) -> None:
        assert self.session.state.name == (self.drag if self.drag is not None else self.steps[self.at])

    def _end(self) -> None:
        if self.drag is not None and self.drag != self.steps[self.at]:
            self._step(self.drag)
        self.drag = None

    def _step(self, name: str) -> None:
        self.steps[self.at + 1 :] = [name]
        self.at += 1


TestEditing = Editing.TestCase
TestEditing.settings = settings(derandomize=True, max_examples=40, stateful_step_count=25, deadline=None)
