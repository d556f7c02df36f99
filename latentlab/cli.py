"""`latentlab`: the window, or one of the commands. Nothing that the window does not need is imported for it."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentlab.core.errors import LatentlabError, OptionError, did_you_mean, in_plain_words

COMMANDS = (
    "info",
    "render",
    "edit",
    "walk",
    "traverse",
    "map",
    "encode",
    "measure",
    "compare",
    "convert",
    "directions",
)
HELP = ("--help", "-h", "--version")
# The window's arrays are small. A second thread of BLAS waits for the first by spinning, on the core that the engine
# needs: a product of 3 ms took 100. Only read when numpy is imported, so it is set before the window is.
WINDOW_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
DEBUG = "LATENTLAB_DEBUG"  # set: an unexpected error shows its traceback


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failure, 2 wrong usage or bad input, 130 interrupted; one line says why."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names that are not UTF-8 are shown, not fatal
            stream.reconfigure(errors="backslashreplace")
    try:
        if arguments and arguments[0] in (*COMMANDS, *HELP):
            return _command(arguments)
        if arguments and (meant := _misspelt(arguments[0])):
            raise OptionError(f"There is no command or file '{arguments[0]}'.{meant}")
        for name, value in WINDOW_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from latentlab import app

        return app.main(arguments)
    except LatentlabError as error:
        return _say(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _say("Interrupted; nothing was written.", 130)
    except MemoryError:
        return _say("The memory is full. Ask for fewer pictures, or close other programs.", 1)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        return _say(f"{error.filename or 'A file'}: {error.strerror or error}.", 1)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _say(
            f"An error that latentlab did not expect: {type(error).__name__}: {error}. "
            f"Please report it, with what {DEBUG}=1 shows.",
            1,
        )


def _command(arguments: list[str]) -> int:
    import typer

    from latentlab.command_line.commands import command

    # Typer brings its own click in some versions: the base of its usage errors, wherever it lives.
    usage_error: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # end by a status, not by the signal
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = command().main(arguments, prog_name="latentlab", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except usage_error as error:
        message = in_plain_words(str(error.format_message())).rstrip(".?")
        return _say(f"{message}. See latentlab {_command_of(arguments)}--help.", 2)
    if status == 130:  # what newer versions make of Ctrl+C
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _command_of(arguments: list[str]) -> str:
    return f"{arguments[0]} " if arguments[0] in COMMANDS else ""


def _misspelt(word: str) -> str:
    """What was meant by a word that is neither a command nor a file; empty when nothing is close."""
    if not word.isalpha() or Path(word).exists() or not difflib.get_close_matches(word, COMMANDS, 1):
        return ""
    return did_you_mean(word, COMMANDS)


def _say(message: str, status: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - the one line the command line owes
    return status


if __name__ == "__main__":
    sys.exit(main())
