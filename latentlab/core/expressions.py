"""Typed arithmetic on latents: "current + 1.5*Eyeglasses - 0.5*Smiling + mean(group A) - #1284".

Points (pictures) and directions (changes) are told apart by the sum of the points' factors, as in affine geometry:
`A - B` is a direction, `A - B + C` and `0.7*current` are points. Only a point can be the result.
Shapes: D latent, G members of a group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from latentlab.core import paths
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import ExpressionError, did_you_mean
from latentlab.core.expression_parsing import FUNCTIONS, Node, parse
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import State

OPERATORS = "+-*/"
BALANCED = 1e-9  # a sum of factors nearer to 0 is a direction


@dataclass(frozen=True, eq=False)
class Scope:
    """What names stand for. `points` are latents (D,), `groups` sets of them (G, D), which stand for their mean."""

    points: Mapping[str, FloatArray] = field(default_factory=dict)
    directions: Mapping[str, FloatArray] = field(default_factory=dict)
    groups: Mapping[str, FloatArray] = field(default_factory=dict)
    encodings: EncodingSet | None = None
    space: LatentSpace | None = None

    @property
    def names(self) -> list[str]:
        return [*self.points, *self.groups, *self.directions]


def scope_of(state: State, encodings: EncodingSet | None, space: LatentSpace) -> Scope:
    """The names of the open work: current, origin, the slots A, B and C, bookmarks, keyframes, groups, attributes."""
    bookmarks = (*state.samples.kept, *state.walk.keyframes)
    points = {item.name: item.latent for item in bookmarks if item.name}
    groups = {}
    if encodings is not None:
        count = len(encodings)  # a session may remember groups of more encodings than there are now
        groups = {group.name: encodings.latents[group.members[group.members < count]] for group in state.groups}
    slots = {"A": state.arithmetic.a, "B": state.arithmetic.b, "C": state.arithmetic.c}
    empty = np.zeros((0, len(state.base)), np.float32)
    for name, items in slots.items():
        groups[name] = np.stack([item.latent for item in items]) if items else groups.get(name, empty)
    return Scope(
        points=points | {"current": state.latent, "origin": state.origin},
        directions={name: state.effective(direction) for name, direction in state.directions.items()},
        groups=groups,
        encodings=encodings,
        space=space,
    )


def evaluate(text: str, scope: Scope) -> FloatArray:
    """The latent (D,) that an expression stands for. Raises ExpressionError with the place of the mistake."""
    with np.errstate(all="ignore"):  # what overflows is refused below
        value = _Evaluation(scope).value(parse(text))
    column, length = _extent(text)
    if value.latent is None:
        raise ExpressionError(
            f"This is the number {value.number:g}, not a picture. Begin with 'current'.", column, length
        )
    if abs(value.weight) < BALANCED:
        raise ExpressionError(
            "This is a direction, a change and not a picture. Add it to one, as in current + …", column, length
        )
    if not np.isfinite(value.latent).all():
        raise ExpressionError("The numbers are too large for a latent. Use smaller factors.", column, length)
    return np.asarray(value.latent, np.float32)


def completions(text: str, cursor: int, scope: Scope) -> list[str]:
    """What the word before the cursor may become, ready to insert in place of `text[word_start(...):cursor]`.

    Names that begin with the word come first, then those that contain it; names with spaces come in quotes.
    """
    start = word_start(text, cursor)
    word = text[start:cursor].lstrip('"').lower()
    before = text[:start].rstrip()
    if re.search(r'[\w"]$', before) and not re.search(r"\bgroup$", before):
        return []  # after a name or a number an operator comes first
    after_group = before.endswith("group")
    names = scope.groups if after_group else scope.names
    known = {name: name if re.fullmatch(r"[^\W\d]\w*", name) else f'"{name}"' for name in names if name}
    if not after_group and not text[start:cursor].startswith('"'):
        known |= {name: f"{name}(" for name in FUNCTIONS}
    begins = [shown for name, shown in known.items() if name.lower().startswith(word)]
    contains = [shown for name, shown in known.items() if word in name.lower() and shown not in begins]
    return begins + contains


def word_start(text: str, cursor: int) -> int:
    """Where the word that ends at the cursor begins; an open quotation mark belongs to it."""
    quotes = [place for place, letter in enumerate(text[:cursor]) if letter == '"']
    if len(quotes) % 2:
        return quotes[-1]
    match = re.search(r"\w+$", text[:cursor])
    return match.start() if match and not match[0][0].isdigit() else cursor


# --- evaluating ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Value:
    """A number, or a latent (D,) with the sum of its points' factors: 0 for a direction, 1 for a picture."""

    number: float = 0.0
    latent: FloatArray | None = None
    weight: float = 0.0

    @property
    def noun(self) -> str:
        if self.latent is None:
            return "number"
        return "direction" if abs(self.weight) < BALANCED else "picture"


