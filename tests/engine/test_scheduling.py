"""Latest wins, lanes and pieces, without processes or threads."""

from __future__ import annotations

import weakref
from functools import partial
from types import SimpleNamespace

import numpy as np
from fake_model import FAIL, FakeModel, Path, open_fake
from inboxes import decode

from latentlab.core.requests import Decoded, Encode, Encoded, Lane, Opened, OpenModel, RequestFailed
from latentlab.engine.answering import Answering
from latentlab.engine.scheduling import PIECE_AT_MOST, PIECE_MS, Pace, Schedule


def drawn(schedule: Schedule) -> list[int]:
    """Tickets in the order in which they would be answered, each in one piece."""
    order = []
    while task := schedule.next():
        schedule.finish(task)
        order.append(task.ticket)
    return order


def test_a_newer_request_replaces_the_one_that_waits() -> None:
    schedule = Schedule()
    for ticket in (1, 2, 3):
        schedule.put("image", ticket, decode(ticket), Lane.LIVE)
    assert drawn(schedule) == [3]


def test_the_request_that_has_begun_is_finished_and_then_the_newest() -> None:
    schedule = Schedule()
    schedule.put("image", 1, decode(1), Lane.LIVE)
    begun = schedule.next()
    assert begun is not None
    schedule.put("image", 2, decode(2), Lane.LIVE)
    schedule.put("image", 3, decode(3), Lane.LIVE)
    assert schedule.next() is begun
    assert schedule.finish(begun)
    assert drawn(schedule) == [3]


def test_lanes_go_before_age_and_consumers_do_not_replace_each_other() -> None:
    schedule = Schedule()
    schedule.put("figures", 1, decode(1), Lane.BACKGROUND)
    schedule.put("lattice", 2, decode(2), Lane.VISIBLE)
    schedule.put("image", 3, decode(3), Lane.LIVE)
    schedule.put("samples", 4, decode(4), Lane.VISIBLE)
    assert drawn(schedule) == [3, 2, 4, 1]


def test_a_flood_of_one_consumer_does_not_starve_another_in_its_lane() -> None:
    schedule = Schedule()
    schedule.put("samples", 1, decode(1), Lane.VISIBLE)
    schedule.put("lattice", 2, decode(2), Lane.VISIBLE)
    schedule.put("samples", 3, decode(3), Lane.VISIBLE)  # keeps the place of 1
    assert drawn(schedule) == [3, 2]


def test_live_goes_between_two_pieces_of_a_batch() -> None:
    schedule = Schedule()
    schedule.put("lattice", 1, decode(*range(100)), Lane.VISIBLE)
    batch = schedule.next()
    assert batch is not None
    schedule.put("image", 2, decode(5), Lane.LIVE)
    live = schedule.next()
    assert live is not None
    assert live.ticket == 2
    schedule.finish(live)
    assert schedule.next() is batch


def test_what_is_withdrawn_is_not_answered_even_when_it_has_begun() -> None:
    schedule = Schedule()
    schedule.put("lattice", 1, decode(1), Lane.VISIBLE)
    begun = schedule.next()
    assert begun is not None
    schedule.put("lattice", 2, decode(2), Lane.VISIBLE)
    schedule.withdraw("lattice")
    assert not schedule
    assert schedule.next() is None
    assert not schedule.finish(begun)


def test_the_pace_fills_a_piece_and_never_overshoots_by_much() -> None:
    pace = Pace()
    assert pace.size == 1
    pace.learn(1, 40.0)  # slow to warm up
    assert pace.size == 1
    pace.learn(1, 0.1)
    assert pace.size == 4
    pace.learn(4, 0.4)
    assert pace.size == 16
    pace.learn(16, 4.0)
    assert pace.size == int(PIECE_MS / 0.25)
    for _ in range(10):
        pace.learn(pace.size, 0.0)
    assert pace.size == PIECE_AT_MOST


def answered(answering: Answering, schedule: Schedule) -> object:
    while True:
        task = schedule.next()
        assert task is not None
        reply = answering.advance(task)
        if reply is not None:
            schedule.finish(task)
            return reply


