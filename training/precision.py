"""Which number format a run uses, found out once; autocast and gradient scaling for it.

bfloat16 is used on a CPU only where the processor has it: emulated, it is many times slower than float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.processes import ALONE, Processes

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Precision:
    """`name` is float32, bfloat16 or float16; the last needs a scaler, whose state belongs to the run."""

    device: torch.device
    name: str
    scaler: torch.amp.GradScaler | None = None
    processes: Processes = ALONE

    @classmethod
    def choose(cls, device: torch.device, wanted: str = "auto", processes: Processes = ALONE) -> Precision:
        name = wanted
        if wanted == "auto":
            name = "float32"
            if device.type == "cuda":
                name = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
            elif device.type == "cpu" and has_fast_bfloat16():
                name = "bfloat16"
        scaler = torch.amp.GradScaler(device.type) if name == "float16" and device.type != "cpu" else None
        return cls(device, name, scaler, processes)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, FORMATS[self.name], enabled=self.name != "float32")

    def step(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, network: nn.Module, clip: float | None = None
    ) -> Tensor | None:
        """Backward, then `move`."""
        optimiser.zero_grad(set_to_none=True)
        self.backward(loss)
        return self.move(optimiser, network, clip)

    def backward(self, loss: Tensor) -> None:
        """The gradient is added to what is there of other parts of the batch."""
        (self.scaler.scale(loss) if self.scaler else loss).backward()  # type: ignore[no-untyped-call]

    def move(self, optimiser: torch.optim.Optimizer, network: nn.Module, clip: float | None = None) -> Tensor | None:
        """The mean over the processes, one step of the optimiser; the gradient's norm where it is clipped."""
        norm = None
        if self.processes.count > 1:
            # What overflowed in one process is not finite in the mean: every scaler then skips the step.
            weights = [weight for group in optimiser.param_groups for weight in group["params"]]
            self.processes.average(weight.grad for weight in weights if weight.grad is not None)
        if clip is not None:
            if self.scaler:
                self.scaler.unscale_(optimiser)
            norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
        if self.scaler:
            self.scaler.step(optimiser)
            self.scaler.update()
        else:
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)  # the next forward pass has better use for the memory
        return norm

    def state_dict(self) -> dict[str, Any]:
        return {"name": self.name, "scaler": self.scaler.state_dict() if self.scaler else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scaler and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])


def has_fast_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AMX or AVX512-BF16), where autocast gains.

    By capability, not by timing: the same run on the same machine must give the same weights.
    """
    # Older torch cannot say; float32 then.
    capable: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capable.get("amx_bf16") or capable.get("avx512_bf16") or capable.get("bf16"))
