"""A second model in the same engine: each of the two is opened, decoded, closed and lost on its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from fake_model import Gate
from inboxes import Inbox, decode, opened, reply_to

from latentlab.core.requests import Decoded, EngineState, Lane, Opened, OpenModel, RequestFailed
from latentlab.engine.client import EngineClient

Make = Callable[[str], str]


def test_a_model_gives_way_only_to_the_next_of_its_slot(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    assert opened(engine, inbox, checkpoint("one")).slot == "main"
    assert opened(engine, inbox, checkpoint("two"), "compare").slot == "compare"
    assert isinstance(reply_to(inbox, engine.submit("compare", decode(1, checkpoint="two"))), Decoded)
    opened(engine, inbox, checkpoint("three"), "compare")  # "one" was used least recently, and stays
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)
    gone = reply_to(inbox, engine.submit("compare", decode(1, checkpoint="two")))
    assert isinstance(gone, RequestFailed)
    assert gone.message == ""
    opened(engine, inbox, checkpoint("four"))
    assert isinstance(reply_to(inbox, engine.submit("compare", decode(1, checkpoint="three"))), Decoded)
    engine.let_go("compare")
    assert isinstance(reply_to(inbox, engine.submit("compare", decode(1, checkpoint="three"))), RequestFailed)
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1, checkpoint="four"))), Decoded)


def test_a_model_beside_itself_stays_when_the_second_is_closed(
    engine: EngineClient, inbox: Inbox, checkpoint: Make
) -> None:
    opened(engine, inbox, checkpoint("one"))
    opened(engine, inbox, checkpoint("one"), "compare")
    engine.let_go("compare")
    assert isinstance(reply_to(inbox, engine.submit("image", decode(1))), Decoded)


def test_the_first_model_is_decoded_while_the_second_is_read(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    path = checkpoint("slow")  # its reader waits for the gate
    engine.open(OpenModel(path, slot="compare"))
    waiting = engine.submit("compare", decode(2, checkpoint="slow"), Lane.VISIBLE)
    gate.entered()
    for value in (1, 2, 3):
        ticket = engine.submit("image", decode(value))
        reply = inbox.next()  # before anything of the second
        assert isinstance(reply, Decoded)
        assert reply.ticket == ticket
    gate.let_go()
    assert inbox.until(Opened).info.sha256 == "slow"
    assert isinstance(reply_to(inbox, waiting), Decoded)


def test_a_second_model_that_is_closed_while_it_is_read_is_not_kept(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    engine.open(OpenModel(checkpoint("slow"), slot="compare"))
    gate.entered()
    engine.let_go("compare")
    gate.let_go()
    engine.submit("compare", decode(1, checkpoint="slow"))
    assert isinstance(inbox.next(), RequestFailed)  # and nothing of the opening before it


def test_a_second_model_that_is_closed_and_wanted_again_is_answered_once(
    engine: EngineClient, inbox: Inbox, checkpoint: Make, gate: Gate
) -> None:
    opened(engine, inbox, checkpoint("one"))
    path = checkpoint("slow")
    engine.open(OpenModel(path, slot="compare"))
    gate.entered()
    engine.let_go("compare")
    engine.open(OpenModel(path, slot="compare"))
    gate.let_go()
    gate.entered()
    gate.let_go()
    answer = inbox.next()
    assert isinstance(answer, Opened)
    assert answer.info.sha256 == "slow"
    engine.submit("compare", decode(1, checkpoint="slow"))
    assert isinstance(inbox.next(), Decoded)


def test_both_models_come_back_when_the_engine_is_killed(engine: EngineClient, inbox: Inbox, checkpoint: Make) -> None:
    opened(engine, inbox, checkpoint("two"), "compare")
    opened(engine, inbox, checkpoint("one"))
    assert isinstance(reply_to(inbox, engine.submit("image", decode(5))), Decoded)
    os.kill(engine.pid, signal.SIGKILL)
    assert not inbox.until(EngineState).alive
    again = engine.submit("compare", decode(2, checkpoint="two"), Lane.VISIBLE)
    assert isinstance(reply_to(inbox, again), Decoded)
