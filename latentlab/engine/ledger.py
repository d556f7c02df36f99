"""What the engine was asked and has not answered yet, and what a new process of it must be sent."""

from __future__ import annotations

from latentlab.core.requests import (
    Decode,
    EngineState,
    Lane,
    Opened,
    OpenFailed,
    OpenModel,
    Reply,
    RequestFailed,
    Slot,
)
from latentlab.engine.protocol import Answer, Open, Submit, with_request


class Ledger:
    """Numbers and tickets come from one sequence and stay with what they were given to, also when it is sent again."""

    def __init__(self) -> None:
        self._opening: dict[int, OpenModel] = {}
        self._models: dict[Slot, Open] = {}  # open ones
        self._submitted: dict[str, dict[int, Submit]] = {}  # by consumer, then ticket: several can be under way
        self._last_live: Submit | None = None

    def add(self, message: Open | Submit) -> None:
        if isinstance(message, Open):
            self._opening[message.number] = message.request
            return
        self._submitted.setdefault(message.consumer, {})[message.ticket] = message
        if message.lane == Lane.LIVE and isinstance(message.request, Decode):
            self._last_live = message

    def let_go(self, slot: Slot) -> None:
        """The model of a slot, and those on their way there, are not opened again."""
        self._models.pop(slot, None)
        self._opening = {number: request for number, request in self._opening.items() if request.slot != slot}

    def withdraw(self, consumer: str) -> None:
        self._submitted.pop(consumer, None)

    def settle(self, answer: Answer) -> Reply | None:
        """Strikes out what is answered. The reply for the window; None for what it knows already."""
        reply = answer.reply
        if isinstance(reply, Opened | OpenFailed):
            return self._settle_opening(answer, reply)
        if isinstance(reply, EngineState):
            return reply
        message = self._answered(reply.consumer, reply.ticket)
        if message is None:  # withdrawn meanwhile
            return None
        return with_request(reply, message.request)

    def _settle_opening(self, answer: Answer, reply: Opened | OpenFailed) -> Reply | None:
        request = self._opening.pop(answer.number, None)
        again = any(message.number == answer.number for message in self._models.values())
        if isinstance(reply, Opened) and request is not None:
            self._models[request.slot] = Open(answer.number, request)
        if request is None:  # let go of: an answer to an earlier opening would be taken for that to the next
            return None
        # Said once: the window has had a reopened model on screen all the time.
        return None if again and isinstance(reply, Opened) else reply

    def _answered(self, consumer: str, ticket: int) -> Submit | None:
        submitted = self._submitted.get(consumer, {})
        message = submitted.get(ticket)
        for older in [number for number in submitted if number <= ticket]:  # the others were replaced in the engine
            del submitted[older]
        return message

    def unanswered(self) -> list[Submit]:
        """The newest request of each consumer that has no answer, oldest first."""
        newest = [submitted[max(submitted)] for submitted in self._submitted.values() if submitted]
        return sorted(newest, key=lambda message: message.ticket)

    def suspects(self) -> frozenset[int]:
        """Numbers and tickets of what a process that ended may have been working on."""
        return frozenset(self._opening) | {message.ticket for message in self.unanswered()}

    def to_send_again(self) -> list[Open | Submit]:
        """The open models, the main one first; those being opened; each consumer's newest; the last live picture."""
        if self._last_live is not None and not self._submitted.get(self._last_live.consumer):
            self.add(self._last_live)
        models = sorted(self._models.values(), key=lambda message: message.request.slot != "main")
        reopened = {message.number: message.request for message in models}
        self._opening = reopened | {n: request for n, request in self._opening.items() if n not in reopened}
        opens = [Open(number, request) for number, request in self._opening.items()]
        return [*opens, *self.unanswered()]

    def fail(self, message: str, details: str) -> list[Reply]:
        """Everything unanswered, answered with a failure and forgotten. Models that were open will be again."""
        known = {model.number for model in self._models.values()}
        replies: list[Reply] = [
            OpenFailed(request.path, message, slot=request.slot)
            for number, request in self._opening.items()
            if number not in known
        ]
        replies += [RequestFailed(m.consumer, m.ticket, message, details) for m in self.unanswered()]
        self._opening.clear()
        self._submitted.clear()
        self._last_live = None
        return replies
