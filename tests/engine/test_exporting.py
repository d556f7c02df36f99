"""A walk as GIF, MP4, frames and strip: the right pictures at the right time, and nothing partial ever."""

from __future__ import annotations

import errno
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_model import DIM, FakeModel
from inboxes import Inbox
from PIL import Image

from latentlab.core.condition import Asked
from latentlab.core.errors import OptionError, SaveError
from latentlab.core.latent_model import Images
from latentlab.core.recipe_png import recipe_in
from latentlab.core.requests import Done, JobCancelled, JobFailed, Progress
from latentlab.core.spaces import FloatArray
from latentlab.engine import exporting
from latentlab.engine.exporting import WalkExport, export_walk, kind_of
from latentlab.engine.jobs import ProcessJobs


class ListeningReport:
    """Remembers what it is told, and cancels at one of its calls."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.said: list[tuple[float, float]] = []
        self._cancel_at = cancel_at

    def progress(self, done: float, total: float, text: str = "") -> None:
        if len(self.said) == self._cancel_at:
            raise JobCancelled
        self.said.append((done, total))

    def partial(self, value: Any) -> None:
        raise AssertionError("an export has no partial results")


class ColourModel(FakeModel):
    """Red as bright as the first number; 9 x 9, so that MP4 has to pad."""

    def __init__(self) -> None:
        super().__init__(Path("red.fake"), "red", 9)

    def decode(self, latents: FloatArray, *, space: str | None = None, condition: Asked = None) -> Images:
        images = np.repeat(super().decode(latents), 3, axis=3)
        images[..., 1:] = 0
        return images


def walk(path: Path, **changes: Any) -> WalkExport:
    """1 s of 10 frames, from 0 to 180."""
    keyframes = np.zeros((2, DIM), np.float32)
    keyframes[1, 0] = 180
    return replace(WalkExport(keyframes, path, kind_of(path), seconds=1.0, fps=10), **changes)


def reds(path: Path) -> list[int]:
    with Image.open(path) as film:
        return [int(np.asarray(_frame(film, index))[..., 0].mean()) for index in range(film.n_frames)]


def _frame(film: Image.Image, index: int) -> Image.Image:
    film.seek(index)
    return film.convert("RGB")


def test_gif_has_the_frames_of_the_walk_and_its_length(tmp_path: Path) -> None:
    path, report = tmp_path / "walk.gif", ListeningReport()
    exported = export_walk(ColourModel(), walk(path, scale=2), report)
    assert (exported.frames, exported.bytes_written, exported.notes) == (10, path.stat().st_size, ())
    np.testing.assert_allclose(reds(path), np.linspace(0, 180, 10), atol=3)
    with Image.open(path) as film:
        assert film.size == (18, 18)
        assert film.info["loop"] == 0
    assert report.said[0] == (0, 10)
    assert report.said[-1] == (10, 10)


def test_grey_pictures_keep_their_greys(tmp_path: Path) -> None:
    path = tmp_path / "walk.gif"
    export_walk(FakeModel(Path("grey"), "grey"), walk(path), ListeningReport())
    assert reds(path) == [int(value) for value in np.linspace(0, 180, 10)]


@pytest.mark.parametrize(("fps", "steps"), [(30, {30, 40}), (50, {20}), (7, {140, 150})])
def test_gif_keeps_the_length_although_it_counts_in_hundredths(fps: int, steps: set[int]) -> None:
    durations = exporting._durations_ms(10 * fps, fps)
    assert set(durations) == steps
    assert sum(durations) == 10_000


def test_gif_says_when_it_cannot_be_as_fast_and_when_it_is_large(tmp_path: Path) -> None:
    exported = export_walk(ColourModel(), walk(tmp_path / "w.gif", fps=100, scale=30), ListeningReport())
    assert exported.frames == 50
    assert "at most 50 frames" in exported.notes[0]
    assert "MP4 is smaller" in exported.notes[1]


def test_mp4_pads_odd_sizes_and_can_be_played(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "walk.mp4"
    exported = export_walk(ColourModel(), walk(path, scale=3), ListeningReport())
    assert "padded to 28 x 28" in exported.notes[0]
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert float(film.streams.video[0].average_rate) == 10
    assert len(frames) == 10
    np.testing.assert_allclose([frame[..., 0].mean() for frame in frames], np.linspace(0, 180, 10), atol=12)


def test_mp4_without_the_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(OptionError, match=r"latentlab\[video\]"):
        export_walk(ColourModel(), walk(tmp_path / "walk.mp4"), ListeningReport())
    assert not list(tmp_path.iterdir())


def test_frames_and_strips_carry_their_latents(tmp_path: Path) -> None:
    export_walk(ColourModel(), walk(tmp_path / "frames", loop=True), ListeningReport())
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files[:2]] == ["frame_00000.png", "frame_00001.png"]
    assert len(files) == 10
    recipe = recipe_in(files[1])
    assert recipe is not None
    assert recipe.checkpoint == "red"
    assert recipe.latent == [36.0, 0.0, 0.0, 0.0]  # a fifth of the way there, half of the loop
    export_walk(ColourModel(), walk(tmp_path / "strip.png"), ListeningReport())
    strip = recipe_in(tmp_path / "strip.png")
    assert strip is not None
    assert len(strip.tiles) == 8
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.size == (8 * 9 + 7 * 2, 9)


@pytest.mark.parametrize("name", ["walk.gif", "walk.mp4", "walk.png", "frames"])
@pytest.mark.parametrize("at", [0, 1])
def test_cancelled_leaves_what_was_there(tmp_path: Path, name: str, at: int) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"old")
    with pytest.raises(JobCancelled):
        export_walk(ColourModel(), walk(path), ListeningReport(cancel_at=at))
    assert [entry.name for entry in tmp_path.iterdir()] == ([name] if path.suffix else [])
    if path.suffix:
        assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["walk.gif", "walk.mp4", "walk.png", "frames"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SaveError, match=r"(?i)no space|disk is full"):
        export_walk(ColourModel(), walk(path), ListeningReport())
    assert [entry.name for entry in tmp_path.iterdir()] == ([name] if path.suffix else [])
    if path.suffix:
        assert path.read_bytes() == b"old"


def test_what_cannot_be_exported_is_said_before_anything_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").touch()
    with pytest.raises(SaveError, match="is not empty"):
        exporting.check(walk(tmp_path / "full"))
    for changes, said in (
        ({"seconds": 0.0}, "positive"),
        ({"seconds": 1e6}, "too many"),
        ({"scale": 0}, "scale of 0"),
        ({"kind": "webm"}, "'webm'"),
    ):
        with pytest.raises(OptionError, match=said):
            exporting.check(walk(tmp_path / "w.gif", **changes))
    with pytest.raises(OptionError, match=r"'\.avi'"):
        kind_of(Path("w.avi"))


def test_as_a_job_it_says_what_is_wrong_with_the_checkpoint(findable: None, inbox: Inbox, tmp_path: Path) -> None:
    jobs = ProcessJobs()
    try:
        arguments = {"keyframes": np.zeros((2, DIM), np.float32), "path": str(tmp_path / "w.gif"), "fps": 10}
        jobs.start("latentlab.engine.exporting:run", {"checkpoint_path": str(tmp_path / "no"), **arguments}, inbox)
        assert "does not exist" in inbox.until(JobFailed, Progress).message
        jobs.start("latentlab.engine.exporting:run", {"checkpoint_path": "", **arguments}, inbox)
        assert "explore()" in inbox.until(JobFailed, Progress, Done).message
    finally:
        jobs.close()
    assert not list(tmp_path.iterdir())
