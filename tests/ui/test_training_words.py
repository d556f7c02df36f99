"""What the Training panel says and how it divides curves and axes: functions without widgets."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from latentlab.core.run_folder import HELD_OUT, TRAIN, LossCurve, RunReading
from latentlab.ui.training.curve_groups import groups_of, series_name, short, ticks, value_at
from latentlab.ui.training.progress import POINTS_AT_MOST, RunProgress, StepPoints, duration
from latentlab.ui.training.run_state import is_elsewhere, state_of
from latentlab.ui.training.training import RunAtWork


def curve(name: str, split: str = TRAIN, *values: float) -> LossCurve:
    found = values or (1.0, 2.0)
    epochs = np.arange(1, len(found) + 1)
    return LossCurve(name, split, epochs, 10 * epochs, np.array(found))


def test_losses_that_belong_together_share_a_plot() -> None:
    names = ("d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient", "spread", "something_new")
    groups = groups_of([curve(name) for name in names])
    assert [group.title for group in groups] == [
        *("Losses", "Judged real", "Gradient norms", "Spread of the samples", "Something new"),
    ]
    assert [group.level for group in groups] == [None, 0.5, None, None, None]
    assert [series_name(groups[1], one) for one in groups[1].curves] == ["D(x)", "D(G(z))"]


def test_a_plot_has_a_shorter_title_for_where_it_is_narrow() -> None:
    judged, error = groups_of([curve("mse"), curve("d_real"), curve("d_fake")])
    assert error.titles == [("Mean squared error", True), ("MSE", True), ("MSE", False)]
    assert judged.titles == [("Judged real", True), ("Judged", True), ("", True)], "names say what its curves are"


def test_one_loss_has_its_splits() -> None:
    (group,) = groups_of([curve("loss", TRAIN, -3.0, 2.0), curve("loss", HELD_OUT)])
    assert [series_name(group, one) for one in group.curves] == ["training", "held out"]
    assert not group.positive
    assert (value_at(group.curves[0], 1.7), value_at(group.curves[0], 0.5)) == (-3.0, None)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), (0.0, "0"), (12.3456, "12.35"), (-8123.4, "-8,123"), (1.5e-5, "1.50e-05"), (2e6, "2.00e+06")],
)
def test_values_have_the_figures_that_mean_something(value: float | None, said: str) -> None:
    assert short(value) == said


@pytest.mark.parametrize(
    ("low", "high", "most"), [(0, 1, 2), (-8000, 3000, 5), (0.31, 0.33, 3), (-1e-6, 1e-6, 4), (5.0, 5.1, 2)]
)
def test_ticks_are_few_round_and_within(low: float, high: float, most: int) -> None:
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most
    assert all(low <= place <= high and math.isclose(float(text), place, abs_tol=1e-12) for place, text in found)


@pytest.mark.parametrize(("low", "high"), [(-3.0, 2.0), (0.1, 0.9), (-2.4, -2.1)])
def test_logarithmic_ticks_are_values(low: float, high: float) -> None:
    found = ticks(low, high, 4, log=True)
    assert len(found) <= 4
    assert all(low <= place <= high and float(text) == pytest.approx(10**place, rel=1e-3) for place, text in found)


def test_no_range_has_no_ticks() -> None:
    assert ticks(1.0, 1.0, 4) == []


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (700, "12 min"), (7500, "2 h 5 min"), (7200, "2 h")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_how_long_is_left_follows_from_what_is_done() -> None:
    progress = RunProgress(epochs=10)
    step = {"event": "step", "steps_per_epoch": 4, "images_per_second": 5.0, "losses": {"loss": 1.0, "kl": None}}
    progress.hear({**step, "epoch": 6, "step": 20, "step_in_epoch": 0}, now_s=100.0)  # resumed in the middle
    assert progress.left_s is None
    progress.hear({**step, "epoch": 7, "step": 24, "step_in_epoch": 0}, now_s=130.0)
    assert progress.share == pytest.approx(0.6)
    assert progress.left_s == pytest.approx(120.0)
    assert progress.points.losses[-1] == {"loss": 1.0}
    progress.hear({"event": "of the future"}, now_s=131.0)
    progress.hear({"event": "stage", "done": 5, "total": 20, "text": "encoding"}, now_s=132.0)
    assert (progress.stage, progress.stage_share) == ("encoding", 0.25)


def test_files_that_were_skipped_are_a_note() -> None:
    progress = RunProgress()
    progress.hear({"event": "skipped", "files": ["a.png: broken."]}, now_s=0.0)
    progress.hear({"event": "skipped", "files": [f"{name}.png: broken." for name in "abc"]}, now_s=0.0)
    assert progress.notes == [
        "1 file was skipped: a.png: broken.",
        "3 files were skipped. The first: a.png: broken; b.png: broken.",
    ]


def test_points_are_thinned_not_lost() -> None:
    points = StepPoints()
    for step in range(3 * POINTS_AT_MOST):
        points.add(step / 10, step, {"loss": 1.0})
    assert len(points.steps) == len(points.losses) <= POINTS_AT_MOST
    assert points.steps == sorted(points.steps)
    assert points.steps[-1] == 3 * POINTS_AT_MOST - 1


def test_a_folder_that_still_changes_is_trained_elsewhere() -> None:
    second = 1_000_000_000
    reading = RunReading(Path("run"), "vae", "digits", epochs=4, epochs_done=2, seconds=20, stamp=((100 * second, 5),))
    assert is_elsewhere(reading, 0, 110 * second)
    assert is_elsewhere(reading, 0, 129 * second), "an epoch takes ten seconds"
    assert not is_elsewhere(reading, 0, 131 * second)
    assert not is_elsewhere(reading, 101 * second, 110 * second), "it was ours, and has ended"
    assert state_of(reading, None, elsewhere=True).text == "2 of 4 epochs done, trained elsewhere"


def test_what_a_run_does_in_words() -> None:
    reading = RunReading(Path("run"), "vae", "digits", epochs=4, epochs_done=2)
    run = RunAtWork(Path("run"), ["vae"], RunProgress(epochs=4))
    assert (state_of(None, None).kind, state_of(None, run).kind) == ("none", "begins")
    assert state_of(reading, None).text == "paused after epoch 2 of 4"
    run.progress.hear({"event": "stage", "done": 1, "total": 2, "text": "reading pictures"}, 0.0)
    assert (state_of(reading, run).text, state_of(reading, run).share) == ("reading pictures", 0.5)
    run.stopping = True
    assert state_of(reading, run).kind == "stops"
    over = RunReading(Path("run"), "vae", "digits", epochs=4, epochs_done=4, seconds=200)
    assert (state_of(over, None).text, state_of(over, None).share) == ("done: 4 epochs in 3 min", 1.0)
