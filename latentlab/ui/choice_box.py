"""A combo box that gives way: what does not fit ends in an ellipsis, and the tooltip says the whole of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent, QPalette
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

WIDEST_PX = 360  # of its open list
NARROWEST_PX = 96  # what a panel in a small window can leave to one
SPARE_PX = 2
ROUND_TEXT_PX = 40  # of the list: its frame, and a scroll bar


class ChoiceBox(QComboBox):
    """Qt cuts the text in the middle of a letter; this one paints what `shown_text` says."""

    @property
    def whole_text(self) -> str:
        """What is chosen; where nothing is, the words that stand in its place."""
        return self.currentText() if self.currentIndex() >= 0 else self.placeholderText()

    @property
    def shown_text(self) -> str:
        """As much of it as there is room for."""
        return self.fontMetrics().elidedText(self.whole_text, Qt.TextElideMode.ElideRight, self._room_px())

    def sizeHint(self) -> QSize:
        """Qt's own is a fraction of a pixel too narrow for the very text it was made for."""
        return super().sizeHint() + QSize(SPARE_PX, 0)

    def _room_px(self) -> int:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        rect = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self)
        return max(0, rect.width() - 2)  # the style leaves a pixel at both ends

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.isEditable():
            super().paintEvent(event)
            return
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0:
            quiet = option.palette.brush(QPalette.ColorRole.PlaceholderText)
            option.palette.setBrush(QPalette.ColorRole.ButtonText, quiet)
        option.currentText = self.shown_text
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and not self.isEditable():
            text = self.tooltip_text()
            if text:
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)

    def tooltip_text(self) -> str:
        """What it is for; above that the whole text, where it is cut."""
        parts = [self.whole_text] if self.shown_text != self.whole_text else []
        return "\n".join([*parts, *filter(None, [self.toolTip()])])

    def showPopup(self) -> None:
        """The list is as wide as its words, whatever room the box has."""
        widest_px = self.view().sizeHintForColumn(0) + ROUND_TEXT_PX
        self.view().setMinimumWidth(max(self.width(), min(widest_px, WIDEST_PX)))
        super().showPopup()
