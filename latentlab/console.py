"""What a command says while it works: a line of progress on a terminal, nothing into a file or a pipe."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


def say(text: str) -> None:
    """On stderr, beside what a command prints."""
    print(text, file=sys.stderr)  # noqa: T201


def warn(text: str) -> None:
    say(f"Warning: {text}")


class ConsoleReport:
    """Satisfies `latentlab.core.requests.Report`; a context that clears its line at the end."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, done: float, total: float, text: str = "") -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None, description=text or self._title)

    def partial(self, value: Any) -> None:
        """Intermediate pictures are not shown here."""
