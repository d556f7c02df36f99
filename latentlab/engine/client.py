"""The window's side of the engine: starts its process, sends requests, passes replies on, starts it again.

No torch and no Qt here. Two threads touch a client: whoever calls it, which never waits, and its reader.
"""

from __future__ import annotations

import threading
from itertools import count

from latentlab.core.requests import EngineState, Lane, OpenModel, Request, Slot
from latentlab.engine.ledger import Ledger
from latentlab.engine.outbox import Outbox
from latentlab.engine.picture_ring import PictureRing
from latentlab.engine.protocol import Answer, Child, LetGo, Open, Ready, Submit, Withdraw, receive, unpacked
from latentlab.engine.replying import Replying

MODULE = "latentlab.engine.server"
FORMATS = "latentlab.formats:open_checkpoint"
CRASHES_AT_MOST = 3  # at the same request, or before the process was ready
KILLS_AT_MOST = 10  # from outside, before it was ready: by a person or a system short of memory


class EngineClient(Replying):
    """Implements `latentlab.core.requests.Engine`; the constructor starts the process and returns in milliseconds.

    `factory` is "module:name" of what opens a model: (path, device, trust, options) -> LatentModel.
    """

    def __init__(self, factory: str = FORMATS) -> None:
        super().__init__()
        self._factory = factory
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._ledger = Ledger()
        self._closing = False
        self._down = False  # given up on; the next request tries again
        self._revive = threading.Event()
        self._ready = False
        self._again = False  # this process replaces one that ended
        self._blamed: frozenset[int] = frozenset()
        self._crashes = 0
        self._child = Child(MODULE, [factory], PictureRing.create())
        self._outbox = Outbox(self._child.connection)
        self._reader = threading.Thread(target=self._run, name="engine reader", daemon=True)
        self._reader.start()

    # --- the interface of requests.Engine ----------------------------------------------------------------------

    def open(self, request: OpenModel) -> None:
        with self._lock:
            self._ask(Open(next(self._numbers), request))

    def let_go(self, slot: Slot) -> None:
        with self._lock:
            self._ledger.let_go(slot)
            if not self._down:
                self._outbox.put(LetGo(slot))

    def submit(self, consumer: str, request: Request, lane: Lane = Lane.LIVE) -> int:
        with self._lock:
            message = Submit(consumer, next(self._numbers), request, lane)
            self._ask(message)
            return message.ticket

    def withdraw(self, consumer: str) -> None:
        with self._lock:
            self._ledger.withdraw(consumer)
            if not self._down:
                self._outbox.put(Withdraw(consumer))

    def close(self) -> None:
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._revive.set()
            self._outbox.close()
        self._child.hang_up()
        if threading.current_thread() is not self._reader:
            self._reader.join(2.0)  # it notices the end and takes the exit status; within 1 s, or by force
        self._child.close()

    # --- for "copy details", benchmarks and tests --------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Of the process that is running now."""
        return self._child.process.pid

    def log_tail(self) -> str:
        """The end of what the engine's process printed: warnings, the stack of a native crash."""
        return self._child.log_tail()

    # --- inside ------------------------------------------------------------------------------------------------

    def _ask(self, message: Open | Submit) -> None:
        self._ledger.add(message)
        if self._down:  # it goes out with the rest when the process is there again
            self._down = False
            self._revive.set()
        else:
            self._outbox.put(message)

    def _run(self) -> None:
        while True:
            self._read()
            how = self._child.ended()
            with self._lock:
                if self._closing:
                    return
                log = self._child.log_tail()
                hopeless = self._blame()
            if hopeless:
                self._give_up(how, log)
            else:
                self._pass_on(EngineState(False, f"The engine {how}; it is being started again."))
            while not self._start_again():
                if self._closing:
                    return

    def _read(self) -> None:
        """Passes replies on until the process ends."""
        while True:
            try:
                message = receive(self._child.connection)
            except (EOFError, OSError):
                return
            except Exception:  # noqa: BLE001 - a message that was cut off; its process is of no more use
                return
            if isinstance(message, Ready):
                self._ready = True
                if self._again:
                    self._pass_on(EngineState(True, "The engine is back."))
            elif isinstance(message, Answer):
                message = unpacked(message, self._child.ring)
                with self._lock:
                    reply = self._ledger.settle(message)
                if reply is not None:
                    self._pass_on(reply)

    def _blame(self) -> bool:
        """Whether the process ended so often at the same request, or before it was ready, that trying is no use."""
        suspects = self._ledger.suspects() if self._ready else frozenset({0})
        repeated = suspects & self._blamed
        self._crashes = self._crashes + 1 if repeated else 1
        self._blamed = repeated or suspects
        killed = not self._ready and (self._child.process.returncode or 0) < 0
        return bool(suspects) and self._crashes >= (KILLS_AT_MOST if killed else CRASHES_AT_MOST)

    def _give_up(self, how: str, log: str) -> None:
        if self._ready:
            message = (
                f"The engine {how}, {self._crashes} times at the same request. "
                "Try another picture, a smaller model or the CPU; the next request starts the engine again."
            )
        else:
            message = (
                f"The engine cannot be started: its process {how}. "
                "Check the installation of torch; the next request tries again."
            )
        self._stop(message, log)

    def _stop(self, message: str, details: str) -> None:
        """Everything unanswered fails, and nothing runs until there is another request."""
        with self._lock:
            self._crashes, self._blamed = 0, frozenset()
            self._down = True
            self._revive.clear()
            replies = self._ledger.fail(message, details)
        for reply in replies:
            self._pass_on(reply)
        self._pass_on(EngineState(False, message))
        self._revive.wait()

    def _start_again(self) -> bool:
        if self._closing:
            return False
        try:
            child = Child(MODULE, [self._factory], PictureRing.create())
        except OSError as error:
            self._stop(f"The engine cannot be started: {error.strerror}. The next request tries again.", "")
            return False
        with self._lock:
            ended, self._child = self._child, child
            self._outbox.close()
            self._outbox = Outbox(child.connection)
            self._ready, self._again = False, True
            for message in self._ledger.to_send_again():
                self._outbox.put(message)
        ended.close()
        if self._closing:  # close() may have hung up on the one before
            child.hang_up()
        return True
