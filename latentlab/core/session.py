"""Session: holds the State and its history. One listener (the window) hears `changed(new, old)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from psygnal import Signal

from latentlab.core.state import State

HISTORY_LIMIT = 500


class Session:
    """Every change is one undo step, except within a gesture, where all changes together are one.

    A gesture is a drag: `begin` on press, any number of `update`, `end` on release.
    """

    changed: ClassVar[Signal] = Signal(object, object)  # (new: State, old: State)

    def __init__(self, state: State) -> None:
        self._state = state
        self._undo: list[tuple[str, State]] = []  # what a step is called, and the state before it
        self._redo: list[tuple[str, State]] = []
        self._gesture: tuple[str, State] | None = None
        self.saved: State = state

    @property
    def state(self) -> State:
        return self._state

    @property
    def dirty(self) -> bool:
        """Whether anything changed since the session was saved."""
        return self._state is not self.saved

    def update(self, state: State, label: str = "Change") -> None:
        """Makes `state` the current one; `label` names the step in the Undo menu."""
        old = self._state
        if state is old:
            return
        if self._gesture is None:
            self._remember(label, old)
        self._state = state
        self.changed.emit(state, old)

    def begin(self, label: str) -> None:
        """Opens a gesture; one that is still open is ended first."""
        self.end()
        self._gesture = (label, self._state)

    def end(self) -> None:
        """Closes the open gesture as one undo step; nothing is kept when nothing changed."""
        if self._gesture is not None:
            label, before = self._gesture
            self._gesture = None
            if before is not self._state:
                self._remember(label, before)

    def abandon(self) -> None:
        """Closes the open gesture and goes back to the state before it (Escape during a drag)."""
        if self._gesture is not None:
            _, before = self._gesture
            self._gesture = None
            self._show(before)

    @contextmanager
    def gesture(self, label: str) -> Iterator[None]:
        self.begin(label)
        try:
            yield
        finally:
            self.end()

    @property
    def open_gesture(self) -> str:
        """The label of the gesture that is open; empty when there is none."""
        return self._gesture[0] if self._gesture else ""

    def amend(self, change: Callable[[State], State]) -> None:
        """Applies `change` to the current state and to every remembered one: what is no edit of the user's.

        Directions that were fitted while he already works belong to every step, and make nothing dirty.
        """
        clean = not self.dirty
        self._undo = [(label, change(state)) for label, state in self._undo]
        self._redo = [(label, change(state)) for label, state in self._redo]
        if self._gesture is not None:
            label, before = self._gesture
            unmoved = before is self._state
            before = change(before)
            self._gesture = (label, before)
            after = before if unmoved else change(self._state)
        else:
            after = change(self._state)
        if clean:
            self.saved = after
        self._show(after)

    @property
    def undo_label(self) -> str:
        """What undo would take back; empty when there is nothing."""
        return self._gesture[0] if self._gesture else self._undo[-1][0] if self._undo else ""

    @property
    def redo_label(self) -> str:
        return self._redo[-1][0] if self._redo else ""

    def undo(self) -> None:
        self.end()
        if self._undo:
            label, before = self._undo.pop()
            self._redo.append((label, self._state))
            self._show(before)

    def redo(self) -> None:
        self.end()
        if self._redo:
            label, after = self._redo.pop()
            self._undo.append((label, self._state))
            self._show(after)

    def restart(self, state: State) -> None:
        """Another model or a loaded session: the history ends, nothing is dirty."""
        self._gesture = None
        self._undo.clear()
        self._redo.clear()
        self.saved = state
        self._show(state)

    def _remember(self, label: str, before: State) -> None:
        self._undo.append((label, before))
        del self._undo[:-HISTORY_LIMIT]
        self._redo.clear()

    def _show(self, state: State) -> None:
        old, self._state = self._state, state
        if state is not old:
            self.changed.emit(state, old)
