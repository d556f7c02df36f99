"""StyleGAN2 in the `.pkl` of stylegan2-ada-pytorch and stylegan3: a pickle of objects that bring their own source code.

Neither the pickle nor that code is run: the file is read inertly, only names of a strict list may occur in it, and the
tensors of the averaged generator `G_ema` are put into a network of our own.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, few
from latentlab.core.latent_model import LatentModel
from latentlab.formats.inert_pickle import Call, Name, Reader, Table, entries
from latentlab.formats.inert_tensors import DTYPES, PARAMETERS, STORAGE, TENSOR, Tensors, arguments_of
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import Found
from latentlab.formats.state_dict import read_state_dict
from latentlab.formats.stylegan2_model import stylegan2_model
from latentlab.formats.stylegan2_network import MAPPING_RATE, Plan

TITLE = "StyleGAN2 (NVIDIA)"
PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
GENERATORS = ("G_ema", "G")
ALLOWED = {
    PERSISTENT, TENSOR, STORAGE, *PARAMETERS, *(f"torch.{kind}" for kind in DTYPES),
    "collections.OrderedDict", "dnnlib.util.EasyDict", "dnnlib.EasyDict", "torch.Size", "torch.device",
    "torch.float32", "torch.float16", "torch.nn.parameter.Parameter", "_codecs.encode", "builtins.set",
    "__builtin__.set", "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct",
}  # fmt: skip
CLAMP, RATE = "synthesis.b4.conv1.conv_clamp", "mapping.fc0.bias_gain"
SAID = "said"  # what a converted checkpoint calls the plain values
NAMES_SHOWN = 3
DEPTH_AT_MOST, TENSORS_AT_MOST = 8, 2000
LAYER_PARTS = {
    "weight": "weight", "bias": "bias", "noise_const": "noise", "noise_strength": "strength",
    "affine.weight": "affine.weight", "affine.bias": "affine.bias",
}  # fmt: skip
PICTURE_PARTS = {
    "weight": "weight", "bias": "bias", "affine.weight": "affine.weight", "affine.bias": "affine.bias"
}  # fmt: skip


class NvidiaStyleGAN2Format(Format):
    takes = ("noise",)

    def recognises(self, file: Found) -> bool:
        return file.kind == "stylegan pickle"

    def open(self, file: Found, options: Options) -> LatentModel:
        given, said = _read(file)
        _check_kind(file, given, said)
        state = renamed(given)
        plan = _plan(given, said, state)
        return stylegan2_model(file, options, title=TITLE, plan=plan, state=state, mean_W=given.get("mapping.w_avg"))

    def weights(self, file: Found) -> dict[str, Tensor]:
        return _read(file)[0]

    def descriptions(self, file: Found) -> dict[str, dict[str, Any]]:
        said = _read(file)[1]
        return {SAID: {name: said[name] for name in (CLAMP, RATE) if name in said}}


def _read(file: Found) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of the generator and the plain values its parts state, by name. Raises CheckpointError."""
    held = file.held(SAID)
    if held is not None:
        return read_state_dict(file), held
    reader = Reader()
    try:
        with file.path.open("rb") as opened:
            whole = reader.read(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        _check_names(file, whole)
        generator = next((found for key in GENERATORS if (found := entries(whole).get(key)) is not None), None)
        if generator is None:
            raise CheckpointError(f"{displayed(file.path)} holds no generator G_ema, but {_described(whole)}.")
        given, said = _contents(generator, Tensors(reader, file.size))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{displayed(file.path)} is a damaged StyleGAN pickle ({str(error)[:120]}). Copy or download it again."
        ) from None
    return given, said


def _check_names(file: Found, whole: Any) -> None:
    """Whether only what a StyleGAN needs is named anywhere in the file. Raises CheckpointError."""
    forbidden: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [whole]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Name) and value.whole not in ALLOWED:
            forbidden[value.whole[:60]] = None
        if not isinstance(value, Call | Table | list | tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Call | Table):
            waiting += [part for pair in value.pairs for part in pair]
        if isinstance(value, Call):
            waiting += [value.called, value.arguments, value.state, *value.elements]
        elif isinstance(value, list | tuple):
            waiting += value
    if forbidden:
        raise CheckpointError(
            f"{displayed(file.path)} asks for {few(list(forbidden), NAMES_SHOWN)}, which no StyleGAN2 needs and which "
            "could run code, so it is not opened. Nothing in it was run. Get it from where it was first published."
        )


