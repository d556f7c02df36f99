"""An ONNX graph as a torch module that onnxruntime runs: on the CPU, with bounded memory, without code of its own.

Shapes: B batch, C H W of images.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.core.atomic import displayed
from latentlab.core.errors import CheckpointError, Failure
from latentlab.formats.causes import LETTERS_AT_MOST, cause_of
from latentlab.formats.onnx_graph import Port

ARENA_BYTES = 4 << 30  # what one graph may hold while it runs
SILENT = 4  # onnxruntime's own messages go to the terminal otherwise


class Session:
    """A graph ready to run, fed by its one input."""

    def __init__(self, path: Path, given: Port) -> None:
        """Raises CheckpointError: onnxruntime is not installed, or refuses the graph."""
        runtime = _runtime(path)
        options = runtime.SessionOptions()
        options.log_severity_level = SILENT
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.load_model_format", "ONNX")  # never by the path's ending
        try:
            # Folding constants would run the graph before its memory is bounded.
            self._session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["ConstantFolding"],
                enable_fallback=False,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - onnxruntime has a dozen classes without a common one
            raise CheckpointError(f"{displayed(path)} is refused by onnxruntime: {_cause(error)}.") from None
        self._given = given
        self._batch = given.shape[0] if given.shape and _has_batch(given) else 1
        self.batched = _has_batch(given)

    def run(self, inputs: NDArray[Any], names: list[str] | None = None) -> list[NDArray[Any]]:
        """The named outputs, each with a batch axis (B, …), of inputs (B, …) of any number. Raises Failure."""
        inputs = inputs.astype(self._given.dtype, copy=False)
        size = self._batch or len(inputs)  # a graph may be exported for so many and no more
        pieces = [self._piece(inputs[start : start + size], size, names) for start in range(0, len(inputs), size)]
        return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]

    def _piece(self, inputs: NDArray[Any], size: int, names: list[str] | None) -> list[NDArray[Any]]:
        count = len(inputs)
        if count < size:
            inputs = np.concatenate([inputs, np.repeat(inputs[-1:], size - count, axis=0)])
        try:
            made = self._session.run(names, {self._given.name: inputs if self.batched else inputs[0]})
        except Exception as error:  # noqa: BLE001 - as above
            raise Failure(f"onnxruntime could not run the graph: {_cause(error)}.") from None
        arrays = [np.asarray(array) for array in made]
        return [self._with_batch(array, size)[:count] for array in arrays]

    def _with_batch(self, array: NDArray[Any], size: int) -> NDArray[Any]:
        if array.ndim and len(array) == size and (self.batched or array.ndim > 3):
            return array
        if size == 1:
            return array[None]
        raise Failure(f"An output of {array.shape} was given for {size} latents at once; one each is needed.")


class OnnxModule(nn.Module):
    """One output of a session: (B, *shape) in, float32 out, laid out as torch has it."""

    def __init__(self, session: Session, output: str, channels_last: bool) -> None:
        super().__init__()
        self.session = session
        self.output = output
        self.channels_last = channels_last

    def forward(self, latents: Tensor) -> Tensor:
        made = self.session.run(latents.detach().cpu().numpy(), [self.output])[0]
        images = torch.from_numpy(made.astype(np.float32, copy=False))
        return images.permute(0, 3, 1, 2) if self.channels_last else images


@lru_cache(maxsize=1)
def _bounded_runtime() -> Any:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    bounds = onnxruntime.OrtArenaCfg({"max_mem": ARENA_BYTES, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(place, bounds)
    return onnxruntime


def _runtime(path: Path) -> Any:
    try:
        return _bounded_runtime()
    except ImportError:
        raise CheckpointError(
            f"{displayed(path)} is an ONNX graph, and what runs those is not installed. Install the extra: "
            "python -m pip install 'latentlab[onnx]'"
        ) from None


def _has_batch(given: Port) -> bool:
    """A vector (D,) has no batch axis, (N, D) and (N, C, h, w) have one; of three sizes the first may be open or 1."""
    shape = given.shape or ()
    return len(shape) in (2, 4) or (len(shape) == 3 and shape[0] in (None, 1))


def _cause(error: Exception) -> str:
    return cause_of(error, 1000).rpartition("Status Message: ")[2].rstrip(". ")[:LETTERS_AT_MOST]
