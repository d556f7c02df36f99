"""The engine's process: owns torch and the open models, answers requests from the pipe, one thread.

Started by `latentlab.engine.client` as `python -m latentlab.engine.server HANDLE FACTORY [RING]`. Between two pieces
of work it takes in everything that has arrived, so that the newest request replaces the one that still waits.
"""

from __future__ import annotations

import sys
from collections import deque
from functools import partial
from multiprocessing.connection import Connection

from latentlab.core.requests import EngineState
from latentlab.engine.answering import Answering
from latentlab.engine.child import connected, named
from latentlab.engine.device_faults import DeviceLostError
from latentlab.engine.loading import Loading
from latentlab.engine.picture_ring import PictureRing
from latentlab.engine.protocol import Answer, LetGo, Open, Ready, Submit, Withdraw, packed, receive, send
from latentlab.engine.scheduling import Schedule

FORMATS = "latentlab.formats:open_checkpoint"
LOADING_S = 0.02  # between two looks whether the second model has been read


def main(handle: str, factory: str, descriptor: str = "") -> None:
    connection = connected(handle)
    if factory == FORMATS:
        import torch

        # A second thread makes 3 ms of a live decode 318 ms once another program is on that core.
        torch.set_num_threads(1)
    answering = Answering(named(factory), restarts=True)
    try:
        send(connection, Ready())
        serve(connection, answering, PictureRing.attached(descriptor))
    except DeviceLostError as error:
        # Whoever started this process opens the models in another one and asks again what was not answered.
        send(connection, Answer(EngineState(True, f"The graphics device was lost ({error}).")))
        sys.exit(1)
    except (EOFError, OSError):
        pass  # the window is gone


def serve(connection: Connection, answering: Answering, ring: PictureRing | None = None) -> None:
    schedule = Schedule()
    opening: deque[Open] = deque()
    loading = Loading(answering.read)
    patience_s: float | None = None
    while True:
        while connection.poll(patience_s):
            patience_s = 0.0
            match receive(connection):
                case Open() as message:
                    opening.append(message) if message.request.slot == "main" else loading.begin(message)
                case LetGo(slot):
                    loading.forget(slot)
                    answering.let_go(slot)
                case Submit(consumer, ticket, request, lane):
                    schedule.put(consumer, ticket, request, lane)
                case Withdraw(consumer):
                    schedule.withdraw(consumer)
        patience_s = 0.0
        if opening:  # first: requests for a model that is being opened wait for it
            message = opening.popleft()
            send(connection, Answer(answering.open(message.request), message.number))
        elif loading.ready:
            if (answer := held(answering, loading)) is not None:
                send(connection, answer)
        elif task := schedule.next(partial(answering.answerable, loading=loading.busy)):
            reply = answering.advance(task)
            if reply is not None:
                schedule.finish(task)
                send(connection, packed(reply, ring))
                for text in answering.warnings():
                    send(connection, Answer(EngineState(True, text)))
        else:
            patience_s = LOADING_S if loading.busy else None


def held(answering: Answering, loading: Loading) -> Answer | None:
    """The model that has been read can be named; a function of its own, so that nothing here keeps it alive.

    None where it was let go of before it was there.
    """
    taken = loading.take()
    if taken is None:
        return None
    message, found = taken
    return Answer(answering.hold(found, message.request.slot), message.number)


if __name__ == "__main__":
    main(*sys.argv[1:])
