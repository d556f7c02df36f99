"""Decoding: the engine as the window sees it. The only place where replies cross into the GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal

from latentlab.core.requests import (
    Decoded,
    Encoded,
    Engine,
    EngineState,
    Factorised,
    InSpace,
    Lane,
    Opened,
    OpenFailed,
    OpenModel,
    Reply,
    Request,
    RequestFailed,
    Slot,
)


class Decoding(QObject):
    """Sends requests and emits their replies on the GUI thread, in the order in which they came.

    Replies that belong to another checkpoint than `checkpoint` or `second` are dropped; every other picture is passed
    on, also when a newer request is under way already: that is what makes a drag continuous.
    """

    decoded = Signal(object)  # Decoded
    encoded = Signal(object)  # Encoded
    in_space = Signal(object)  # InSpace
    factorised = Signal(object)  # Factorised
    failed = Signal(object)  # RequestFailed
    opened = Signal(object)  # Opened
    open_failed = Signal(object)  # OpenFailed
    second_opened = Signal(object)  # Opened: the model that is compared with
    second_open_failed = Signal(object)  # OpenFailed
    engine_changed = Signal(object)  # EngineState
    _replied = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self.checkpoint = ""
        self.second = ""  # of the model it is compared with
        self.decode_ms = 0.0  # of the last picture of the first that was asked for on the live lane
        self.device = ""
        self._closed = False
        self._replied.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        engine.on_reply = self._replied.emit

    def open(self, request: OpenModel) -> None:
        self._engine.open(request)

    def let_go(self, slot: Slot) -> None:
        """Frees the model of a slot."""
        self._engine.let_go(slot)

    def submit(self, consumer: str, request: Request, lane: Lane = Lane.LIVE) -> int:
        """A ticket that the reply will carry. Replaces what the consumer has waiting."""
        return self._engine.submit(consumer, request, lane)

    def withdraw(self, consumer: str) -> None:
        """Forget what the consumer has waiting."""
        self._engine.withdraw(consumer)

    def close(self) -> None:
        """No reply is emitted any more; the engine ends within 3 s."""
        self._engine.on_reply = None
        self._closed = True  # what is queued already is delivered in spite of a disconnection
        self._engine.close()

    def _pass_on(self, reply: Reply) -> None:
        if self._closed:
            return
        match reply:
            case Decoded():
                if reply.request.checkpoint == self.checkpoint:
                    if len(reply.images) == 1:
                        self.decode_ms = reply.decode_ms
                    self.device = reply.device
                if self._known(reply.request):
                    self.decoded.emit(reply)
            case Encoded():
                if self._known(reply.request):
                    self.encoded.emit(reply)
            case InSpace():
                if self._known(reply.request):
                    self.in_space.emit(reply)
            case Factorised():
                if self._known(reply.request):
                    self.factorised.emit(reply)
            case RequestFailed():
                self.failed.emit(reply)
            case Opened():
                (self.opened if reply.slot == "main" else self.second_opened).emit(reply)
            case OpenFailed():
                (self.open_failed if reply.slot == "main" else self.second_open_failed).emit(reply)
            case EngineState():
                self.engine_changed.emit(reply)

    def _known(self, request: Request) -> bool:
        return request.checkpoint in (self.checkpoint, self.second)
