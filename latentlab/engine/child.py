"""What every process started by `protocol.Child` does first: its end of the pipe, and an end that comes with ours."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from importlib import import_module
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection
from typing import Any

from latentlab.core.atomic import discard_unfinished
from latentlab.core.errors import OptionError


def connected(handle: str) -> Connection:
    """The pipe to the process that started this one. From here on this process ends when that one does."""
    faulthandler.enable()
    # Ctrl+C reaches the whole terminal group; whoever started this process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_window, name="parent", daemon=True).start()
    if sys.platform == "win32":
        return pipes.PipeConnection(int(handle))
    return Connection(int(handle))


def named(function: str) -> Any:
    """The object "module:name" stands for."""
    module, _, name = function.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"'{function}' cannot be run: {error}.") from error


def _end_with_the_window() -> None:
    # Unbuffered: closing sys.stdin while a thread reads its buffer would deadlock at exit.
    while os.read(0, 4096):
        pass
    discard_unfinished()
    os._exit(0)
