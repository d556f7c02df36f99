"""Reading a pickle without running any of it: what it would build is written down, nothing is built.

A pickle is a program for a small machine with a stack. This is such a machine in which nothing can be called: a name
stays a name, a call a record of it. Opcodes are those of Python's `pickletools`; what is not here is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, Protocol

OPCODES_AT_MOST = 300_000  # of one file; a StyleGAN has some 50,000
Stack = list[Any]


class Source(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...
    def readline(self) -> bytes: ...


class Name:
    """What would have been imported."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    @property
    def whole(self) -> str:
        return f"{self.module}.{self.name}"


class Table:
    """A dictionary: its keys are not hashed, as they can be anything."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class Call:
    """What would have been called, with what; then what would have been put into the result."""

    __slots__ = ("arguments", "called", "elements", "pairs", "state")

    def __init__(self, called: Any, arguments: Any) -> None:
        self.called = called
        self.arguments = arguments
        self.elements: list[Any] = []
        self.pairs: list[tuple[Any, Any]] = []
        self.state: Any = None


class Stored:
    """A reference to something beside the pickle."""

    __slots__ = ("identity",)

    def __init__(self, identity: Any) -> None:
        self.identity = identity


class _Mark:
    __slots__ = ()


MARK = _Mark()
PUSHED = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
FRESH: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list, "EMPTY_SET": list,
    "EMPTY_TUPLE": tuple, "EMPTY_DICT": Table, "MARK": lambda: MARK,
}  # fmt: skip


class Reader:
    """One file; several pickles in a row share what is left of the opcodes."""

    def __init__(self) -> None:
        self._left = OPCODES_AT_MOST

    def read(self, source: Source) -> Any:
        """What the next pickle would build. Raises ValueError for what is no sound pickle."""
        machine = _Machine()
        try:
            for opcode, argument, _ in pickletools.genops(source):  # type: ignore[arg-type]
                self._left -= 1
                if self._left < 0:
                    raise ValueError(f"it has more than {OPCODES_AT_MOST:,} steps")
                if opcode.name == "STOP":
                    return machine.pop()
                machine.do(opcode.name, argument)
        except (IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
            raise ValueError(f"a step that cannot be taken ({type(error).__name__})") from None
        raise ValueError("it has no end")


class _Machine:
    def __init__(self) -> None:
        self._stack: Stack = []
        self._memo: dict[int, Any] = {}

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def do(self, name: str, argument: Any) -> None:
        if name in PUSHED:
            self._stack.append(argument)
        elif name in FRESH:
            self._stack.append(FRESH[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"the step {name}, which no model needs")

    def _since_mark(self) -> Stack:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is MARK:
                values = self._stack[place + 1 :]
                del self._stack[place:]
                return values
        raise ValueError("no mark")

    def _remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _put(self, argument: Any) -> None:
        self._remember(int(argument))

    def _memoize(self, _: Any) -> None:
        self._remember(len(self._memo))

    def _get(self, argument: Any) -> None:
        self._stack.append(self._memo[int(argument)])

    def _drop(self, _: Any) -> None:
        self._stack.pop()

    def _drop_marked(self, _: Any) -> None:
        self._since_mark()

    def _again(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _list(self, _: Any) -> None:
        self._stack.append(self._since_mark())

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._since_mark()))

    def _tuple_of(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self._stack.append(tuple(reversed(values)))

    def _dict(self, _: Any) -> None:
        values = self._since_mark()
        self._stack.append(Table())
        self._set(values)

    def _append(self, _: Any) -> None:
        value = self.pop()
        self._extend([value])

    def _appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _extend(self, values: Stack) -> None:
        target = self._stack[-1]
        (target.elements if isinstance(target, Call) else target).extend(values)

    def _setitem(self, _: Any) -> None:
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def _setitems(self, _: Any) -> None:
        self._set(self._since_mark())

    def _set(self, values: Stack) -> None:
        self._stack[-1].pairs.extend(zip(values[::2], values[1::2], strict=True))

    def _global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._stack.append(Name(module, name))

    def _stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a name that is no text")
        self._stack.append(Name(module, name))

    def _call(self, _: Any) -> None:
        arguments, called = self.pop(), self.pop()
        self._stack.append(Call(called, arguments))

    def _call_with_names(self, _: Any) -> None:
        names, arguments, called = self.pop(), self.pop(), self.pop()
        self._stack.append(Call(called, (arguments, names)))

    def _instance(self, argument: Any) -> None:
        values = tuple(self._since_mark())
        self._global(argument)
        self._stack.append(Call(self.pop(), values))

    def _object(self, _: Any) -> None:
        called, *values = self._since_mark()
        self._stack.append(Call(called, tuple(values)))

    def _build(self, _: Any) -> None:
        state = self.pop()
        target = self._stack[-1]
        if not isinstance(target, Call):
            raise ValueError("a state for what has none")
        target.state = state

    def _refer(self, argument: Any) -> None:
        self._stack.append(Stored(argument))

    def _refer_to_top(self, _: Any) -> None:
        self._stack.append(Stored(self.pop()))


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PUT": _Machine._put, "BINPUT": _Machine._put, "LONG_BINPUT": _Machine._put, "MEMOIZE": _Machine._memoize,
    "GET": _Machine._get, "BINGET": _Machine._get, "LONG_BINGET": _Machine._get,
    "POP": _Machine._drop, "POP_MARK": _Machine._drop_marked, "DUP": _Machine._again,
    "LIST": _Machine._list, "FROZENSET": _Machine._list, "TUPLE": _Machine._tuple, "DICT": _Machine._dict,
    "TUPLE1": lambda machine, _: machine._tuple_of(1), "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "APPEND": _Machine._append, "APPENDS": _Machine._appends, "ADDITEMS": _Machine._appends,
    "SETITEM": _Machine._setitem, "SETITEMS": _Machine._setitems,
    "GLOBAL": _Machine._global, "STACK_GLOBAL": _Machine._stack_global, "REDUCE": _Machine._call,
    "NEWOBJ": _Machine._call, "NEWOBJ_EX": _Machine._call_with_names, "INST": _Machine._instance,
    "OBJ": _Machine._object, "BUILD": _Machine._build,
    "PERSID": _Machine._refer, "BINPERSID": _Machine._refer_to_top,
}  # fmt: skip


def entries(value: Any) -> dict[str, Any]:
    """The entries under text keys of what is, or would have become, a dictionary; empty for anything else."""
    if isinstance(value, Table | Call):
        pairs = list(value.pairs)
        if isinstance(value, Call) and not pairs and isinstance(value.arguments, tuple) and len(value.arguments) == 1:
            given = value.arguments[0]  # as OrderedDict([(key, value), …]) or dict(table)
            pairs = given.pairs if isinstance(given, Table) else [p for p in _listed(given) if _is_pair(p)]
        return {key: inner for key, inner in pairs if isinstance(key, str)}
    return {}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2
