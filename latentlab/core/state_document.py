"""The State as a JSON document and back, by the types its parts declare: a new part needs nothing here.

Arrays are base64 of their little-endian bytes, so that every bit returns; pictures are deflated.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import types
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from latentlab.core.condition import Condition
from latentlab.core.directions import Direction, DirectionSet
from latentlab.core.spaces import FloatArray
from latentlab.core.state import State

SIZE_LIMIT = 400_000_000  # bytes of one array
DTYPES = {"float32", "int64", "uint8"}
DERIVED = {"among"}  # fields that the set they belong to fills in


class Mismatch(ValueError):
    """A value that is not what its place asks for; the message names the place."""


def to_document(value: Any) -> Any:
    """JSON-ready dicts, lists, numbers and text."""
    if isinstance(value, np.ndarray):
        return _packed(value)
    if isinstance(value, DirectionSet):
        return [to_document(direction) for direction in value.values()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.name not in DERIVED)
        return {name: to_document(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): to_document(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return [to_document(item) for item in sorted(value)]
    if isinstance(value, tuple):
        return [to_document(item) for item in value]
    return value


def state_from(document: Any) -> State:
    """The State in a document; what is missing has its default. Raises Mismatch."""
    state: State = _read(State, document, "state")
    _check(state)
    return state


def _read(hint: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _read(next(argument for argument in arguments if argument is not type(None)), value, place)
    if origin is Literal:
        return value if value in arguments else _refuse(place, value, f"one of {', '.join(map(str, arguments))}")
    if origin is np.ndarray:
        return _unpacked(value, np.dtype(get_args(arguments[1])[0]), place)
    if hint is DirectionSet:
        return DirectionSet(_read_all(Direction, value, place))
    if hint is Condition and type(value) is int:
        return Condition(value)  # as sessions were saved when there were classes only
    if dataclasses.is_dataclass(hint):
        return _read_dataclass(hint, value, place)
    if origin in (tuple, frozenset):
        return origin(_read_all(arguments[0], value, place))
    if origin is Mapping:
        if not isinstance(value, dict):
            _refuse(place, value, "an object")
        return types.MappingProxyType(
            {_key(arguments[0], key, place): _read(arguments[1], item, f"{place}.{key}") for key, item in value.items()}
        )
    return _read_plain(hint, value, place)


def _read_plain(hint: Any, value: Any, place: str) -> Any:
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    nouns = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    return _refuse(place, value, nouns[hint])


def _read_dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        _refuse(place, value, "an object")
    hints = _hints(kind)
    given = {name: _read(hint, value[name], f"{place}.{name}") for name, hint in hints.items() if name in value}
    try:
        return kind(**given)
    except TypeError:
        needed = [
            field.name
            for field in dataclasses.fields(kind)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        missing = ", ".join(name for name in needed if name not in given)
        raise Mismatch(f"{place} lacks {missing}") from None


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.name not in DERIVED}


def _read_all(hint: Any, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(place, value, "a list")
    return [_read(hint, item, f"{place}.{index}") for index, item in enumerate(value)]


def _key(hint: Any, key: str, place: str) -> Any:
    if hint is not int:
        return key
    return int(key) if key.isdecimal() and len(key) < 10 else _refuse(place, key, "a whole number")


def _refuse(place: str, value: Any, wanted: str) -> Any:
    raise Mismatch(f"{place} is {value!r:.40}, not {wanted}")


def _packed(array: NDArray[Any]) -> dict[str, Any]:
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    packed = {"dtype": array.dtype.name, "shape": list(array.shape)}
    if array.dtype == np.uint8:
        return {**packed, "deflated": base64.b64encode(zlib.compress(data)).decode()}
    return {**packed, "base64": base64.b64encode(data).decode()}


def _unpacked(value: Any, dtype: np.dtype[Any], place: str) -> NDArray[Any]:
    match value:
        case {"dtype": str(name), "shape": [*shape]} if name in DTYPES and name == dtype.name:
            if not all(type(size) is int and 0 <= size < 2**31 for size in shape):
                _refuse(place, shape, "the shape of an array")
            size = math.prod(shape) * dtype.itemsize
            if size > SIZE_LIMIT:
                _refuse(place, shape, "the shape of an array one can hold")
            try:
                if "deflated" in value:
                    # Never more than the shape declares, whatever the deflated bytes would become.
                    data = zlib.decompressobj().decompress(base64.b64decode(value["deflated"]), size + 1)
                else:
                    data = base64.b64decode(value["base64"])
            except (ValueError, TypeError, KeyError, zlib.error):
                _refuse(place, value.get("base64", value.get("deflated")), "the coded bytes of an array")
            if len(data) != size:
                raise Mismatch(f"{place} holds {len(data):,} bytes where {size:,} are declared")
            array = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
            if dtype.kind == "f" and not np.isfinite(array).all():
                raise Mismatch(f"{place} holds numbers that are not finite")
            return array
    return _refuse(place, value, f"an array of {dtype.name}")  # type: ignore[no-any-return]


def _check(state: State) -> None:
    """What types alone do not say."""
    if state.origin.ndim != 1:
        raise Mismatch(f"state.origin has the shape {state.origin.shape}; a latent has one dimension")
    for place, latent in _latents(state):
        if latent.shape != state.origin.shape:
            raise Mismatch(f"{place} has the shape {latent.shape}, the latents here {state.origin.shape}")
    if state.original is not None and (state.original.image.ndim != 3 or state.original.image.shape[2] not in (1, 3)):
        raise Mismatch(f"state.original is a picture of shape {state.original.image.shape}")
    if not (0 < state.walk.seconds <= 36_000 and 1 <= state.walk.fps <= 1000):
        raise Mismatch(f"state.walk lasts {state.walk.seconds:g} s at {state.walk.fps} pictures per second")
    if state.condition is not None and not all(0 <= value <= 1 for value in state.condition.attributes):
        raise Mismatch(f"state.condition.attributes are {state.condition.attributes}, not all 0 to 1")
    for name, other in state.elsewhere.items():
        if other.space != name or other.elsewhere or other.checkpoint != state.checkpoint:
            raise Mismatch(f"state.elsewhere.{name} is of the space {other.space}")
        _check(other)
    for index, group in enumerate(state.groups):
        if group.members.ndim != 1 or (group.members < 0).any():
            raise Mismatch(f"state.groups.{index} does not hold the indices of encodings")


def _latents(state: State) -> Iterator[tuple[str, FloatArray]]:
    """(place in the document, latent) of all that are of one space with the origin."""
    yield "state.base", state.base
    for name, direction in state.directions.items():
        yield f"state.directions.{name}", direction.vector
    several = {
        "walk.keyframes": state.walk.keyframes,
        "samples.kept": state.samples.kept,
        **{f"arithmetic.{slot}": getattr(state.arithmetic, slot) for slot in ("a", "b", "c")},
    }
    for place, items in several.items():
        for number, item in enumerate(items):
            yield f"state.{place}.{number}", item.latent
    if state.comparison.end is not None:
        yield "state.comparison.end", state.comparison.end.latent
    if state.original is not None:
        yield "state.original", state.original.latent