def test_a_batch_is_answered_whole_and_in_order_from_its_pieces() -> None:
    answering, schedule = Answering(), Schedule()
    answering.hold(FakeModel(Path("x"), "one"))
    schedule.put("lattice", 7, decode(*range(200)), Lane.VISIBLE)
    reply = answered(answering, schedule)
    assert isinstance(reply, Decoded)
    assert (reply.consumer, reply.ticket) == ("lattice", 7)
    assert reply.images.dtype == np.uint8
    assert reply.images[:, 0, 0, 0].tolist() == list(range(200))
    assert reply.decode_ms > 0


def test_pictures_are_encoded_with_their_error_against_what_the_model_was_given() -> None:
    answering, schedule = Answering(), Schedule()
    answering.hold(FakeModel(Path("x"), "one"))
    pictures = np.zeros((2, 20, 30, 3), np.uint8)
    pictures[1, :, 15:] = 200
    schedule.put("image", 1, Encode("one", pictures), Lane.VISIBLE)
    reply = answered(answering, schedule)
    assert isinstance(reply, Encoded)
    assert reply.latents.shape == (2, 4)
    assert reply.reconstructions.shape == (2, 8, 8, 1)
    assert reply.mse[0] == 0
    assert abs(reply.mse[1] - (100 / 255) ** 2) < 0.02  # half black, half 200, decoded to grey 100


def test_faults_are_replies_and_the_next_request_is_answered() -> None:
    answering, schedule = Answering(), Schedule()
    answering.hold(FakeModel(Path("x"), "one"))
    schedule.put("a", 1, decode(FAIL), Lane.LIVE)
    failed = answered(answering, schedule)
    assert isinstance(failed, RequestFailed)
    assert "a fault of the model" in failed.message
    assert "Traceback" in failed.details
    schedule.put("a", 2, decode(3, checkpoint="another"), Lane.LIVE)
    stale = answered(answering, schedule)
    assert isinstance(stale, RequestFailed)
    assert stale.message == ""
    schedule.put("a", 3, Encode("one", np.zeros((4, 4), np.uint8)), Lane.LIVE)
    wrong = answered(answering, schedule)
    assert isinstance(wrong, RequestFailed)
    assert "(4, 4)" in wrong.message
    schedule.put("a", 4, decode(3), Lane.LIVE)
    assert isinstance(answered(answering, schedule), Decoded)


def test_the_memory_of_a_model_is_free_once_it_is_let_go_of() -> None:
    answering = Answering(open_fake)
    answering.hold(FakeModel(Path("x"), "one"))
    second = FakeModel(Path("y"), "two")
    gone = weakref.ref(second)
    answering.hold(second, "compare")
    del second
    assert gone() is not None
    answering.let_go("compare")
    assert gone() is None
    assert answering.answerable(decode(1))


def test_what_a_model_takes_is_the_size_of_its_weights_or_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "two"
    path.write_text("two")
    answering = Answering(open_fake)
    opened = answering.open(OpenModel(str(path), slot="compare"))
    assert isinstance(opened, Opened)
    assert opened.memory_bytes == 3
    weights = SimpleNamespace(a=np.zeros(4, np.float32), b=np.zeros(2, np.float64))
    model = FakeModel(path, "two")
    model.network = SimpleNamespace(state_dict=lambda: vars(weights))  # type: ignore[attr-defined]
    held = answering.hold(model)
    assert isinstance(held, Opened)
    assert held.memory_bytes == 32


def test_a_request_for_a_model_that_is_being_read_waits_and_others_do_not() -> None:
    answering, schedule = Answering(), Schedule()
    answering.hold(FakeModel(Path("x"), "one"))
    schedule.put("compare", 1, decode(1, checkpoint="two"), Lane.LIVE)
    schedule.put("samples", 2, decode(1), Lane.VISIBLE)
    reading = partial(answering.answerable, loading=True)
    task = schedule.next(reading)
    assert task is not None
    assert task.consumer == "samples"
    schedule.finish(task)
    assert schedule.next(reading) is None
    task = schedule.next(answering.answerable)
    assert task is not None
    assert task.consumer == "compare"
