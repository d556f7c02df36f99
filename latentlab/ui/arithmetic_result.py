"""What latent arithmetic comes to: from the typed expression, else from the slots A − B + C.

Shapes: D latent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import ExpressionError
from latentlab.core.expressions import Scope, evaluate, scope_of
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import NamedLatent, State

HINT = "Drop pictures into A, B and C: what A has and B has not is added to C. Or type it above."


@dataclass(frozen=True, eq=False)
class Result:
    """`latent` (D,) is None where there is none; `said` then says why, `span` where in the expression."""

    latent: FloatArray | None
    name: str = ""
    said: str = ""
    span: tuple[int, int] | None = None


def example(names: Iterable[str]) -> str:
    """An expression that works as it stands, with the first two attributes of the model, where it has any."""
    shown = [name if re.fullmatch(r"[^\W\d]\w*", name) else f'"{name}"' for name in islice(names, 2)]
    if not shown:
        return "0.5*current + 0.5*sample(1)"
    return "current" + "".join(f" {part}*{name}" for part, name in zip(("+ 1.5", "− 0.5"), shown, strict=False))


def result_of(state: State, encodings: EncodingSet | None, space: LatentSpace) -> Result:
    """The typed expression wins when it is not empty."""
    text = state.arithmetic.expression
    if not text.strip():
        return of_slots(state)
    if encodings is not None and encodings.space != state.space:
        encodings = None
    return of_expression(text, scope_of(state, encodings, space))


def of_expression(text: str, scope: Scope) -> Result:
    try:
        return Result(evaluate(text, scope), text.strip())
    except ExpressionError as error:
        return Result(None, said=str(error), span=(error.column, error.length))


def of_slots(state: State) -> Result:
    """mean(A) − mean(B) + mean(C); the current picture stands in for a C that is empty."""
    slots = state.arithmetic
    if not (slots.a or slots.b or slots.c):
        return Result(None, said=HINT)
    if not slots.b:
        if slots.a and slots.c:
            return Result(None, said="Drop what A is compared with into B: A − B + C")
        return Result(_mean(slots.a or slots.c), "mean(A)" if slots.a else "mean(C)")
    if not slots.a:
        return Result(None, said="Drop what is to be added into A: A − B + C")
    difference = _mean(slots.a) - _mean(slots.b)
    if slots.c:
        return Result(np.asarray(difference + _mean(slots.c), np.float32), "A − B + C")
    said = "C is empty: the current picture stands in for it"
    return Result(np.asarray(difference + state.latent, np.float32), "A − B + current", said)


def _mean(items: tuple[NamedLatent, ...]) -> FloatArray:
    return np.asarray(np.mean([item.latent for item in items], axis=0), np.float32)
