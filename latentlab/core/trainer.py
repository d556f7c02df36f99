"""The trainer as the window sees it: a command in a process of its own, what it says, and how it ends.

The window knows `latentlab-train` by its command line alone; nothing of the trainer is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

PROGRAM = "latentlab-train"
LISTING = ("list", "--json")  # asks what it offers
INTERRUPTED = 130  # exit status: stopped on request, work saved


@dataclass(frozen=True)
class TrainerLine:
    """A line that the command wrote on its standard output."""

    text: str


@dataclass(frozen=True)
class TrainerEnded:
    """The last message of every command. `text` is the one line it said of a failure; empty where there was none."""

    status: int
    text: str = ""
    details: str = ""  # what else it wrote on its standard error, for "copy details"


TrainerMessage = TrainerLine | TrainerEnded


class TrainerCommand(Protocol):
    """A command that was started; `stop` may be called from any thread."""

    def stop(self) -> None:
        """Asks a run to finish its step, to save and to end; asked a second time it ends at once."""

    @property
    def running(self) -> bool: ...


class Trainer(Protocol):
    @property
    def installed(self) -> bool:
        """Whether there is a trainer on this machine."""

    def start(self, arguments: Sequence[str], on_message: Callable[[TrainerMessage], None]) -> TrainerCommand:
        """Runs `latentlab-train` with these arguments. Messages arrive on another thread; TrainerEnded is the last."""

    def close(self) -> None:
        """Stops what runs. What is still in its last step after 1 s goes on, saves and ends by itself."""
