"""What an ONNX file says of itself, read before onnxruntime sees it: ports, operators, and files it asks for.

Field numbers are those of onnx.proto (ONNX 1.17). Only what is needed is read; weights are stepped over.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NoReturn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError
from latentlab.formats.protobuf_walk import Walk, text, varints

BYTES_AT_MOST = 1 << 31  # what protobuf allows
DEPTH_AT_MOST = 16  # graphs in the attributes of nodes of graphs
NODES_AT_MOST = 200_000  # with functions written out
DOMAINS = ("", "ai.onnx", "com.microsoft")
LOOPS = ("Loop", "Scan", "SequenceMap")
CODE = ("PythonOp", "PythonOpGrad", "EPContext", "OpaqueOp", "ExternalOp")
# Of one number, at least: small integers may be written in a byte each, whatever their type.
BITS_AT_LEAST = {1: 32, 11: 64, 14: 64, 15: 128, 21: 4, 22: 4, 23: 4}
TYPES = {1: "float32", 2: "uint8", 10: "float16", 11: "float64"}  # of what goes in and comes out


Shape = tuple[int | None, ...]  # None is a size that the graph leaves open


@dataclass(frozen=True)
class Port:
    """An input or output; its shape is None where the graph does not state it."""

    name: str
    dtype: str  # of TYPES, or "" for any other
    shape: Shape | None


@dataclass
class Graph:
    inputs: list[Port] = field(default_factory=list)  # without those that have a default
    outputs: list[Port] = field(default_factory=list)
    last: dict[str, str] = field(default_factory=dict)  # of each value of the graph: the operator it comes from


@dataclass
class _Function:
    nodes: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)


class Reading:
    """One file, read; raises ValueError for what is malformed, CheckpointError for what is not allowed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._walk = Walk()
        self._main = _Function()
        self._functions: dict[tuple[str, str], _Function] = {}
        self.graph = Graph()

    def read(self) -> Graph:
        size = self._path.stat().st_size
        if size > BYTES_AT_MOST:
            self._refuse(f"has {size:,} bytes; an ONNX file has at most {BYTES_AT_MOST:,}")
        with self._path.open("rb") as file:
            model = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        graphs = 0
        for number, value in self._walk.fields(model):
            if number == 7:
                graphs += 1
                self._graph(_message(value), self._main, 0)
            elif number == 25:
                self._function(_message(value))
            elif number == 20:
                self._refuse("holds what it needs for training. Export it for inference")
        if graphs != 1:
            raise ValueError(f"it holds {graphs} graphs")
        self._check_operators()
        return self.graph

    # --- messages ----------------------------------------------------------------------------------------------

    def _graph(self, message: memoryview, owner: _Function, depth: int) -> None:
        if depth > DEPTH_AT_MOST:
            raise ValueError("its graphs are nested too deeply")
        ports: dict[int, list[Port]] = {11: [], 12: []}
        defaults: set[str] = set()
        for number, value in self._walk.fields(message):
            if number == 1:
                made, operator = self._node(_message(value), owner, depth)
                if depth == 0:
                    self.graph.last.update(dict.fromkeys(made, operator))
            elif number == 5:
                defaults.add(self._tensor(_message(value)))
            elif number == 15:
                self._refuse_sparse()
            elif number in ports:
                ports[number].append(self._port(_message(value)))
        if depth == 0:
            self.graph.inputs = [port for port in ports[11] if port.name not in defaults]
            self.graph.outputs = ports[12]

    def _node(self, message: memoryview, owner: _Function, depth: int) -> tuple[list[str], str]:
        made: list[str] = []
        operator = domain = ""
        for number, value in self._walk.fields(message):
            if number == 2:
                made.append(text(value))
            elif number == 4:
                operator = text(value)
            elif number == 7:
                domain = text(value)
            elif number == 5:
                self._attribute(_message(value), owner, depth)
        owner.nodes += 1
        owner.calls.append((domain, operator))
        return made, operator

    def _attribute(self, message: memoryview, owner: _Function, depth: int) -> None:
        for number, value in self._walk.fields(message):
            if number in (5, 10):
                self._tensor(_message(value))
            elif number in (6, 11):
                self._graph(_message(value), owner, depth + 1)
            elif number in (22, 23):
                self._refuse_sparse()

    def _function(self, message: memoryview) -> None:
        function, name, domain = _Function(), "", ""
        for number, value in self._walk.fields(message):
            if number == 1:
                name = text(value)
            elif number == 10:
                domain = text(value)
            elif number == 7:
                self._node(_message(value), function, 1)
            elif number == 11:
                self._attribute(_message(value), function, 1)
        same = self._functions.setdefault((domain, name), _Function())  # a function may have several overloads
        same.nodes += function.nodes
        same.calls += function.calls

    def _tensor(self, message: memoryview) -> str:
        """The tensor's name, once its size and its file are found to be sound."""
        sizes: list[int] = []
        entries: dict[str, str] = {}
        name, bits, external = "", 8, False
        for number, value in self._walk.fields(message):
            if number == 1:
                sizes += varints(value)
            elif number == 2 and isinstance(value, int):
                bits = BITS_AT_LEAST.get(value, 8)
            elif number == 8:
                name = text(value)
            elif number == 13:
                pair = {kind: text(inner) for kind, inner in self._walk.fields(_message(value))}
                if pair.get(1, "") in entries:
                    raise ValueError("a tensor lies in two files")
                entries[pair.get(1, "")] = pair.get(2, "")
            elif number == 14:
                external = external or value == 1
        held = self._external(entries) if external or entries else len(message)
        if math.prod(sizes) * bits > 8 * held:
            self._refuse(f"holds a tensor '{name[:60]}' that claims {math.prod(sizes):,} numbers in {held:,} bytes")
        return name

    def _external(self, entries: dict[str, str]) -> int:
        """The bytes that a tensor's own file has; only one inside the model's folder is one."""
        said = entries.get("location", "")
        pure, folder = PurePosixPath(said), self._path.absolute().parent.resolve()
        windows = PureWindowsPath(said)
        plain = said and "*" not in said and "\\" not in said and "\0" not in said and not windows.drive
        if not plain or pure.is_absolute() or ".." in pure.parts:
            self._refuse(f"keeps weights in '{said[:80]}', which lies outside of its own folder")
        target = (folder / pure).resolve()
        if not target.is_relative_to(folder):
            self._refuse(f"keeps weights in '{said[:80]}', which lies outside of its own folder")
        if not target.is_file():
            self._refuse(f"keeps weights in '{said[:80]}', which is not beside it. Copy that file too")
        size = target.stat().st_size
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or size)
        if offset < 0 or length < 0 or offset + length > size:
            self._refuse(f"asks for more of '{said[:80]}' than its {size:,} bytes")
        return length

    def _port(self, message: memoryview) -> Port:
        name, dtype, shape = "", "", None
        for number, value in self._walk.fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                for kind, tensor in self._walk.fields(_message(value)):
                    if kind == 1:  # a tensor; sequences and maps have other numbers
                        dtype, shape = self._tensor_type(_message(tensor))
        return Port(name, dtype, shape)

    def _tensor_type(self, message: memoryview) -> tuple[str, tuple[int | None, ...] | None]:
        dtype, shape = "", None
        for number, value in self._walk.fields(message):
            if number == 1 and isinstance(value, int):
                dtype = TYPES.get(value, "")
            elif number == 2:
                shape = tuple(self._sizes(_message(value)))
        return dtype, shape

    def _sizes(self, message: memoryview) -> Iterator[int | None]:
        for number, value in self._walk.fields(message):
            if number == 1:
                said = [inner for kind, inner in self._walk.fields(_message(value)) if kind == 1]
                size = said[-1] if said else None
                yield size if isinstance(size, int) and 0 < size < 1 << 31 else None

    # --- rules -------------------------------------------------------------------------------------------------

    def _check_operators(self) -> None:
        for function in (self._main, *self._functions.values()):
            for domain, operator in function.calls:
                if domain not in DOMAINS and (domain, operator) not in self._functions:
                    self._refuse(
                        f"needs the operator '{operator[:40]}' of the library '{domain[:40]}', which is code of its own"
                    )
                if operator in CODE:
                    self._refuse(f"needs the operator '{operator}', which runs code from elsewhere")
                if operator in LOOPS:
                    self._refuse(f"holds a loop ('{operator}'), which may never end. Export it without loops")
        self._nodes_of(self._main, {})

    def _nodes_of(self, function: _Function, counted: dict[int, int], depth: int = 0) -> int:
        """With functions written out: a few small ones that call one another can stand for very many nodes."""
        if id(function) in counted:
            return counted[id(function)]
        if depth > DEPTH_AT_MOST:
            raise ValueError("its functions call one another without end")
        called = (self._functions[call] for call in function.calls if call in self._functions)
        nodes = function.nodes + sum(self._nodes_of(other, counted, depth + 1) for other in called)
        if nodes > NODES_AT_MOST:
            self._refuse(f"has {nodes:,} nodes; at most {NODES_AT_MOST:,} are run")
        counted[id(function)] = nodes
        return nodes

    def _refuse_sparse(self) -> NoReturn:
        self._refuse("holds sparse tensors. Export it with plain ones")

    def _refuse(self, reason: str) -> NoReturn:
        raise CheckpointError(f"{displayed(self._path)} is an ONNX graph that {reason}.")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def read_graph(path: Path) -> Graph:
    """Raises CheckpointError for a graph that is not opened, or that is damaged."""
    try:
        return Reading(path).read()
    except (ValueError, RecursionError, OverflowError) as error:
        raise CheckpointError(
            f"{displayed(path)} is a damaged ONNX graph ({str(error)[:120]}). Copy or download it again."
        ) from None


def fits(stated: Shape, sizes: tuple[int, ...]) -> bool:
    """Whether a tensor of these sizes may be given where a graph states that shape."""
    return len(stated) == len(sizes) and all(said in (None, own) for said, own in zip(stated, sizes, strict=True))


def in_words(shape: Shape) -> str:
    """As "? x 64 x 64", for messages."""
    return " x ".join("?" if size is None else str(size) for size in shape) or "nothing"
