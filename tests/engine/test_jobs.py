"""Jobs: what they say and in which order, and that cancelling works at the start, in the middle and at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_model import Gate
from inboxes import Inbox

from latentlab.core.requests import Cancelled, Done, JobFailed, Partial, Progress
from latentlab.engine import jobs as jobs_module
from latentlab.engine.jobs import ProcessJobs


@pytest.fixture
def jobs(findable: None) -> Iterator[ProcessJobs]:
    jobs = ProcessJobs()
    yield jobs
    jobs.close()


def test_a_job_reports_and_ends_with_its_result(jobs: ProcessJobs, inbox: Inbox) -> None:
    job = jobs.start("fake_jobs:count_to", {"n": 2}, inbox)
    messages = [inbox.next() for _ in range(5)]
    assert [type(message) for message in messages] == [Progress, Partial, Progress, Partial, Done]
    assert (messages[2].done, messages[2].total, messages[2].text) == (1, 2, "step 1")
    assert messages[3].value == 10
    assert messages[4].value == 2
    assert not job.running
    job.cancel()  # too late, and harmless
    assert inbox.empty()


def test_a_job_is_niced_and_its_threads_do_not_spin(jobs: ProcessJobs, inbox: Inbox) -> None:
    jobs.start("fake_jobs:niceness", {}, inbox)
    assert inbox.until(Done).value == (min(19, os.nice(0) + 10), "PASSIVE")


@pytest.mark.parametrize(
    ("function", "arguments", "said", "details"),
    [
        ("fake_jobs:fail", {}, "ZeroDivisionError: one over zero", "Traceback"),
        ("fake_jobs:outgrow", {}, "The memory was full", "Traceback"),
        ("fake_jobs:refuse", {}, "The disk is full. Free some space.", ""),
        ("fake_jobs:die", {}, "signal 9", "last words"),
        ("fake_jobs:absent", {}, "has no attribute 'absent'", ""),
        ("fake_jobs:count_to", {"n": threading.Lock()}, "cannot pickle", "Traceback"),
    ],
)
def test_a_job_that_fails_says_why(
    jobs: ProcessJobs, inbox: Inbox, function: str, arguments: dict[str, Any], said: str, details: str
) -> None:
    jobs.start(function, arguments, inbox)
    failed = inbox.next()
    assert isinstance(failed, JobFailed)
    assert said in failed.message
    assert details in failed.details


@pytest.mark.parametrize("step", [0, 5, 9])
def test_a_job_is_cancelled_at_any_step(jobs: ProcessJobs, inbox: Inbox, gate: Gate, tmp_path: Path, step: int) -> None:
    job = jobs.start("fake_jobs:wait_at", {"folder": str(tmp_path), "step": step, "steps": 10}, inbox)
    gate.entered()
    job.cancel()
    job.cancel()
    gate.let_go()
    assert isinstance(inbox.until(Cancelled, Progress), Cancelled)
    assert inbox.empty()
    assert not job.running
    assert not (tmp_path / "finished").exists()


def test_a_job_cancelled_before_it_has_a_process(jobs: ProcessJobs, inbox: Inbox, tmp_path: Path) -> None:
    job = jobs.start("fake_jobs:wait_at", {"folder": str(tmp_path), "step": -1, "steps": 10}, inbox)
    job.cancel()
    assert isinstance(inbox.until(Cancelled, Progress), Cancelled)
    assert inbox.empty()


def test_a_job_that_does_not_listen_is_ended_by_force(
    jobs: ProcessJobs, inbox: Inbox, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "CANCEL_S", 0.05)
    job = jobs.start("fake_jobs:deaf", {"folder": str(tmp_path)}, inbox)
    gate.entered()
    gate.let_go()
    job.cancel()
    assert isinstance(inbox.next(), Cancelled)


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_what_a_job_was_writing_is_gone_with_it(
    jobs: ProcessJobs, inbox: Inbox, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(jobs_module, "CANCEL_S", 0.05)
    monkeypatch.setattr(jobs_module, "CLOSE_S", 0.05)
    target = tmp_path / "target" / "walk.gif"
    target.parent.mkdir()
    target.write_bytes(b"old")
    job = jobs.start("fake_jobs:write_slowly", {"folder": str(tmp_path), "path": str(target)}, inbox)
    gate.entered()
    gate.let_go()
    assert len(list(target.parent.iterdir())) == 2
    if how == "cancelled":
        job.cancel()
    else:
        jobs.close()
    assert isinstance(inbox.next(), Cancelled)
    assert list(target.parent.iterdir()) == [target]
    assert target.read_bytes() == b"old"


def test_closing_cancels_every_job_in_time(
    jobs: ProcessJobs, inbox: Inbox, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "CLOSE_S", 0.1)
    jobs.start("fake_jobs:deaf", {"folder": str(tmp_path)}, inbox)
    gate.entered()
    gate.let_go()
    begin = time.perf_counter()
    jobs.close()
    assert time.perf_counter() - begin < 3.0
    assert isinstance(inbox.next(), Cancelled)
