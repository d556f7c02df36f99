"""Attribute directions in words: how one was made, how good it is, and what it drags along."""

from __future__ import annotations

from latentlab.core.directions import Direction
from latentlab.ui.names import readable

LEAKS_SHOWN = 3
SMALLEST_LEAK = 0.05


def made_by(direction: Direction) -> str:
    """One quiet line; a narrow row drops its last part, which is the one that matters least."""
    examples = f"{direction.examples:,} examples" if direction.examples else ""
    if direction.auc is None:  # a component: the method says its share
        said = [direction.method, examples]
    else:
        said = [f"AUC {direction.auc:.2f}", examples, direction.method]
    return " · ".join(part for part in said if part)


def about(direction: Direction) -> str:
    """The same in sentences, for the tooltip."""
    lines = [f"{direction.name}: {direction.method}" if direction.method else direction.name]
    if direction.examples:
        lines.append(f"rests on {direction.examples:,} examples")
    if direction.auc is not None:
        lines.append(f"tells held-out ones apart with AUC {direction.auc:.3f} (0.5 is chance, 1 perfect)")
    if direction.predicted:
        lines.append("the labels came from a classifier, not from people")
    return "\n".join(lines)


def said_of_leaks(name: str, locked: int, leaks: dict[str, float]) -> str:
    """What strength 1 of `name` still changes while `locked` others are kept; empty where there are no others."""
    if not leaks:
        return ""
    worst = sorted(leaks.items(), key=lambda item: -abs(item[1]))[:LEAKS_SHOWN]
    name = readable(name)
    said = [
        f"{readable(other)} {amount:+.2f}".replace("-", "−") for other, amount in worst if abs(amount) >= SMALLEST_LEAK
    ]
    kept = f" with {locked} locked" if locked else ""
    return f"{name}{kept} also moves {', '.join(said)}" if said else f"{name}{kept} moves nothing else much"
