"""Small files of the formats that are more than weights: ONNX graphs and PyTorch's own programs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

Values = Mapping[str, np.ndarray[Any, Any]]


def decoder(seed: int = 0, last: nn.Module | None = None) -> nn.Sequential:
    """6 numbers to pictures of 8 px."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(6, 80), nn.ReLU(), nn.Unflatten(1, (5, 4, 4)), nn.ConvTranspose2d(5, 3, 4, 2, 1), last or nn.Tanh()
    ).eval()  # fmt: skip


def graph_of(
    nodes: Sequence[onnx.NodeProto], inputs: Mapping[str, Sequence[Any]], outputs: Mapping[str, Sequence[Any]],
    weights: Values, types: Mapping[str, int] | None = None,
) -> onnx.ModelProto:  # fmt: skip
    """A model of nodes; `types` of ports that are not float32."""
    ports = [
        [helper.make_tensor_value_info(name, (types or {}).get(name, TensorProto.FLOAT), shape) for name, shape in side]
        for side in (inputs.items(), outputs.items())
    ]
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(list(nodes), "decoder", *ports, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def decoder_nodes(network: nn.Sequential) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray[Any, Any]]]:
    """`decoder`, as a graph from z to y without its last layer."""
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    return [
        helper.make_node("Gemm", ["z", "0.weight", "0.bias"], ["rows"], transB=1),
        helper.make_node("Relu", ["rows"], ["positive"]),
        helper.make_node("Reshape", ["positive", "map"], ["maps"]),
        helper.make_node(
            "ConvTranspose", ["maps", "3.weight", "3.bias"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1],
            kernel_shape=[4, 4],
        ),
    ], {**weights, "map": np.array([-1, 5, 4, 4], np.int64)}  # fmt: skip


def onnx_decoder(path: Path) -> Path:
    nodes, weights = decoder_nodes(decoder())
    nodes.append(helper.make_node("Tanh", ["y"], ["picture"]))
    model = graph_of(nodes, {"z": ["N", 6]}, {"picture": ["N", 3, 8, 8]}, weights)
    path.write_bytes(model.SerializeToString())
    return path


def quietly(make: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and files of it are what is tested
        make()


def torchscript(path: Path, network: nn.Module | None = None) -> Path:
    quietly(lambda: torch.jit.script(network or decoder()).save(str(path)))
    return path


def exported(path: Path, network: nn.Module | None = None, batch: int | None = None) -> Path:
    """For any number of latents, or for `batch` at once."""
    example = torch.zeros(batch or 2, 6)
    shapes = None if batch else ({0: torch.export.Dim("b", min=1)},)
    quietly(
        lambda: torch.export.save(
            torch.export.export(network or decoder(), (example,), dynamic_shapes=shapes), path.open("wb")
        )
    )
    return path
