"""What goes through the pipe between the window's process and a process it started.

Both ends are ours and the pipe is anonymous, so pickle is safe here; nothing read from a file is ever unpickled.
To the engine go Open, LetGo, Submit, Withdraw; from it come Ready, Answer. A job is sent a JobOrder, then a CancelJob.
"""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any

import numpy as np

from latentlab.core.requests import Decoded, Encoded, InSpace, Lane, OpenModel, Reply, Request, Slot
from latentlab.engine.picture_ring import PictureRing, Placed

LOG_TAIL_BYTES = 8_000
PIPE_BUFFER_BYTES = 1 << 20  # a picture of 512 px goes out in one piece, where the system allows it
# PASSIVE: waiting OpenMP threads sleep instead of spinning on the core that draws the window.
ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
NO_LATENTS = np.empty((0, 0), np.float32)
NO_IMAGES = np.empty((0, 0, 0, 0), np.uint8)


@dataclass(frozen=True, eq=False)
class Open:
    number: int
    request: OpenModel


@dataclass(frozen=True, eq=False)
class LetGo:
    slot: Slot


@dataclass(frozen=True, eq=False)
class Submit:
    consumer: str
    ticket: int
    request: Request
    lane: Lane


@dataclass(frozen=True, eq=False)
class Withdraw:
    consumer: str


@dataclass(frozen=True, eq=False)
class Ready:
    """Everything is imported; requests are being answered from now on."""


@dataclass(frozen=True, eq=False)
class Answer:
    """`number` is that of the Open it answers, else 0."""

    reply: Reply
    number: int = 0
    placed: Placed | None = None  # where the pictures lie that the reply left out


@dataclass(frozen=True, eq=False)
class JobOrder:
    function: str  # "module:name"
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CancelJob:
    pass


def packed(reply: Reply, ring: PictureRing | None) -> Answer:
    """A reply for the pipe: without its request, and with large pictures left in the ring."""
    if isinstance(reply, Decoded) and ring is not None and (placed := ring.place(reply.images)) is not None:
        return Answer(without_request(replace(reply, images=NO_IMAGES)), placed=placed)
    return Answer(without_request(reply))


def unpacked(answer: Answer, ring: PictureRing | None) -> Answer:
    """The answer with its pictures; `with_request` gives it its request back."""
    if isinstance(answer.reply, Decoded) and answer.placed is not None and ring is not None:
        return replace(answer, reply=replace(answer.reply, images=ring.take(answer.placed)))
    return answer


def without_request(reply: Reply) -> Reply:
    """A reply that does not carry its latents or pictures back to where they came from."""
    match reply:
        case Decoded():
            return replace(reply, request=replace(reply.request, latents=NO_LATENTS))
        case InSpace():
            return replace(reply, request=replace(reply.request, latents=NO_LATENTS))
        case Encoded():
            return replace(reply, request=replace(reply.request, images=NO_IMAGES))
    return reply


def with_request(reply: Reply, request: Request) -> Reply:
    """The reply as `without_request` was given it."""
    if isinstance(reply, Decoded | Encoded | InSpace):
        return replace(reply, request=request)  # type: ignore[arg-type]  # a ticket belongs to one kind of request
    return reply


def send(connection: Connection, message: object) -> None:
    connection.send_bytes(pickle.dumps(message, protocol=5))


def receive(connection: Connection) -> Any:
    """The next message; waits. Raises EOFError or OSError once the other side is gone."""
    return pickle.loads(connection.recv_bytes())


class Child:
    """A process of ours: a pipe to talk to it, a log of what it printed, and an end that comes with ours.

    Its standard input stays open as long as this process lives; when it closes, the child ends at once.
    """

    def __init__(self, module: str, arguments: Iterable[str] = (), ring: PictureRing | None = None) -> None:
        self.ring = ring
        ours, theirs = Pipe(duplex=True)
        self.connection: Connection = ours
        self._log: IO[bytes] = tempfile.TemporaryFile("a+b", prefix="latentlab-")  # noqa: SIM115 - closed in close()
        handle = theirs.fileno()
        passing: dict[str, Any] = {}
        if sys.platform == "win32":
            os.set_handle_inheritable(handle, True)
            startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
            passing = {"startupinfo": startup, "creationflags": subprocess.CREATE_NO_WINDOW, "close_fds": False}
        else:
            _widen(ours)
            _widen(theirs)
            passing = {"pass_fds": [handle] if ring is None else [handle, ring.descriptor]}
        try:
            # Not multiprocessing.Process: that would import the user's __main__ again in the child.
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",  # not from the working folder: a torch.py beside a download must not be run
                    "-m",
                    module,
                    str(handle),
                    *arguments,
                    *([] if ring is None else [str(ring.descriptor)]),
                ],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                env={**os.environ, **ENVIRONMENT},
                **passing,
            )
        except BaseException:
            ours.close()
            self._log.close()
            raise
        finally:
            theirs.close()

    def log_tail(self) -> str:
        """The end of what the process printed, for "copy details"."""
        with suppress(OSError, ValueError):
            size = self._log.seek(0, os.SEEK_END)
            self._log.seek(max(0, size - LOG_TAIL_BYTES))
            return self._log.read().decode("utf-8", "replace").strip()
        return ""

    def ended(self) -> str:
        """How a process whose pipe broke ended: "was stopped by signal 9", "ended with status 1"."""
        try:
            status = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()
            status = self.process.wait()
        return f"was stopped by signal {-status}" if status < 0 else f"ended with status {status}"

    def kill(self) -> None:
        """By force; harmless when it has ended already."""
        with suppress(OSError):
            self.process.kill()

    def hang_up(self) -> None:
        """Closes its standard input: it ends by itself, at once."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def end(self, patience_s: float = 0.3) -> None:
        """Ends the process whatever it does: it clears away what it was writing, or is killed after `patience_s`."""
        self.hang_up()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def close(self, patience_s: float = 1.0) -> None:
        """Ends the process, by force after `patience_s`, and lets go of pipe and log."""
        self.end(patience_s)
        self.process.wait()
        with suppress(OSError):
            self.connection.close()
        self._log.close()
        if self.ring is not None:
            self.ring.close()


def _widen(connection: Connection) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as view, suppress(OSError):
        view.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIPE_BUFFER_BYTES)
        view.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIPE_BUFFER_BYTES)
