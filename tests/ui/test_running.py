"""Jobs: messages on the GUI thread, one ending each, cancel wins over a late result."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from latentlab.core.requests import Cancelled, Done, JobFailed, Partial, Progress
from latentlab.ui.running import Running, RunningJob
from tests.ui.conftest import FakeJobs, deliver


@pytest.fixture
def running(qapp: QApplication, jobs: FakeJobs) -> Running:
    return Running(jobs)


def heard(job: RunningJob) -> list[str]:
    said: list[str] = []
    job.progress.connect(lambda message: said.append(f"{message.done:g}/{message.total:g}"))
    job.partial.connect(lambda value: said.append(f"partial {value}"))
    job.done.connect(lambda value: said.append(f"done {value}"))
    job.failed.connect(lambda failure: said.append(f"failed {failure.message}"))
    job.cancelled.connect(lambda: said.append("cancelled"))
    job.ended.connect(lambda: said.append("ended"))
    return said


def test_a_job_reports_and_is_done(running: Running, jobs: FakeJobs) -> None:
    partials: list[object] = []
    results: list[object] = []
    job = running.start("t-SNE", "module:run", {"a": 1}, on_partial=partials.append, on_done=results.append)
    said = heard(job)
    assert (jobs.started[0].function, jobs.started[0].arguments) == ("module:run", {"a": 1})
    assert running.running == [job]
    for message in (Progress(1, 4), Partial("half"), Done(42)):
        jobs.started[0].say(message)
    deliver()
    assert said == ["1/4", "partial half", "done 42", "ended"]
    assert (partials, results) == (["half"], [42])
    assert running.running == []


def test_messages_from_another_thread_arrive_on_the_gui_thread(running: Running, jobs: FakeJobs, qtbot: QtBot) -> None:
    threads: list[QThread] = []
    job = running.start("t-SNE", "module:run", {})
    job.progress.connect(lambda message: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(job.progress):
        worker = threading.Thread(target=jobs.started[0].say, args=(Progress(1, 2),))
        worker.start()
    worker.join()
    assert threads == [QApplication.instance().thread()]


def test_a_result_that_comes_after_cancel_is_not_delivered(running: Running, jobs: FakeJobs) -> None:
    results: list[object] = []
    job = running.start("Export", "module:run", {}, on_done=results.append)
    said = heard(job)
    jobs.started[0].say(Partial("late"))
    jobs.started[0].say(Done("too late"))
    job.cancel()
    job.cancel()
    deliver()
    assert said == ["cancelled", "ended"]
    assert not results


def test_a_failure_is_said_once_by_whoever_listens(running: Running, jobs: FakeJobs) -> None:
    general: list[str] = []
    running.failed.connect(lambda job, failure: general.append(failure.message))
    own = heard(running.start("Export", "module:run", {}))
    running.start("t-SNE", "module:run", {})
    jobs.started[0].say(JobFailed("disk full"))
    jobs.started[1].say(JobFailed("no memory"))
    deliver()
    assert own == ["failed disk full", "ended"]
    assert general == ["no memory"]


def test_a_callback_that_raises_leaves_no_job_in_the_list(running: Running, jobs: FakeJobs) -> None:
    def broken(result: object) -> None:
        raise ValueError("broken")

    running.start("Export", "module:run", {}, on_done=broken)
    with capture_exceptions() as raised:
        jobs.started[0].say(Done(1))
        deliver()
    assert [str(error) for _, error, _ in raised] == ["broken"]
    assert running.running == []


def test_closing_cancels_everything_and_silences_it(running: Running, jobs: FakeJobs) -> None:
    said = [heard(running.start(title, "module:run", {})) for title in ("t-SNE", "Export")]
    jobs.started[0].say(Done(1))  # queued already
    running.close()
    jobs.started[1].say(Cancelled())
    deliver()
    assert all(job.cancelled for job in jobs.started)
    assert jobs.closed
    assert said == [[], []]
