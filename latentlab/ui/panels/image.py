"""The image panel: the current picture, before and after, what changed; pictures in and out.

Shapes: H W C pictures, uint8; D latent.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QFocusEvent, QImage, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from latentlab.core.requests import Decode, Decoded, Encoded, Lane, RequestFailed
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State
from latentlab.ui import latent_mime, theme
from latentlab.ui.actions import shortcut_tooltip
from latentlab.ui.carrying import show_carried
from latentlab.ui.comparison import Comparison
from latentlab.ui.condition_bar import ConditionBar
from latentlab.ui.difference import AMPLIFICATIONS, Kind, difference
from latentlab.ui.elided_label import ElidedLabel
from latentlab.ui.image_view import ImageView, as_array
from latentlab.ui.panel import Panel
from latentlab.ui.picture_exchange import PictureExchange, is_picture
from latentlab.ui.space_key import BY_KEYBOARD
from latentlab.ui.standing import Place
from latentlab.ui.tool_button import tool_button
from latentlab.ui.workspace import Workspace

HINT = "Hold Space: before the edits. Drop a picture: its latent."
EMPTY = "The picture appears here as soon as the model is loaded."


class ImagePanel(Panel):
    key = "image"
    frame_shown = Signal(int)  # the ticket of the reply that has been painted

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._model = ""  # the SHA-256 of the one shown
        self._current: Decoded | None = None
        self._before: Decoded | None = None  # the picture of the origin
        self._before_asked: FloatArray | None = None
        self._holding = False
        self.view = ImageView()
        self.view.hint = EMPTY
        self.view.set_smooth(workspace.settings.smooth_image)
        self.view.frame_shown.connect(self.frame_shown)
        self.exchange = PictureExchange(workspace, self)
        self.exchange.live.connect(self.view.show_picture)
        self.exchange.given_up.connect(self._refresh)
        self.view.make_mime = lambda: self.exchange.mime(self._now())
        self.comparison = Comparison()
        self._place: Place | None = None
        self._build()

    def _build(self) -> None:
        self.before_button = self._button("mdi6.compare-horizontal", "before", checkable=True)
        self.before_button.toggled.connect(self._refresh)
        self.difference_button = self._button("mdi6.vector-difference", "difference", checkable=True)
        self.difference_button.toggled.connect(self._refresh)
        self._difference_menu()
        self.smooth_button = self._button("mdi6.blur", "smooth", checkable=True)
        self.smooth_button.setChecked(self.view.smooth)
        self.smooth_button.toggled.connect(self._set_smooth)
        open_button = self._button("mdi6.image-plus-outline", "open-image")
        open_button.clicked.connect(self.open_picture)
        copy_button = self._button("mdi6.content-copy", "copy-image")
        copy_button.clicked.connect(self.copy_picture)
        save_button = self._button("mdi6.content-save-outline", "save-image")
        save_button.clicked.connect(self.save_picture)
        self.condition = ConditionBar()
        self.condition.asked.connect(lambda label, condition: self.workspace.change(label, condition=condition))
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "caption")
        self.caption.setFont(theme.caption_font(self.caption))
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setAccessibleName("Where the picture stands")
        self.hint = QLabel(HINT)
        self.hint.setProperty("role", "caption")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.hint.setHidden(self.key in self.workspace.settings.hints_used)
        top = QHBoxLayout()
        top.setSpacing(2)
        for button in (self.before_button, self.difference_button, self.smooth_button):
            top.addWidget(button)
        top.addStretch()
        for button in (open_button, copy_button, save_button):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PADDING_PX, theme.GRID_PX, theme.PADDING_PX, theme.GRID_PX)
        column.setSpacing(theme.GRID_PX)
        column.addLayout(top)
        column.addWidget(self.condition)
        column.addWidget(self.view, 1)
        column.addWidget(self.comparison)
        column.addWidget(self.caption)
        column.addWidget(self.hint)

    def _button(self, symbol: str, action: str, checkable: bool = False) -> QToolButton:
        return tool_button(symbol, shortcut_tooltip(action), checkable=checkable)

    def _difference_menu(self) -> None:
        menu = QMenu(self)
        self.kind: Kind = "signed"
        self.amplification = 2
        kinds: tuple[tuple[Kind, str], ...] = (("signed", "Signed, around grey"), ("absolute", "Absolute, on black"))
        for kind, text in kinds:
            self._choice(menu, text, kind == self.kind, partial(self._set_difference, kind=kind))
        menu.addSeparator()
        for factor in AMPLIFICATIONS:
            chosen = factor == self.amplification
            self._choice(menu, f"Amplified {factor} times", chosen, partial(self._set_difference, amplification=factor))
        self.difference_button.setMenu(menu)
        self.difference_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def _choice(self, menu: QMenu, text: str, checked: bool, chosen: partial[None]) -> None:
        action = QAction(text, menu)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda: chosen())
        menu.addAction(action)

    # --- what the window calls

    def show_model(self) -> None:
        self._before = self._before_asked = None
        info = self.workspace.opened.info
        if self._model != info.sha256:  # in another space the picture stays until the next one is there
            self._model = info.sha256
            self._current = None
            self.exchange.forget()
        self.condition.show_model(info.conditional or (), info.conditional_attributes)

    def show_state(self, new: State, old: State | None) -> None:
        if old is None or new.original is not old.original:
            self.comparison.show_original(new.original)
            if new.original is not None:
                self._ask(new.original.latent, new, "original")
        if old is None or new.condition != old.condition:
            self.condition.show_condition(new.condition)
        if old is None or new.origin is not old.origin or new.condition != old.condition:
            self._before = self._before_asked = None
            if self.before_wanted or self.difference_button.isChecked():
                self._ask_before()
        if old is None or new.name != old.name:
            self._place = None  # where the picture before stood; the new place follows
            self._show_caption()
        if self._current is None:
            self.view.show_picture(self._stored_picture())

    def show_decoded(self, reply: Decoded) -> None:
        if reply.consumer == self.consumer("original"):
            self.comparison.show_reconstruction(reply.images[0])
        elif reply.consumer == self.consumer("before"):
            if np.array_equal(reply.request.latents[0], self.workspace.state.origin):
                self._before = reply
                self._refresh()
        else:
            self._current = reply
            self._refresh()

    def show_encoded(self, reply: Encoded) -> None:
        self.exchange.take_encoded(reply)

    def show_failure(self, reply: RequestFailed) -> None:
        self.exchange.take_failure(reply)

    def show_place(self, place: Place) -> None:
        self._place = place
        self.caption.setToolTip(place.explained)
        self._show_caption()

    def show_theme(self) -> None:
        self.view.update()

    # --- actions

    def toggle_before(self) -> None:
        self.before_button.toggle()

    def toggle_difference(self) -> None:
        self.difference_button.toggle()

    def toggle_smooth(self) -> None:
        self.smooth_button.toggle()

    def hold_before(self, held: bool) -> None:
        """Space goes down or up."""
        if held and self.key not in self.workspace.settings.hints_used:
            self.workspace.settings.hints_used = [*self.workspace.settings.hints_used, self.key]
            self.hint.hide()
        if held != self._holding:
            self._holding = held
            self._refresh()

    def next_class(self) -> None:
        self._step_class(1)

    def previous_class(self) -> None:
        self._step_class(-1)

    def _step_class(self, by: int) -> None:
        if self.condition.names:
            self.condition.step_class(by)
        else:
            self.workspace.notices.info("This model is not asked for a class: only conditional models are.")

    def copy_picture(self) -> None:
        self.exchange.copy(self._now())

    def save_picture(self) -> None:
        self.exchange.save(self._now())

    def open_picture(self) -> None:
        self.exchange.choose()

    def read_picture(self, path: str) -> None:
        """The latent of a picture file."""
        self.exchange.read(path)

    # --- inside

    @property
    def before_wanted(self) -> bool:
        return self._holding or self.before_button.isChecked()

    def _now(self) -> NDArray[np.uint8] | None:
        return None if self._current is None else self._current.images[0]

    def _stored_picture(self) -> NDArray[np.uint8] | None:
        """The thumbnail of the encoding one is at: something to look at while the engine starts."""
        encodings, latent = self.workspace.opened.encodings, self.workspace.state.latent
        if encodings is None or encodings.thumbnails is None or encodings.dim != len(latent):
            return None
        found = np.flatnonzero((encodings.latents == latent).all(axis=1))
        image = QImage.fromData(encodings.thumbnails.coded(int(found[0]))) if len(found) else QImage()
        return None if image.isNull() else as_array(image)

    def _ask(self, latent: FloatArray, state: State, detail: str) -> None:
        request = Decode(state.checkpoint, latent[None, :], state.space, state.condition)
        self.workspace.decoding.submit(self.consumer(detail), request, Lane.VISIBLE)

    def _ask_before(self) -> None:
        state = self.workspace.state
        if self._before is None and state.checkpoint and self._before_asked is not state.origin:
            self._before_asked = state.origin
            self._ask(state.origin, state, "before")

    def _refresh(self) -> None:
        """Draws the current picture, the one before, or what changed between them."""
        if self._current is None:
            self.view.show_picture(None)
            return
        picture, ticket = self._current.images[0], self._current.ticket
        if self.before_wanted or self.difference_button.isChecked():
            self._ask_before()
            if self._before is not None and self._before.images[0].shape == picture.shape:
                before = self._before.images[0]
                change = partial(difference, picture, before, self.kind, self.amplification)
                picture = before if self.before_wanted else change()
        self.view.show_picture(picture, ticket)
        self._show_caption()

    def _show_caption(self) -> None:
        state = self.workspace.state
        parts = [state.name]
        comparing = self.before_wanted or self.difference_button.isChecked()
        if comparing and np.array_equal(state.latent, state.origin):
            parts.append("nothing is edited yet: no difference")
        elif self.before_wanted:
            parts.append("before the edits")
        elif self.difference_button.isChecked():
            parts.append(f"difference, {self.kind}, {self.amplification} times")
        elif self._place is not None:
            parts.append(self._place.caption(self.workspace.state.name))
        self.caption.setText(" · ".join(part for part in parts if part))

    def _set_smooth(self, smooth: bool) -> None:
        self.workspace.settings.smooth_image = smooth
        self.view.set_smooth(smooth)

    def _set_difference(self, kind: Kind | None = None, amplification: int | None = None) -> None:
        self.kind = kind or self.kind
        self.amplification = amplification or self.amplification
        for action in self.difference_button.menu().actions():
            chosen = (f"Amplified {self.amplification} times", "Signed" if self.kind == "signed" else "Absolute")
            action.setChecked(action.text().startswith(chosen))
        self.difference_button.setChecked(True)
        self._refresh()

    # --- the keyboard

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.view.set_ringed(event.reason() in BY_KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.view.set_ringed(False)

    # --- pictures and latents dropped

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        inside = event.source() is self.view
        if not inside and (mime.hasFormat(latent_mime.LATENTS) or mime.hasImage() or is_picture(mime.urls())):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        mime = event.mimeData()
        event.acceptProposedAction()
        carried = latent_mime.unpacked(mime, self.workspace.state.checkpoint)
        if carried:
            show_carried(self.workspace, carried)
        elif is_picture(mime.urls()):
            self.exchange.read(next(url for url in mime.urls() if is_picture([url])).toLocalFile())
        elif mime.hasImage():
            self.exchange.take_image(mime.imageData())
