"""What a conditional model is asked for: its classes, of which one is chosen, and a switch for each attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from latentlab.core.condition import UNKNOWN, Condition
from latentlab.ui import theme
from latentlab.ui.choice_box import ChoiceBox
from latentlab.ui.names import readable
from latentlab.ui.space_key import leave_space

BUTTONS_AT_MOST = 12  # more classes are a list to choose from
TALLEST_PX = 96  # of the bar; beyond that it scrolls
NARROWEST_PX = 24  # of a class: ten digits fit in a row
SHORT = 3  # letters
GAP_PX = 2
ROUND_SWITCH_PX, LEAST_NAME_PX = 34, 60  # its box and margin; what is left of a name in the narrowest bar
ANY = "any class"


class ConditionBar(QScrollArea):
    """Hidden for a model that takes no condition. `asked` carries the name of the undo step and the Condition."""

    asked = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("What the model is asked for")
        self.names: tuple[str, ...] = ()  # of the classes
        self.class_buttons: QButtonGroup | None = None
        self.class_list: ChoiceBox | None = None
        self.switches: list[QCheckBox] = []
        self._condition = Condition()
        self.hide()

    def show_model(self, classes: Sequence[str], attributes: Sequence[str]) -> None:
        self.names = tuple(classes)
        self.class_buttons = self.class_list = None
        self.switches = []
        inner = QWidget()
        if classes or attributes:
            self._fill(inner, attributes)
        self.setWidget(inner)  # deletes the one before
        leave_space(inner)
        inner.setAutoFillBackground(False)  # the panel's ground, not the window's
        self.setVisible(bool(classes or attributes))
        self._fit()

    def show_condition(self, condition: Condition | None) -> None:
        self._condition = condition or Condition()
        label = self._condition.label
        if self.class_list is not None:
            self.class_list.setCurrentIndex(-1 if label is None else label)
        if self.class_buttons is not None:
            self._check(label)
        for switch, value in zip(self.switches, self._attributes, strict=True):
            state = Qt.CheckState.PartiallyChecked
            if value != UNKNOWN:
                state = Qt.CheckState.Checked if value > UNKNOWN else Qt.CheckState.Unchecked
            switch.setCheckState(state)

    def step_class(self, by: int) -> None:
        """The class that many after the current one; after the last comes the first."""
        if self.names:
            label = self._condition.label
            self._choose_class((label + by) % len(self.names) if label is not None else 0)

    # --- inside

    @property
    def _attributes(self) -> tuple[float, ...]:
        asked = self._condition.attributes  # a session of another hand may hold too few
        return asked if len(asked) == len(self.switches) else (UNKNOWN,) * len(self.switches)

    def _fill(self, inner: QWidget, attributes: Sequence[str]) -> None:
        from superqt import QFlowLayout  # a quarter of a second that other models do not need

        flow = QFlowLayout(inner)
        flow.setContentsMargins(0, 0, 0, 0)
        flow.setHorizontalSpacing(GAP_PX)
        flow.setVerticalSpacing(GAP_PX)
        if self.names:
            caption = QLabel("Class")
            caption.setProperty("role", "caption")
            caption.setFixedHeight(theme.CONTROL_PX)
            caption.setContentsMargins(0, 0, theme.GRID_PX // 2, 0)
            flow.addWidget(caption)
        if len(self.names) > BUTTONS_AT_MOST:
            flow.addWidget(self._list())
        elif self.names:
            self.class_buttons = QButtonGroup(inner)
            for label, name in enumerate(self.names):
                flow.addWidget(self._button(label, name, self.class_buttons))
            self.class_buttons.idClicked.connect(self._choose_class)
        for a, name in enumerate(attributes):
            flow.addWidget(self._switch(a, name))

    def _list(self) -> ChoiceBox:
        self.class_list = ChoiceBox()
        self.class_list.addItems(list(self.names))
        self.class_list.setPlaceholderText(ANY)
        self.class_list.setStyleSheet(f"margin-right: {theme.GRID_PX}px")
        self.class_list.setAccessibleName("Class")
        self.class_list.setToolTip("The class that the model is asked for (C, Shift+C)")
        self.class_list.activated.connect(self._choose_class)
        return self.class_list

    def _button(self, label: int, name: str, group: QButtonGroup) -> QToolButton:
        button = QToolButton()
        button.setText(name.replace("&", "&&"))
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setMinimumWidth(NARROWEST_PX)
        button.setFixedHeight(theme.CONTROL_PX)
        button.setStyleSheet(f"padding: 3px {'1' if len(name) < SHORT else '4'}px")
        button.setToolTip(f"Ask for {name}\nC: the next class, Shift+C: the one before")
        button.setAccessibleName(f"Class {name}")
        button.installEventFilter(self)
        group.addButton(button, label)
        return button

    def _switch(self, a: int, name: str) -> QCheckBox:
        switch = QCheckBox()  # `_fit` says its name
        switch.setStyleSheet(f"margin-right: {theme.GRID_PX}px")  # from the next one's box
        switch.setTristate(True)
        switch.setMinimumHeight(theme.CONTROL_PX)
        switch.setToolTip(f"Ask for {name}: ticked, it is there; empty, it is not; a dash leaves it open")
        switch.setAccessibleName(name)
        switch.installEventFilter(self)
        switch.clicked.connect(lambda: self._choose_attribute(a, name))
        self.switches.append(switch)
        return switch

    def _check(self, label: int | None) -> None:
        assert self.class_buttons is not None
        if label is not None and (button := self.class_buttons.button(label)) is not None:
            button.setChecked(True)
        elif (checked := self.class_buttons.checkedButton()) is not None:
            self.class_buttons.setExclusive(False)  # an exclusive group lets go of none
            checked.setChecked(False)
            self.class_buttons.setExclusive(True)

    def _choose_class(self, label: int) -> None:
        if label != self._condition.label:
            self.asked.emit(f"Class {self.names[label]}", replace(self._condition, label=label))

    def _choose_attribute(self, a: int, name: str) -> None:
        value, words = {
            Qt.CheckState.Checked: (1.0, f"With {readable(name)}"),
            Qt.CheckState.Unchecked: (0.0, f"Without {readable(name)}"),
            Qt.CheckState.PartiallyChecked: (UNKNOWN, f"{name} left open"),
        }[self.switches[a].checkState()]
        attributes = [*self._attributes]
        attributes[a] = value
        self.asked.emit(words, replace(self._condition, attributes=tuple(attributes)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn and isinstance(watched, QAbstractButton):
            self.ensureWidgetVisible(watched)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As tall as its rows, within reason; a name that is longer than a row keeps its beginning and its end."""
        for switch in self.switches:
            room = self.viewport().width() - ROUND_SWITCH_PX
            name = readable(switch.accessibleName())
            shown = switch.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, max(room, LEAST_NAME_PX))
            switch.setText(shown.replace("&", "&&"))
        inner = self.widget()
        layout = inner.layout() if inner is not None else None
        if layout is not None:
            self.setFixedHeight(min(TALLEST_PX, layout.heightForWidth(self.viewport().width())))
