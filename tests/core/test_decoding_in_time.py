"""How many pictures a model makes: all of them where there is time, fewer where there is not, never too few."""

from __future__ import annotations

import math

import pytest

from latentlab.core import decoding_in_time
from latentlab.core.decoding_in_time import slices_in_time


class Clock:
    """Each picture takes a second."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("count", "seconds", "made"),
    [
        (100, math.inf, 100),
        (100, 1000.0, 100),
        (100, 40.0, 40),
        (100, 5.0, 20),  # the fewest
        (12, 5.0, 12),  # as many as there are
        (0, 5.0, 0),
    ],
)
def test_as_many_as_fit_and_no_fewer_than_say_something(
    monkeypatch: pytest.MonkeyPatch, count: int, seconds: float, made: int
) -> None:
    clock = Clock()
    monkeypatch.setattr(decoding_in_time, "time", clock)
    parts: list[slice] = []
    for part, wanted in slices_in_time(count, 8, 20, seconds):
        assert part.stop <= wanted <= count
        parts.append(part)
        clock.now_s += part.stop - part.start
    assert [index for part in parts for index in range(part.start, part.stop)] == list(range(made))
    assert all(part.stop - part.start <= 8 for part in parts)
