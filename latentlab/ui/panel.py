"""Panel: the base of everything docked in the window.

The window alone listens to the session and the engine and calls these methods; a panel never subscribes on its own.
Drawing never writes back: `show_state` must not call `session.update`.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, QThread, Signal
from PySide6.QtWidgets import QWidget

from latentlab.core.requests import Decoded, Encoded, RequestFailed
from latentlab.core.state import State
from latentlab.ui.workspace import Workspace


class Panel(QWidget):
    """Subclasses set `key` to their registry key. Consumers of the engine are named `key` or `key/…`."""

    key = ""
    first_focus: QWidget | None = None  # what the keyboard works in once the panel is called; None: the panel itself
    command_wanted = Signal(str)  # the name of one of the window's commands

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        application = QCoreApplication.instance()
        assert application is not None
        assert QThread.currentThread() is application.thread(), "widgets live on the GUI thread"
        self.workspace = workspace
        self.setObjectName(f"panel-{self.key}")

    def take_focus(self, reason: Qt.FocusReason) -> None:
        """No focus proxy does this: Tab would go straight to it, past all that stands before it in the panel."""
        (self.first_focus or self).setFocus(reason)

    def show_model(self) -> None:
        """Another model or other encodings are open: `self.workspace.opened` is new. `show_state` follows."""

    def show_state(self, new: State, old: State | None) -> None:
        """Draw `new`; `old` is what was drawn before, None when everything must be drawn anew."""

    def show_decoded(self, reply: Decoded) -> None:
        """Pictures asked for under a consumer of this panel."""

    def show_encoded(self, reply: Encoded) -> None:
        """Latents asked for under a consumer of this panel."""

    def show_failure(self, reply: RequestFailed) -> None:
        """A request of this panel failed; the last good picture stays."""

    def show_theme(self) -> None:
        """The colours changed: `latentlab.ui.theme.current()` is new."""

    def consumer(self, detail: str = "") -> str:
        return f"{self.key}/{detail}" if detail else self.key