class _Evaluation:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def value(self, node: Node) -> Value:
        match node.kind:
            case "number":
                return Value(node.number)
            case "index":
                return self._encoding(node)
            case "name":
                return self._name(node)
            case "group":
                return self._group(node)
            case "call":
                return self._called(node, [self.value(part) for part in node.parts])
            case "negative":
                return _scaled(self.value(node.parts[0]), -1.0)
        # A chain leans to the left; it is walked, not descended, so that its length has no limit of its own.
        chain = []
        while node.kind in OPERATORS:
            chain.append(node)
            node = node.parts[0]
        value = self.value(node)
        for part in reversed(chain):
            combine = self._added if part.kind in "+-" else self._multiplied
            value = combine(part, value, self.value(part.parts[1]))
        return value

    def _added(self, node: Node, left: Value, right: Value) -> Value:
        sign = 1.0 if node.kind == "+" else -1.0
        if left.latent is None and right.latent is None:
            return Value(left.number + sign * right.number)
        if left.latent is None or right.latent is None:
            number, part = (left, node.parts[0]) if left.latent is None else (right, node.parts[1])
            other = right if left.latent is None else left
            raise ExpressionError(
                f"The number {number.number:g} cannot be added to a {other.noun}. Multiply a direction with it.",
                part.column,
                part.length,
            )
        return Value(latent=left.latent + np.float32(sign) * right.latent, weight=left.weight + sign * right.weight)

    def _multiplied(self, node: Node, left: Value, right: Value) -> Value:
        if node.kind == "/":
            divisor = node.parts[1]
            if right.latent is not None:
                raise ExpressionError(f"Nothing can be divided by a {right.noun}.", divisor.column, divisor.length)
            if right.number == 0:
                raise ExpressionError("Nothing can be divided by zero.", divisor.column, divisor.length)
            return _scaled(left, 1 / right.number)
        if left.latent is not None and right.latent is not None:
            raise ExpressionError(
                f"A {left.noun} cannot be multiplied with a {right.noun}; only a number can.", node.column, node.length
            )
        return _scaled(right, left.number) if left.latent is None else _scaled(left, right.number)

    def _name(self, node: Node) -> Value:
        scope, name = self._scope, node.text
        if name in scope.points:
            return Value(latent=scope.points[name], weight=1.0)
        if name in scope.groups:
            return self._mean_of(node, name)
        for written in (name, name.replace(" ", "_")):  # the window shows attributes without their underscores
            if written in scope.directions:
                return Value(latent=scope.directions[written])
        raise ExpressionError(
            f"There is no picture, group or attribute '{name}'.{did_you_mean(name, scope.names)}",
            node.column,
            node.length,
        )

    def _group(self, node: Node) -> Value:
        """`group A`: the group "A", or one whose whole name is "group A"."""
        for name in (node.text, f"group {node.text}", f"Group {node.text}"):
            if name in self._scope.groups:
                return self._mean_of(node, name)
        hint = did_you_mean(node.text, self._scope.groups)
        raise ExpressionError(f"There is no group '{node.text}'.{hint}", node.column, node.length)

    def _mean_of(self, node: Node, name: str) -> Value:
        members_GD = self._scope.groups[name]
        if not len(members_GD):
            raise ExpressionError(f"'{name}' is empty. Put a picture into it first.", node.column, node.length)
        return Value(latent=members_GD.mean(axis=0), weight=1.0)

    def _encoding(self, node: Node) -> Value:
        encodings = self._scope.encodings
        count = 0 if encodings is None else len(encodings)
        if encodings is None or len(node.text) > 12 or int(node.text) >= count:
            known = f"they go from #0 to #{count - 1}" if count else "this model has none"
            raise ExpressionError(f"There is no encoding #{node.text}: {known}.", node.column, node.length)
        latent = encodings.latents[int(node.text)]
        if not np.isfinite(latent).all():
            raise ExpressionError(f"Encoding #{node.text} is not finite. Take another.", node.column, node.length)
        return Value(latent=latent, weight=1.0)

    def _called(self, node: Node, arguments: list[Value]) -> Value:
        if node.text == "mean":
            return self._mean(node, arguments)
        if node.text == "sample":
            return self._sample(node, arguments)
        if len(arguments) != 3:
            raise self._misused(node, f"it has {len(arguments)} arguments")
        a, b, t = arguments
        if a.latent is None or b.latent is None or t.latent is not None:
            raise self._misused(node, "a and b are pictures, t is a number from 0 to 1")
        if node.text == "lerp":
            weight = a.weight + (b.weight - a.weight) * t.number
            return Value(latent=paths.lerp(a.latent, b.latent, t.number), weight=weight)
        if "direction" in (a.noun, b.noun):
            raise self._misused(node, "it goes between two pictures, not between directions")
        return Value(latent=paths.slerp(a.latent, b.latent, t.number), weight=1.0)

    def _mean(self, node: Node, arguments: list[Value]) -> Value:
        latents = [value.latent for value in arguments if value.latent is not None]
        if len(latents) != len(arguments):
            raise self._misused(node, "a number has no place in it")
        weight = float(np.mean([value.weight for value in arguments]))
        return Value(latent=np.mean(latents, axis=0), weight=weight)

    def _sample(self, node: Node, arguments: list[Value]) -> Value:
        if len(arguments) != 1 or arguments[0].latent is not None:
            raise self._misused(node, "the seed is one number")
        seed = arguments[0].number
        if seed < 0 or seed != int(seed) or seed >= 2**63:
            raise self._misused(node, f"{seed:g} is no seed; take a whole number from 0")
        if self._scope.space is None:
            raise self._misused(node, "no model is open")
        return Value(latent=self._scope.space.sample(1, int(seed))[0], weight=1.0)

    @staticmethod
    def _misused(node: Node, why: str) -> ExpressionError:
        return ExpressionError(f"Write {FUNCTIONS[node.text]}: {why}.", node.column, node.length)


def _scaled(value: Value, factor: float) -> Value:
    if value.latent is None:
        return Value(value.number * factor)
    return Value(latent=value.latent * np.float32(factor), weight=value.weight * factor)


def _extent(text: str) -> tuple[int, int]:
    stripped = text.strip()
    return text.index(stripped), max(1, len(stripped))
