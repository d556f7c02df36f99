"""Work on many rows where memory may not suffice: in halves, then on the CPU.

As `TorchModel` does with pictures it decodes, for what goes to its network directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from latentlab.core.errors import Failure
from latentlab.models.torch_model import NO_MEMORY_ON_CPU, TorchModel

Result = TypeVar("Result")


def in_memory(
    model: TorchModel, count: int, work: Callable[[slice], Result], say: Callable[[str], object] = lambda _text: None
) -> list[Result]:
    """What `work` gives for all `count` rows at once, or for parts of them, in order, where memory does not suffice.

    `work` must look for `model.device` each time: a single row that does not fit moves the model to the CPU. `say`
    hears of each step back once. Raises Failure where the CPU's memory is full too.
    """
    return _in_halves(model, slice(0, count), work, say, set())


def _in_halves(
    model: TorchModel, rows: slice, work: Callable[[slice], Result], say: Callable[[str], object], said: set[str]
) -> list[Result]:
    try:
        return [work(rows)]
    except torch.OutOfMemoryError:
        pass  # leave the handler first: the exception keeps the tensors of the attempt alive
    except RuntimeError as error:
        if NO_MEMORY_ON_CPU not in str(error):
            raise
        raise _failure() from None
    torch.cuda.empty_cache()
    count = rows.stop - rows.start
    if count == 1 and model.device.type == "cpu":
        raise _failure()
    text = (
        f"The memory of {model.device} is full; going on with fewer at a time."
        if count > 1
        else f"The memory of {model.device} is full; going on with the CPU."
    )
    if text not in said:
        said.add(text)
        say(text)
    if count == 1:
        model.device = torch.device("cpu")
        model.network.to(model.device)
        return _in_halves(model, rows, work, say, said)
    middle = rows.start + count // 2
    first = _in_halves(model, slice(rows.start, middle), work, say, said)
    return first + _in_halves(model, slice(middle, rows.stop), work, say, said)


def _failure() -> Failure:
    return Failure("The memory was full before this was done. Close other programs, or take a smaller model.")
