"""The grammar of typed expressions, and the tree they are read into.

sum     = product (("+" | "-") product)*
product = signed (("*" | "/") signed)*
signed  = ("-" | "+") signed | atom
atom    = number | "#" index | name | "name with spaces" | "group" name | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from latentlab.core.errors import ExpressionError, did_you_mean

FUNCTIONS = {
    "mean": "mean(a, b, …)",
    "lerp": "lerp(a, b, t)",
    "slerp": "slerp(a, b, t)",
    "sample": "sample(seed)",
}
LENGTH_LIMIT = 10_000  # characters
DEPTH_LIMIT = 60

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<index>\#\d+)
    |(?P<name>[^\W\d]\w*)
    |(?P<quoted>"[^"]*")
    |(?P<operator>[-+*/(),−×·])""",
    re.VERBOSE,
)
SAME = {"−": "-", "×": "*", "·": "*"}


@dataclass(frozen=True)
class Node:
    """A part of an expression and where it stands."""

    kind: Literal["number", "index", "name", "group", "call", "negative", "+", "-", "*", "/"]
    column: int
    length: int
    text: str = ""
    number: float = 0.0
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Token:
    kind: str  # a group of TOKEN, or "end"
    text: str
    column: int

    @property
    def length(self) -> int:
        return max(1, len(self.text))


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError."""
    if len(text) > LENGTH_LIMIT:
        message = f"The expression has {len(text):,} characters; {LENGTH_LIMIT:,} are allowed. Write it shorter."
        raise ExpressionError(message, LENGTH_LIMIT, len(text) - LENGTH_LIMIT)
    return _Parser(list(_tokens(text))).whole()


def _tokens(text: str) -> Iterator[Token]:
    column = 0
    while column < len(text):
        match = TOKEN.match(text, column)
        if match is None:
            letter = text[column]
            if letter == '"':
                raise ExpressionError("This quotation mark is never closed. Add another.", column, len(text) - column)
            if letter == "#":
                raise ExpressionError("A number must follow '#', as in #1284.", column)
            raise ExpressionError(f"'{letter}' means nothing here. Remove it.", column)
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, SAME.get(match[0], match[0]), column)
        column = match.end()
    yield Token("end", "", len(text.rstrip()))


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def whole(self) -> Node:
        if self._next.kind == "end":
            raise ExpressionError("Nothing is written here yet. Begin with 'current'.", 0)
        node = self._sum()
        token = self._next
        if token.kind != "end":
            if token.text == ")":
                raise ExpressionError("This parenthesis was never opened. Remove it.", token.column)
            if token.text == ",":
                raise ExpressionError(
                    "A comma belongs between the arguments of a function; decimals have a point, as in 1.5.",
                    token.column,
                )
            raise ExpressionError(
                f"An operator is missing before '{token.text}': + - * or /. {self._quoting()}",
                token.column,
                token.length,
            )
        return node

    def _quoting(self) -> str:
        """How a name with spaces is written: with the very words, where two stand beside each other."""
        words = [token.text for token in self._tokens[self._at - 1 : self._at + 1] if token.kind == "name"]
        shown = f': "{" ".join(words)}"' if len(words) == 2 else ""
        return f"Names with spaces go in quotation marks{shown}."

    def _sum(self) -> Node:
        return self._chain("+-", self._product)

    def _product(self) -> Node:
        return self._chain("*/", self._signed)

    def _chain(self, operators: str, part: Callable[[], Node]) -> Node:
        node = part()
        while self._next.kind == "operator" and self._next.text in operators:
            operator = self._take()
            right = part()
            end = right.column + right.length
            kind: Literal["+", "-", "*", "/"] = operator.text  # type: ignore[assignment]
            node = Node(kind, node.column, end - node.column, parts=(node, right))
        return node

    def _signed(self) -> Node:
        if self._next.kind == "operator" and self._next.text in "+-":
            sign = self._take()
            with_depth = self._deeper(sign, self._signed)
            if sign.text == "+":
                return with_depth
            length = with_depth.column + with_depth.length - sign.column
            return Node("negative", sign.column, length, parts=(with_depth,))
        return self._atom()

    def _atom(self) -> Node:
        token = self._take()
        column, length = token.column, token.length
        match token.kind:
            case "number":
                number = float(token.text)
                if not math.isfinite(number):
                    raise ExpressionError(f"{token.text} is too large. Use a smaller number.", column, length)
                return Node("number", column, length, token.text, number)
            case "index":
                return Node("index", column, length, token.text[1:])
            case "quoted":
                return Node("name", column, length, token.text[1:-1])
            case "name":
                return self._named(token)
        if token.text == "(":
            node = self._deeper(token, self._sum)
            close = self._closed(token)
            return Node(node.kind, column, close.column + 1 - column, node.text, node.number, node.parts)
        raise ExpressionError(
            "The expression ends where a name or a number is expected."
            if token.kind == "end"
            else f"A name or a number is expected before '{token.text}'.",
            column,
            length,
        )

    def _named(self, token: Token) -> Node:
        following = self._next
        if following.text == "(" and following.kind == "operator":
            return self._call(token)
        if token.text == "group" and following.kind in ("name", "quoted", "number"):
            self._take()
            length = following.column + following.length - token.column
            return Node("group", token.column, length, following.text.strip('"'))
        return Node("name", token.column, token.length, token.text)

    def _call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            raise ExpressionError(
                f"There is no function '{name.text}'.{did_you_mean(name.text, FUNCTIONS)}", name.column, name.length
            )
        opening = self._take()
        parts = [self._deeper(opening, self._sum)]
        while self._next.text == "," and self._next.kind == "operator":
            self._take()
            parts.append(self._sum())
        close = self._closed(opening)
        return Node("call", name.column, close.column + 1 - name.column, name.text, parts=tuple(parts))

    def _closed(self, opening: Token) -> Token:
        token = self._next
        if token.text != ")" or token.kind != "operator":
            if token.kind == "end":
                raise ExpressionError("This parenthesis is never closed. Add ')'.", opening.column)
            raise ExpressionError(
                f"An operator or ')' is missing before '{token.text}'. {self._quoting()}",
                token.column,
                token.length,
            )
        return self._take()

    def _deeper(self, token: Token, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise ExpressionError(f"More than {DEPTH_LIMIT} levels are nested here. Write it flatter.", token.column)
        node = part()
        self._depth -= 1
        return node
