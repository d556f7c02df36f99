"""LoneSlider: one slider outside a list of them, whose moves are undone as one step each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal

from latentlab.core.session import Session
from latentlab.ui.sliders.list import SliderList
from latentlab.ui.sliders.row import SliderRow
from latentlab.ui.stepped_gesture import SteppedGesture
from latentlab.ui.theme import CONTROL_PX


class LoneSlider(SliderList):
    """`row` says what it shows, `change` is called with every value a person chooses, within a gesture called `label`.

    Steps of the wheel and the keys that follow each other closely are one gesture, by `steps`.
    """

    taken = Signal()  # a person takes hold of it, before the first change

    def __init__(
        self,
        session: Session,
        steps: SteppedGesture,
        label: str,
        row: Callable[[], SliderRow],
        change: Callable[[float], None],
        *,
        title_width: int,
        number_width: int,
    ) -> None:
        super().__init__(title_width=title_width, renamable=False, lockable=False, number_width=number_width)
        self._session = session
        self._steps = steps
        self._label = label
        self._change = change
        self.setFixedHeight(CONTROL_PX)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(label)
        self.set_rows(1, lambda _: replace(row(), alone=True))
        self.pressed.connect(lambda _: self._press())
        self.moved.connect(lambda _, value: self._move(value))
        self.released.connect(lambda _: session.end())
        self.abandoned.connect(lambda _: session.abandon())
        self.stepped.connect(lambda _, value: self._take_step(value))
        self.typed.connect(lambda _, value: self._type(min(max(value, row().low), row().high)))
        self.reset.connect(lambda _: self._type(row().home))

    def _press(self) -> None:
        self._steps.finish()
        self.taken.emit()
        self._session.begin(self._label)

    def _move(self, value: float) -> None:
        """Nothing once the drag has been taken back, or another model opened, with the button still held."""
        if self._session.open_gesture == self._label:
            self._change(value)

    def _take_step(self, value: float) -> None:
        self.taken.emit()
        self._steps.step(self._label)
        self._change(value)

    def _type(self, value: float) -> None:
        self._steps.finish()
        self.taken.emit()
        self._change(value)
