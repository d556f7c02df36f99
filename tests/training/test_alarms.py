"""The alarms with made-up curves: what raises each, once, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from training.alarms import ALIKE, PATIENCE, Alarms

LOOK = 50  # steps between two looks
HEALTHY = {"d_loss": 1.1, "g_loss": 1.0, "d_real": 0.6, "d_fake": 0.4, "d_gradient": 3.0, "g_gradient": 5.0}


def heard(alarms: Alarms, looks: int, **changes: Any) -> list[str]:
    """The names of what is said over so many looks at curves that stay as they are."""
    return [name for _ in range(looks) for name in alarms.heard({**HEALTHY, "spread": 0.9, **changes}, LOOK)]


def test_a_healthy_run_is_silent() -> None:
    alarms, rng = Alarms(), np.random.default_rng(0)
    said = [
        alarms.heard({**HEALTHY, "spread": 0.9, "g_loss": 1 + 0.2 * rng.standard_normal()}, LOOK) for _ in range(400)
    ]
    assert not any(said)
    assert not alarms.settled


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("imbalance", {"d_loss": 0.01, "d_real": 0.8, "d_fake": 0.2}),
        ("imbalance", {"d_loss": 0.34, "d_real": 0.9, "d_fake": 0.01}),  # one-sided smoothing: the loss stays high
        ("collapse", {"spread": ALIKE / 2}),
    ],
)
def test_what_lasts_is_said_once(name: str, curve: dict[str, float]) -> None:
    alarms = Alarms()
    before = PATIENCE // LOOK - 1
    assert heard(alarms, before, **curve) == []
    heard(alarms, 1)  # a good look between: counted anew
    assert heard(alarms, before, **curve) == []
    assert heard(alarms, 1, **curve) == [name]
    assert heard(alarms, 200, **curve) == []


def test_a_steep_gradient_is_said_at_once_with_its_norm() -> None:
    for name in ("d_gradient", "g_gradient"):
        alarms = Alarms()
        assert not alarms.heard({**HEALTHY, name: 99.0}, LOOK)
        said = alarms.heard({**HEALTHY, name: 412.0}, LOOK)
        assert "412" in said["gradient"]
        assert not alarms.heard({**HEALTHY, name: 412.0}, LOOK)


def test_a_generator_whose_loss_only_falls() -> None:
    falling, rising_once, flat = (list(np.linspace(3, 1, 60)) for _ in range(3))
    rising_once[25] = 3.0
    flat = list(np.linspace(1.0, 0.9, 60))
    said = []
    for curve in (falling, rising_once, flat):
        alarms = Alarms()
        said.append([name for g in curve for name in alarms.heard({**HEALTHY, "g_loss": g}, LOOK)])
    assert said == [["falling"], [], []]


def test_families_that_record_less_raise_no_alarm() -> None:
    alarms = Alarms(stop_after=1)
    for _ in range(100):
        assert alarms.heard({"loss": 3.0}, LOOK) == {}
    assert not alarms.settled


def test_the_run_is_over_when_both_stay_near_the_middle() -> None:
    alarms = Alarms(stop_after=500)
    heard(alarms, 9, d_real=0.52, d_fake=0.48)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.52, d_fake=0.40)  # one of them alone is not enough
    heard(alarms, 9, d_real=0.52, d_fake=0.48)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.52, d_fake=0.48)
    assert alarms.settled
    never = Alarms()
    heard(never, 1000, d_real=0.5, d_fake=0.5)
    assert not never.settled


def test_smoothed_labels_move_the_middle() -> None:
    alarms = Alarms(balance=0.45, stop_after=LOOK)
    heard(alarms, 1, d_real=0.53, d_fake=0.47)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.46, d_fake=0.42)
    assert alarms.settled


def test_what_was_heard_survives_a_resumption() -> None:
    alarms = Alarms(stop_after=500)
    heard(alarms, 9, d_real=0.5, d_fake=0.5, spread=0.01)
    alarms.heard({**HEALTHY, "g_gradient": 500.0, "d_real": 0.5, "d_fake": 0.5, "spread": 0.01}, LOOK)
    again = Alarms(stop_after=500)
    again.load_state_dict(alarms.state_dict())
    assert again.settled
    assert heard(again, 10, g_gradient=500.0, spread=0.01) == ["collapse"]
