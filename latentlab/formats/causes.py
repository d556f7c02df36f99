"""What went wrong in someone else's code, in one line of a message of ours."""

from __future__ import annotations

LETTERS_AT_MOST = 200


def cause_of(error: BaseException, most: int = LETTERS_AT_MOST) -> str:
    """The first line of what an error says, at most so many letters of it; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:most] if lines else type(error).__name__
