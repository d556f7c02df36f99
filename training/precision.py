"""Which number format a run uses, found out once; autocast and gradient scaling for it.

bfloat16 is used on a CPU only where it was measured to be faster: emulated, it is many times slower than float32.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

GAIN_NEEDED = 1.15  # below this, bfloat16 only costs digits
FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Precision:
    """`name` is float32, bfloat16 or float16; the last needs a scaler, whose state belongs to the run."""

    device: torch.device
    name: str
    scaler: torch.amp.GradScaler | None = None

    @classmethod
    def choose(cls, device: torch.device, wanted: str = "auto") -> Precision:
        name = wanted
        if wanted == "auto":
            name = "float32"
            if device.type == "cuda":
                name = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
            elif device.type == "cpu" and bfloat16_gain() >= GAIN_NEEDED:
                name = "bfloat16"
        scaler = torch.amp.GradScaler(device.type) if name == "float16" and device.type != "cpu" else None
        return cls(device, name, scaler)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, FORMATS[self.name], enabled=self.name != "float32")

    def step(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, network: nn.Module, clip: float | None = None
    ) -> Tensor | None:
        """Backward and one step of the optimiser; the norm of the gradient where it is clipped."""
        norm = None
        optimiser.zero_grad(set_to_none=True)
        (self.scaler.scale(loss) if self.scaler else loss).backward()  # type: ignore[no-untyped-call]
        if clip is not None:
            if self.scaler:
                self.scaler.unscale_(optimiser)
            norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
        if self.scaler:
            self.scaler.step(optimiser)
            self.scaler.update()
        else:
            optimiser.step()
        return norm

    def state_dict(self) -> dict[str, Any]:
        return {"name": self.name, "scaler": self.scaler.state_dict() if self.scaler else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scaler and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])


@cache
def bfloat16_gain() -> float:
    """How many times faster a convolution with its gradient is in bfloat16 on this CPU; measured once, some 0.1 s.

    The random state is left as it was, so that asking changes no run.
    """
    capability = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in capability and "SVE" not in capability:
        return 0.0
    with torch.random.fork_rng(devices=[]):
        conv = nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)
        images = torch.randn(16, 32, 32, 32).contiguous(memory_format=torch.channels_last)

    def seconds(enabled: bool) -> float:
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                out = conv(conv(images))
            out.float().square().mean().backward()
            times.append(time.perf_counter() - begin)
        return min(times[1:])

    return seconds(False) / seconds(True)
