"""The engine's process: owns torch and the open models, answers requests from the pipe, one thread.

Started by `latentlab.engine.client` as `python -m latentlab.engine.server HANDLE FACTORY [RING]`. Between two pieces
of work it takes in everything that has arrived, so that the newest request replaces the one that still waits.
"""

from __future__ import annotations

import sys
from collections import deque
from multiprocessing.connection import Connection

from latentlab.core.requests import EngineState
from latentlab.engine.answering import Answering
from latentlab.engine.child import connected, named
from latentlab.engine.picture_ring import PictureRing
from latentlab.engine.protocol import Answer, Open, Ready, Submit, Withdraw, packed, receive, send
from latentlab.engine.scheduling import Schedule

FORMATS = "latentlab.formats:open_checkpoint"


def main(handle: str, factory: str, descriptor: str = "") -> None:
    connection = connected(handle)
    if factory == FORMATS:
        import torch

        # A second thread makes 3 ms of a live decode 318 ms once another program is on that core.
        torch.set_num_threads(1)
    answering = Answering(named(factory))
    try:
        send(connection, Ready())
        serve(connection, answering, PictureRing.attached(descriptor))
    except (EOFError, OSError):
        pass  # the window is gone


def serve(connection: Connection, answering: Answering, ring: PictureRing | None = None) -> None:
    schedule = Schedule()
    opening: deque[Open] = deque()
    while True:
        # Requests wait until a model is open: the window asks for its first picture as soon as it knows the file.
        busy = bool(opening) or (bool(schedule) and bool(answering.open_models))
        while connection.poll(0 if busy else None):
            busy = True
            match receive(connection):
                case Open() as message:
                    opening.append(message)
                case Submit(consumer, ticket, request, lane):
                    schedule.put(consumer, ticket, request, lane)
                case Withdraw(consumer):
                    schedule.withdraw(consumer)
        if opening:  # first: requests for a model that is being opened wait for it
            message = opening.popleft()
            opened = answering.open(message.request)
            send(connection, Answer(opened, message.number, answering.open_models))
        elif answering.open_models and (task := schedule.next()):
            reply = answering.advance(task)
            if reply is not None:
                schedule.finish(task)
                send(connection, packed(reply, ring))
                for text in answering.warnings():
                    send(connection, Answer(EngineState(True, text)))


if __name__ == "__main__":
    main(*sys.argv[1:])
