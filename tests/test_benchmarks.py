"""The figures of benchmarks/ rest on these: percentiles, verdicts, and which event a painted frame shows."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from benchmarks.closing import Closed
from benchmarks.dragging import Event, Heartbeat, Watch, figures
from benchmarks.faults import closing_row
from benchmarks.figures import finish, percentile, table, verdict
from benchmarks.interaction import with_many_encodings
from benchmarks.pointer import Pointer
from benchmarks.saving import Killed, Save, kept
from benchmarks.shrinking import shrunk
from latentlab.core.checkpoint_file import Header, ImageSpec, SpaceSpec, read_encodings, verify, write_checkpoint
from latentlab.core.encodings import EncodingSet, Thumbnails
from latentlab.core.errors import SaveError


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (95, 10), (90, 9), (1, 1), (100, 10)])
def test_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([3, 1, 2, 10, 9, 8, 7, 6, 5, 4], percent) == expected


def test_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 95))


@pytest.mark.parametrize(
    ("figure", "limit", "at_least", "met"),
    [(5.0, 5.0, False, "yes"), (5.1, 5.0, False, "NO"), (4.0, 4.0, True, "yes"), (3.9, 4.0, True, "NO")],
)
def test_a_target_is_met_at_its_limit(figure: float, limit: float, at_least: bool, met: str) -> None:
    assert verdict("", figure, limit, at_least=at_least)[-1] == met


def test_a_figure_that_is_no_number_meets_no_target() -> None:
    assert verdict("", math.nan, 5.0)[-1] == "NO"
    assert verdict("", math.nan, 5.0, at_least=True)[-1] == "NO"


def test_figures_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table([["a", 1.5], ["bb", 12345.0]], ["name", "figure"]).splitlines()[0] == "| name | figure |"
    finish({"ratio": 2.0}, tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["ratio"] == 2.0
    assert written["machine"]["packages"]["torch"] in capsys.readouterr().out


def test_larger_pictures_are_judged_as_means_of_squares() -> None:
    small = np.random.default_rng(0).integers(0, 254, (2, 64, 64, 3), np.uint8)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    large[:, ::2] += 2
    assert np.array_equal(shrunk(large), small + 1)
    assert shrunk(small) is small
    assert shrunk(large[:, :100, :100]).shape == (2, 100, 100, 3)


def watch_of(*latents: bytes) -> Watch:
    """A watch whose events are at 0, 1, 2, … s, without a window."""
    watch = Watch.__new__(Watch)
    watch.begin()
    watch._latents = {}
    watch.events = [Event(float(i), latent) for i, latent in enumerate(latents)]
    return watch


def test_a_frame_shows_its_event_and_all_before(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watch_of(b"a", b"b", b"c")
    moment = 10.0
    monkeypatch.setattr("benchmarks.dragging.time.monotonic", lambda: moment)
    watch._latents = {7: b"b", 8: b"unknown", 9: b"c"}
    watch._painted(7)
    assert [event.shown_s for event in watch.events[:2]] == [10.0, 10.0]
    assert math.isnan(watch.events[2].shown_s)
    moment = 11.0
    watch._painted(8)
    assert not watch.settled
    watch._painted(9)
    assert watch.settled
    assert watch.events[2].shown_s == 11.0
    assert watch.frames == 3
    seen = figures([watch.events], watch.frames, 1.0)
    assert (seen["p50_ms"], seen["max_ms"], seen["final_ms"]) == (9000, 10000, 9000)


def test_the_pointer_moves_at_its_rate_and_lets_go(qtbot: QtBot) -> None:
    seen: list[str] = []
    due: list[float] = []

    class Pad(QWidget):
        def mousePressEvent(self, event: object) -> None:
            seen.append("press")

        def mouseMoveEvent(self, event: object) -> None:
            seen.append("move")

        def mouseReleaseEvent(self, event: object) -> None:
            seen.append("release")

    pad = Pad()
    qtbot.addWidget(pad)
    pad.show()
    over: list[bool] = []
    pointer = Pointer(pad, lambda t: QPointF(10 * t, 5), 200.0, 0.1, due.append, lambda: over.append(True))
    qtbot.waitUntil(lambda: bool(over), timeout=10_000)
    assert seen == ["press", *["move"] * 20, "release"]
    np.testing.assert_allclose(np.diff(due), 1 / 200, atol=1e-6)
    pointer.deleteLater()


def test_a_model_with_many_encodings_is_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    few = EncodingSet(
        latents=rng.standard_normal((6, 3)).astype(np.float32),
        labels=np.arange(6) % 2,
        label_names=("even", "odd"),
        thumbnails=Thumbnails(np.arange(12, dtype=np.uint8), np.arange(0, 14, 2)),
    )
    header = Header(
        family="vae",
        architecture={"name": "vae"},
        spaces=[SpaceSpec(shape=[3])],
        image=ImageSpec(height=8, width=8, channels=1),
    )
    write_checkpoint(tmp_path / "few.safetensors", header, {"w": np.ones(2, np.float32)}, few)
    with_many_encodings(tmp_path / "few.safetensors", tmp_path / "many.safetensors", 40)
    verify(tmp_path / "many.safetensors")
    many = read_encodings(tmp_path / "many.safetensors")
    assert many is not None
    assert many.latents.shape == (40, 3)
    assert many.thumbnails is not None
    assert len(many.thumbnails) == 40
    assert many.labels is not None
    for index in range(40):
        label = int(many.labels[index])
        assert many.thumbnails.coded(index)[0] // 2 % 2 == label, "a thumbnail has lost its encoding"


def test_a_pause_of_the_event_loop_is_in_the_heartbeat(qtbot: QtBot) -> None:
    heart = Heartbeat(time.monotonic())
    qtbot.waitUntil(lambda: len(heart.beats_s) > 2)
    QTimer.singleShot(0, heart, lambda: time.sleep(0.08))
    beats = len(heart.beats_s)
    qtbot.waitUntil(lambda: len(heart.beats_s) > beats + 3)
    seen = heart.figures()
    assert seen["worst_ms"] >= 80
    assert seen["over_20_ms"] >= 1
    heart.deleteLater()


Write = Callable[[Path, bool], None]


def silent(target: Path, new: bool) -> None:
    if not new:
        target.write_bytes(b"old")


def littering(target: Path, new: bool) -> None:
    silent(target, new)
    if new:
        target.with_suffix(".tmp").touch()
        raise SaveError(f"Cannot save {target}: the disk is full.")


@pytest.mark.parametrize(("write", "wrong"), [(silent, "nothing was said"), (littering, "left behind: ['a.tmp']")])
def test_a_save_that_breaks_its_promise_is_seen(
    write: Callable[[Path, bool], None], wrong: str, tmp_path: Path
) -> None:
    save, target, old = Save("bad", "a.bin", write), tmp_path / "disk" / "a.bin", tmp_path / "a.bin"
    target.parent.mkdir()
    for path in (target, old):
        write(path, False)
    assert kept(save, target, old) == wrong


def test_a_mixture_of_old_and_new_is_counted(tmp_path: Path) -> None:
    old, new, target = (tmp_path / name for name in ("old", "new", "target"))
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    found = Killed()
    for data in (b"old", b"new", b"nld", b""):
        target.write_bytes(data)
        found.count(target, old, new)
    target.unlink()
    found.count(target, old, new)
    assert (found.old, found.new, found.torn) == (1, 1, 3)


def test_a_window_that_ends_badly_is_seen() -> None:
    assert Closed(0.5, 0, "", ()).kept
    assert not Closed(0.5, -11, "", ()).kept
    assert not Closed(0.5, 0, "Traceback (most recent call last)", ()).kept
    assert not Closed(0.5, 0, "", ("process 7",)).kept
    late = closing_row("export", [Closed(3.2, 0, "", ()), Closed(1.0, 0, "", ())])
    assert late[1:3] == [2, 1], "later than it may be"