def _contents(generator: Any, tensors: Tensors) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a module by name, and by the same names the plain values that its parts were left with."""
    given: dict[str, Tensor] = {}
    said: dict[str, Any] = {}
    for prefix, state in _modules(generator, "", 0, set()):
        for group in ("_parameters", "_buffers"):
            for name, value in entries(state.get(group)).items():
                made = tensors.tensor(value)
                if made is not None:
                    given[f"{prefix}{name}"] = made
                if len(given) > TENSORS_AT_MOST:
                    raise ValueError(f"it holds more than {TENSORS_AT_MOST:,} tensors")
        said |= {f"{prefix}{name}": value for name, value in state.items() if isinstance(value, int | float | str)}
    return given, said


def _modules(value: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    arguments = arguments_of(value, PERSISTENT)
    meta = entries(arguments[0]) if len(arguments) == 1 else {}
    if depth > DEPTH_AT_MOST or id(meta.get("state")) in seen:  # parts of a network are not shared
        return
    seen.add(id(meta.get("state")))
    state = entries(meta.get("state"))
    yield prefix, state | {"class": meta.get("class_name")}
    for name, part in entries(state.get("_modules")).items():
        yield from _modules(part, f"{prefix}{name}.", depth + 1, seen)


def _check_kind(file: Found, given: Mapping[str, Tensor], said: Mapping[str, Any]) -> None:
    shown = displayed(file.path)
    if any(name.startswith(("synthesis.L0_", "synthesis.input.")) for name in (*given, *said)):
        raise CheckpointError(
            f"{shown} is a StyleGAN3 (alias-free) generator; only the StyleGAN2 architecture is opened. "
            "Train or download one with cfg=stylegan2."
        )
    blocks = [name.split(".")[1] for name in given if name.startswith("synthesis.b") and name.endswith("conv1.weight")]
    if "synthesis.b4.const" not in given or "mapping.fc0.weight" not in given or not blocks:
        raise CheckpointError(
            f"{shown} holds a {str(said.get('class'))[:40]} that is no StyleGAN2 generator, or parts of one. "
            "Copy or download the whole file again."
        )
    skips = any(f"synthesis.{block}.skip.weight" in given for block in blocks)
    if skips or any(f"synthesis.{block}.torgb.weight" not in given for block in blocks):
        raise CheckpointError(
            f"{shown} is a StyleGAN2 with residual or plain blocks; only generators with output skips, the usual "
            "ones, are opened."
        )
    active = {str(value) for name, value in said.items() if name.endswith(".activation")} - {"lrelu", "linear"}
    if active:
        raise CheckpointError(
            f"{shown} uses {', '.join(sorted(active))[:60]} between its layers; leaky ReLU is needed."
        )


def renamed(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under our names."""
    state = {"const": given["synthesis.b4.const"]}
    for kind in ("weight", "bias"):
        if f"mapping.embed.{kind}" in given:
            state[f"mapping.embed.{kind}"] = given[f"mapping.embed.{kind}"]
    for index in range(_mappings(given)):
        for kind in ("weight", "bias"):
            state[f"mapping.layers.{index}.{kind}"] = given[f"mapping.fc{index}.{kind}"]
    level, index = 0, 0
    while f"synthesis.b{4 * 2**level}.conv1.weight" in given and level < 12:
        block = f"synthesis.b{4 * 2**level}"
        for conv in ("conv0", "conv1") if level else ("conv1",):
            for theirs, ours in LAYER_PARTS.items():
                if f"{block}.{conv}.{theirs}" in given:
                    state[f"layers.{index}.{ours}"] = given[f"{block}.{conv}.{theirs}"]
            if f"layers.{index}.noise" not in state:  # a generator trained without
                side = 4 * 2**level
                state[f"layers.{index}.noise"], state[f"layers.{index}.strength"] = (
                    torch.zeros(side, side),
                    torch.zeros(()),
                )
            if conv == "conv0":
                state[f"layers.{index}.filter"] = given[f"{block}.conv0.resample_filter"] * 4
            index += 1
        for theirs, ours in PICTURE_PARTS.items():
            state[f"pictures.{level}.{ours}"] = given[f"{block}.torgb.{theirs}"]
        if level:
            state[f"pictures.{level}.filter"] = given[f"{block}.resample_filter"] * 4
        level += 1
    return state


def _plan(given: Mapping[str, Tensor], said: Mapping[str, Any], state: Mapping[str, Tensor]) -> Plan:
    embed = given.get("mapping.embed.weight")
    embedded, classes = (0, 0) if embed is None else (embed.shape[0], embed.shape[1])
    layers = sum(1 for name in state if name.startswith("layers.") and name.endswith(".affine.bias"))
    clamp, rate = said.get(CLAMP), said.get(RATE, MAPPING_RATE)
    if not isinstance(rate, int | float) or not 0 < rate <= 1 or not math.isfinite(rate):
        raise ValueError(f"it states the rate {str(rate)[:40]} of its mapping")
    return Plan(
        z_dim=state["mapping.layers.0.weight"].shape[1] - embedded,
        mapping=tuple(len(state[f"mapping.layers.{index}.weight"]) for index in range(_mappings(given))),
        channels=(len(state["const"]), *(len(state[f"layers.{index}.weight"]) for index in range(layers))),
        pictures=len(state["pictures.0.weight"]),
        taps=len(state.get("layers.1.filter", torch.zeros(4, 4))),
        classes=classes,
        embedded=embedded,
        clamp=float(clamp) if isinstance(clamp, int | float) and clamp > 0 else math.inf,
        rate=float(rate),
    )


def _mappings(given: Mapping[str, Tensor]) -> int:
    return next(index for index in range(65) if f"mapping.fc{index}.weight" not in given)


def _described(whole: Any) -> str:
    keys = ", ".join(key[:20] for key in list(entries(whole))[:4])
    return f"a table with the keys {keys}" if keys else "something else"
