"""The window: composes docks, menus, tool bar and status line, and is the only listener of session and engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QMainWindow

from latentlab.core.errors import LatentlabError
from latentlab.core.registry import Entry
from latentlab.core.requests import Decode, Decoded, Encoded, EngineState, JobFailed, Lane, RequestFailed, same_picture
from latentlab.core.state import State
from latentlab.ui.actions import Actions
from latentlab.ui.autosaving import Autosaving
from latentlab.ui.commands import Commands
from latentlab.ui.docks import Docks
from latentlab.ui.menus import Menus
from latentlab.ui.notices import Notice, NoticeStack
from latentlab.ui.opening import Opening
from latentlab.ui.panel import Panel
from latentlab.ui.panels.image import ImagePanel
from latentlab.ui.running import RunningJob
from latentlab.ui.session_files import SessionFiles
from latentlab.ui.standing import Place, Standing
from latentlab.ui.status_line import StatusLine
from latentlab.ui.workspace import Workspace

SIZE = QSize(1280, 800)
IMAGE = "image"  # the consumer, and the panel, of the current picture


class MainWindow(QMainWindow):
    closing = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.opening = Opening(workspace, self)
        self.files = SessionFiles(workspace, self.opening, self)
        self.autosaving = Autosaving(workspace, self.opening, self)
        self._drawn: dict[str, State] = {}  # what each panel last drew
        self._asked: Decode | None = None
        self._engine_notice: Notice | None = None  # that it has gone
        self.setAcceptDrops(True)
        self.setObjectName("latentlab")
        self.docks = Docks(self, workspace.settings, self._make_panel)
        self.commands = Commands(workspace, self.opening, self.files, self.docks, self)
        self.actions_by_key = Actions(self, self.commands.find)
        self.menus = Menus(self, self.actions_by_key, self.commands, workspace)
        self.status = StatusLine(workspace.running, workspace.notices, workspace.training)
        self.status.messages_wanted.connect(self.commands.show_messages)
        self.setStatusBar(self.status)
        self.standing = Standing(workspace, self)
        self.stack = NoticeStack(workspace.notices, self, self._picture_place)
        self._listen()
        self.resize(SIZE.boundedTo(QGuiApplication.primaryScreen().availableSize()))
        self.docks.balance()
        self.docks.restore()

    def _listen(self) -> None:
        workspace, decoding = self.workspace, self.workspace.decoding
        workspace.session.changed.connect(self._on_changed)
        decoding.decoded.connect(self._on_decoded)
        decoding.encoded.connect(self._on_encoded)
        decoding.failed.connect(self._on_failed)
        decoding.engine_changed.connect(self._on_engine)
        workspace.running.failed.connect(self._on_job_failed)
        self.commands.themed.connect(self._on_theme)
        self.docks.seen.connect(self._catch_up)
        self.opening.shown.connect(self._on_model)
        self.commands.spaces.changed.connect(self._on_model)
        self.opening.engine_ready.connect(self._ask_again)
        self.standing.found.connect(self._on_place)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_theme)
        for note in workspace.settings.notes:
            workspace.notices.warn(note)

    # --- panels

    def _make_panel(self, entry: Entry) -> Panel | None:
        try:
            panel: Panel = entry.load()(self.workspace)
            panel.show_model()
        except Exception as error:  # noqa: BLE001 - one panel that cannot be made leaves the others
            self.workspace.notices.report(error, f"Making the panel {entry.title}")
            return None
        if entry.key == IMAGE:
            self._ask_again()  # the engine may have answered before there was a panel to show it
        return panel

    def _guard(self, panel: Panel, draw: Callable[[], None]) -> None:
        try:
            draw()
        except Exception as error:  # noqa: BLE001 - a panel that fails to draw is reported; the others live
            self.workspace.notices.report(error, f"Drawing the panel {panel.key}")

    def _catch_up(self, panel: Panel) -> None:
        """Draws what has changed since the panel was last seen."""
        new, old = self.workspace.state, self._drawn.get(panel.key)
        if new is not old:
            self._drawn[panel.key] = new
            self._guard(panel, lambda: panel.show_state(new, old))

    def _on_changed(self, new: State, old: State) -> None:
        self.menus.show_history()
        if new.checkpoint != old.checkpoint:
            return  # another model: `_on_model` follows, and until then the panels hold the one before
        if new.space != old.space:
            self.commands.spaces.follow()  # `_on_model` follows as well
            return
        self._ask_for_picture()  # first: the engine works on it while the panels draw
        for panel in list(self.docks.visible()):
            self._catch_up(panel)
        self.standing.ask()

    def _on_model(self) -> None:
        self._drawn.clear()
        for panel in list(self.docks.panels.values()):
            self._guard(panel, panel.show_model)
        for panel in list(self.docks.visible()):
            self._catch_up(panel)
        self.standing.show_model()
        self.menus.show_model()
        self.status.show_model(self.workspace.opened, self.menus.model_name)
        self._ask_again()

    # --- the engine

    def _ask_for_picture(self) -> None:
        state, asked = self.workspace.state, self._asked
        if not state.checkpoint or state.checkpoint != self.workspace.opened.info.sha256:
            return
        request = Decode(state.checkpoint, state.latent[None, :], state.space, state.condition)
        if asked is None or not same_picture(request, asked):
            self._asked = request
            self.workspace.decoding.submit(IMAGE, request, Lane.LIVE)

    def _ask_again(self) -> None:
        self._asked = None
        self._ask_for_picture()

    def _panel_of(self, consumer: str) -> Panel | None:
        return self.docks.panels.get(consumer.partition("/")[0])

    def _on_decoded(self, reply: Decoded) -> None:
        if (panel := self._panel_of(reply.consumer)) is not None:
            self._guard(panel, lambda: panel.show_decoded(reply))
        if reply.consumer == IMAGE:
            self.status.show_decoded(reply)

    def _on_encoded(self, reply: Encoded) -> None:
        if (panel := self._panel_of(reply.consumer)) is not None:
            self._guard(panel, lambda: panel.show_encoded(reply))

    def _on_failed(self, reply: RequestFailed) -> None:
        if (panel := self._panel_of(reply.consumer)) is not None:
            self._guard(panel, lambda: panel.show_failure(reply))
        if reply.message:  # none: it belonged to a model that is no longer open
            self.workspace.notices.error(reply.message, details=reply.details)

    def _on_engine(self, state: EngineState) -> None:
        self.status.show_engine("" if state.alive else "engine starting…")
        notices = self.workspace.notices
        if state.alive and self._engine_notice is not None:  # it is back: that it went is no longer news
            notices.dismiss(self._engine_notice)
            self._engine_notice = None
        if state.message:
            notice = (notices.info if state.alive else notices.warn)(state.message)
            self._engine_notice = None if state.alive else notice

    def _on_job_failed(self, job: RunningJob, failure: JobFailed) -> None:
        self.workspace.notices.error(f"{job.title}: {failure.message}", details=failure.details)

    def _on_place(self, place: Place) -> None:
        self.status.show_place(place)
        if isinstance(panel := self.docks.panels.get(IMAGE), ImagePanel):
            self._guard(panel, partial(panel.show_place, place))

    # --- theme, notices, files dropped, the end

    def _on_system_theme(self) -> None:
        if self.workspace.settings.theme == "system":
            self.commands.choose_theme("system")

    def _on_theme(self) -> None:
        for panel in list(self.docks.panels.values()):
            self._guard(panel, panel.show_theme)

    def _picture_place(self) -> QRect:
        panel = self.docks.panels.get(IMAGE)
        if not isinstance(panel, ImagePanel) or not panel.isVisible() or panel.window() is not self:
            return QRect()
        return QRect(panel.view.mapTo(self, QPoint(0, 0)), panel.view.size())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.stack.place()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.docks.fill()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:  # after the drop is over: whoever drags would wait for us
            QTimer.singleShot(0, self, partial(self.commands.open_path, paths[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._hold_before(event, True)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._hold_before(event, False)

    def _hold_before(self, event: QKeyEvent, held: bool) -> None:
        """Space reaches the window where no field or button wants it."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
        elif not event.isAutoRepeat() and isinstance(panel := self.docks.panels.get(IMAGE), ImagePanel):
            panel.hold_before(held)

    def closeEvent(self, event: QCloseEvent) -> None:
        """A person is asked about work that took effort; a signal or a program is not."""
        if event.spontaneous() and not self.commands.may_leave():
            event.ignore()
            return
        self.docks.remember()
        try:
            self.workspace.settings.save()
        except LatentlabError as error:
            self.workspace.notices.report(error)
        self.workspace.session.changed.disconnect(self._on_changed)
        event.accept()
        self.closing.emit()
