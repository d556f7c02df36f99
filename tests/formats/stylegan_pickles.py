"""Pickles as stylegan2-ada-pytorch writes them: objects that are put together again from source code they bring along.

The modules the files name (`torch_utils.persistence`, `dnnlib.util`) exist here only while a file is written.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.formats.stylegan2_samples import FILTER, Sizes, Weights, random_weights

SOURCE = "raise SystemExit('the source in the file was run')"


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise AssertionError("a file was loaded, not read")


class EasyDict(dict[str, Any]):
    pass


class Persistent:
    """A module of theirs: parameters, buffers, parts, and values of its own."""

    def __init__(self, kind: str, **values: Any) -> None:
        self.kind = kind
        self.state: dict[str, Any] = {
            "training": False, "_parameters": OrderedDict(), "_buffers": OrderedDict(), "_modules": OrderedDict(),
            "_init_args": (), "_init_kwargs": EasyDict(w_dim=6), **values,
        }  # fmt: skip

    def parameter(self, name: str, value: Tensor) -> None:
        self.state["_parameters"][name] = nn.Parameter(value.clone())

    def buffer(self, name: str, value: Tensor) -> None:
        self.state["_buffers"][name] = value.clone()

    def part(self, name: str, part: Persistent) -> Persistent:
        self.state["_modules"][name] = part
        return part

    def __reduce__(self) -> Any:
        meta = EasyDict(type="class", version=6, module_src=SOURCE, class_name=self.kind, state=self.state)
        return _reconstruct_persistent_obj, (meta,)


@contextlib.contextmanager
def their_modules() -> Iterator[None]:
    """What a pickle checks when it writes a name down: that it can be imported, and is the same."""
    persistence, util = types.ModuleType("torch_utils.persistence"), types.ModuleType("dnnlib.util")
    persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    util.EasyDict = EasyDict  # type: ignore[attr-defined]
    before = (_reconstruct_persistent_obj.__module__, EasyDict.__module__)
    packages = {name: types.ModuleType(name) for name in ("torch_utils", "dnnlib")}
    added = {**packages, "torch_utils.persistence": persistence, "dnnlib.util": util}
    sys.modules.update(added)
    _reconstruct_persistent_obj.__module__, EasyDict.__module__ = "torch_utils.persistence", "dnnlib.util"
    try:
        yield
    finally:
        _reconstruct_persistent_obj.__module__, EasyDict.__module__ = before
        for name in added:
            del sys.modules[name]


def affine(owner: Persistent, weights: Weights, key: str) -> None:
    part = owner.part("affine", Persistent("FullyConnectedLayer", activation="linear", bias_gain=1))
    part.parameter("weight", weights[f"{key}.affine.weight"])
    part.parameter("bias", weights[f"{key}.affine.bias"])


def as_persistent(weights: Weights, clamp: float | None = None) -> Persistent:
    """The generator in their layout."""
    whole = Persistent("Generator", z_dim=5, c_dim=0)
    mapping = whole.part("mapping", Persistent("MappingNetwork", num_ws=6))
    if "embed.weight" in weights:
        embed = mapping.part("embed", Persistent("FullyConnectedLayer", activation="linear", bias_gain=1))
        embed.parameter("weight", weights["embed.weight"])
        embed.parameter("bias", weights["embed.bias"])
    for index in range(len([name for name in weights if name.startswith("map")]) // 2):
        layer = mapping.part(f"fc{index}", Persistent("FullyConnectedLayer", activation="lrelu", bias_gain=0.01))
        layer.parameter("weight", weights[f"map{index}.weight"])
        layer.parameter("bias", weights[f"map{index}.bias"])
    mapping.buffer("w_avg", torch.arange(float(len(weights["map0.weight"]))))
    synthesis = whole.part("synthesis", Persistent("SynthesisNetwork"))
    side = 4
    while f"at{side}.b.weight" in weights:
        block = synthesis.part(f"b{side}", Persistent("SynthesisBlock", resolution=side))
        block.buffer("resample_filter", FILTER)
        if side == 4:
            block.parameter("const", weights["const"])
        for name, theirs in (("a", "conv0"), ("b", "conv1")):
            key = f"at{side}.{name}"
            if f"{key}.weight" not in weights:
                continue
            layer = block.part(theirs, Persistent("SynthesisLayer", activation="lrelu", conv_clamp=clamp))
            layer.parameter("weight", weights[f"{key}.weight"].contiguous(memory_format=torch.channels_last))
            layer.parameter("noise_strength", weights[f"{key}.strength"])
            layer.parameter("bias", weights[f"{key}.bias"])
            layer.buffer("resample_filter", FILTER)
            layer.buffer("noise_const", weights[f"{key}.noise"])
            affine(layer, weights, key)
        picture = block.part("torgb", Persistent("ToRGBLayer", conv_clamp=clamp))
        picture.parameter("weight", weights[f"rgb{side}.weight"])
        picture.parameter("bias", weights[f"rgb{side}.bias"])
        affine(picture, weights, f"rgb{side}")
        side *= 2
    return whole


def dumped(content: Any, protocol: int = 4) -> bytes:
    with their_modules():
        return pickle.dumps(content, protocol)


def network_pickle(weights: Weights, protocol: int = 4, **others: Any) -> bytes:
    """What training writes: the generator, a discriminator, the averaged generator."""
    blank = as_persistent({name: torch.zeros_like(value) for name, value in weights.items()})
    judge = Persistent("Discriminator")
    content = {"G": blank, "D": judge, "G_ema": as_persistent(weights), "augment_pipe": None}
    return dumped(content | {"training_set_kwargs": EasyDict(path="x.zip", max_size=10)} | others, protocol)


def stylegan_pickle(path: Path) -> Path:
    path.write_bytes(network_pickle(random_weights(Sizes(channels=(5, 4)))))
    return path
