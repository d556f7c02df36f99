"""The processes that train one run together: each takes its rows of every batch, and gradients are averaged.

Lightning Fabric starts and joins them (docs/decisions/0015-several-processes.md); a run of one process imports none of
it. Shapes: B pictures of a batch, all processes together.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from latentlab.core.errors import OptionError
from latentlab.models.device import chosen_device
from training.config import TrainingConfig
from training.launching import wanted

PATIENCE = timedelta(hours=24)  # the others wait while the first one judges, draws sheets and saves


@dataclass(frozen=True)
class Processes:
    """One of `count` processes of a run. The first one alone writes and prints."""

    rank: int = 0
    count: int = 1
    device: torch.device | None = None  # this one's; None: what the configuration names
    group: Any = None  # of all, on the CPU: asking each other need not wait for the device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def own(self, chosen_B: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a batch that are this process's."""
        each = len(chosen_B) // self.count
        return chosen_B[self.rank * each : (self.rank + 1) * each]

    def drawing(self) -> AbstractContextManager[Any]:
        """While entered, random numbers of a batch are drawn as one process would draw them."""
        return nullcontext() if self.count == 1 else RowsOfAll(self.rank, self.count)

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor]) -> None:
        """Each becomes its mean over the processes; all travel as one."""
        if self.count == 1:
            return
        mine = list(tensors)
        if not mine:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in mine])
        dist.all_reduce(flat, group=self.group if flat.device.type == "cpu" else None)
        flat /= self.count
        parts = torch.split(flat, [tensor.numel() for tensor in mine])
        for tensor, part in zip(mine, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def any(self, mine: Sequence[bool]) -> list[bool]:
        """For each flag whether any process has raised it."""
        if self.count == 1:
            return list(mine)
        raised = torch.tensor([int(flag) for flag in mine])
        dist.all_reduce(raised, dist.ReduceOp.MAX, group=self.group)
        return [bool(flag) for flag in raised.tolist()]

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """What the first process makes for all, a download say, is there when the others come to it."""
        if self.count > 1 and not self.first:
            dist.barrier(group=self.group)
        yield
        if self.count > 1 and self.first:
            dist.barrier(group=self.group)

    def leave(self) -> None:
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


ALONE = Processes()


def is_lost(error: RuntimeError) -> bool:
    """Whether the error says that another process has gone."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def launched(config: TrainingConfig) -> Processes:
    """Starts, or joins, the processes the configuration asks for. Raises OptionError."""
    devices, nodes = wanted(config, os.environ)
    count = devices * nodes
    if count == 1:
        return ALONE
    device = chosen_device(config.device)
    check_devices(device, devices)
    if config.batch_size % count or config.batch_size < 2 * count:
        raise OptionError(
            f"A batch of {config.batch_size} cannot be shared by {count} processes; choose a multiple of {count} "
            f"that is at least {2 * count}."
        )
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    strategy = DDPStrategy(timeout=PATIENCE)
    fabric = Fabric(accelerator=device.type, devices=devices, num_nodes=nodes, strategy=strategy)
    fabric.launch()
    return Processes(fabric.global_rank, fabric.world_size, fabric.device, dist.new_group(backend="gloo"))


def check_devices(device: torch.device, count: int) -> None:
    """Raises OptionError where this machine has fewer."""
    if device.type == "mps" and count > 1:
        raise OptionError(f"--devices {count}: there is one MPS device; leave --devices out.")
    if device.type == "cuda" and count > torch.cuda.device_count():
        raise OptionError(f"--devices {count}: this machine has {torch.cuda.device_count()} CUDA devices.")
    if device.index is not None and count > 1:
        raise OptionError(f"--device {device} is one device; with --devices {count} say --device {device.type}.")


class RowsOfAll(TorchFunctionMode):
    """What is drawn row by row is drawn for all processes, and each keeps its own rows.

    All processes have the same random state, so that one process with the whole batch would see the same numbers.
    Draws without dimensions, and from a generator of one's own, are the same in every process.
    """

    def __init__(self, rank: int, count: int) -> None:
        super().__init__()
        self.rank = rank
        self.count = count

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if kwargs.get("generator") is None:
            if func in LIKE and args[0].ndim:
                return self._own(func(self._whole(args[0]), *args[1:], **kwargs))
            if func in IN_PLACE and args[0].ndim:
                return args[0].copy_(self._own(func(self._whole(args[0]), *args[1:], **kwargs)))
            if func in SIZED:
                return self._sized(func, args, kwargs)
            if func is F.dropout:
                return self._dropped(*args, **kwargs)
        return func(*args, **kwargs)

    def _sized(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bounds = [value for value in args if func is torch.randint and isinstance(value, int)]
        size = kwargs.pop("size", None)
        if size is None:
            sizes = [value for value in args if not isinstance(value, int)]
            size = sizes[0] if sizes else args
        if not len(size):
            return func(*bounds, size, **kwargs)
        return self._own(func(*bounds, (size[0] * self.count, *size[1:]), **kwargs))

    def _dropped(self, values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or not p:
            return values
        kept = self._own(torch.rand_like(self._whole(values), dtype=torch.float32)) >= p
        return values * kept / (1 - p) if p < 1 else values * 0

    def _whole(self, values: Tensor) -> Tensor:
        """As many rows as all processes have; their layout in memory is kept, since numbers are drawn along it."""
        return torch.cat([values.detach()] * self.count)

    def _own(self, whole: Tensor) -> Tensor:
        each = len(whole) // self.count
        return whole[self.rank * each : (self.rank + 1) * each]


LIKE: set[Any] = {torch.randn_like, torch.rand_like, torch.randint_like, torch.bernoulli}
SIZED: set[Any] = {torch.randn, torch.rand, torch.randint}
IN_PLACE: set[Any] = {
    Tensor.normal_,
    Tensor.uniform_,
    Tensor.bernoulli_,
    Tensor.random_,
    Tensor.exponential_,
}
