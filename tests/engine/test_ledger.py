"""What a new process of the engine is sent, and what is given up."""

from __future__ import annotations

from pathlib import Path

from fake_model import FakeModel
from inboxes import decode

from latentlab.core.requests import Decoded, Lane, Opened, OpenFailed, OpenModel, RequestFailed, Slot
from latentlab.engine.ledger import Ledger
from latentlab.engine.protocol import Answer, Open, Submit


def opened(ledger: Ledger, number: int, sha256: str, slot: Slot = "main") -> object:
    request = OpenModel(sha256, slot=slot)
    ledger.add(Open(number, request))
    info = FakeModel(Path(sha256), sha256).info
    return ledger.settle(Answer(Opened(info, None, slot), number))


def answered(ledger: Ledger, message: Submit) -> object:
    images = FakeModel(Path("x"), "x").decode(message.request.latents)
    return ledger.settle(Answer(Decoded(message.consumer, message.ticket, message.request, images, 1.0)))


def sent(ledger: Ledger) -> list[int]:
    return [m.number if isinstance(m, Open) else m.ticket for m in ledger.to_send_again()]


def test_open_models_come_first_then_the_newest_of_each_consumer() -> None:
    ledger = Ledger()
    assert opened(ledger, 1, "one") is not None
    for ticket, consumer in ((2, "image"), (3, "lattice"), (4, "image")):
        ledger.add(Submit(consumer, ticket, decode(1), Lane.VISIBLE))
    ledger.add(Open(5, OpenModel("two")))
    assert sent(ledger) == [1, 5, 3, 4]


def test_the_last_live_picture_is_asked_for_again_although_it_was_answered() -> None:
    ledger = Ledger()
    opened(ledger, 1, "one")
    live, sheet = Submit("image", 2, decode(1), Lane.LIVE), Submit("samples", 3, decode(1), Lane.VISIBLE)
    for message in (live, sheet):
        ledger.add(message)
        assert answered(ledger, message) is not None
    assert sent(ledger) == [1, 2]


def test_a_reopened_model_is_not_announced_again_and_a_model_that_gave_way_is_not_reopened() -> None:
    ledger = Ledger()
    opened(ledger, 1, "one")
    opened(ledger, 2, "two", "compare")
    opened(ledger, 3, "three")
    assert sent(ledger) == [3, 2]  # the main one first
    info = FakeModel(Path("two"), "two").info
    assert ledger.settle(Answer(Opened(info, None, "compare"), 2)) is None


def test_a_model_that_was_let_go_and_one_on_its_way_to_its_slot_are_not_reopened() -> None:
    ledger = Ledger()
    opened(ledger, 1, "one")
    opened(ledger, 2, "two", "compare")
    ledger.add(Open(3, OpenModel("three", slot="compare")))
    ledger.let_go("compare")
    assert sent(ledger) == [1]
    assert ledger.settle(Answer(OpenFailed("three", "It was closed again.", slot="compare"), 3)) is None


def test_older_requests_are_settled_with_a_newer_one_and_withdrawn_ones_are_not_delivered() -> None:
    ledger = Ledger()
    first, second = Submit("image", 1, decode(1), Lane.LIVE), Submit("image", 2, decode(2), Lane.LIVE)
    ledger.add(first)
    ledger.add(second)
    assert answered(ledger, second) is not None
    assert not ledger.suspects()
    ledger.add(Submit("lattice", 3, decode(3), Lane.VISIBLE))
    ledger.withdraw("lattice")
    assert answered(ledger, Submit("lattice", 3, decode(3), Lane.VISIBLE)) is None


def test_giving_up_answers_everything_and_keeps_the_models() -> None:
    ledger = Ledger()
    opened(ledger, 1, "one")
    ledger.add(Open(2, OpenModel("two", slot="compare")))
    ledger.add(Submit("image", 3, decode(1), Lane.LIVE))
    ledger.to_send_again()
    failed, unanswered = ledger.fail("why", "log")
    assert isinstance(failed, OpenFailed)
    assert isinstance(unanswered, RequestFailed)
    assert (failed.path, failed.slot) == ("two", "compare")
    assert not ledger.suspects()
    assert sent(ledger) == [1]
