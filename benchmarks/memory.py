"""What memory a training run takes beyond its first step, and whether it slows down as it goes on.

Each case runs in a process of its own: imports, data, then training. Memory is the resident set; its peak is set back
after the first step, when data, networks, optimisers and the activations of a batch are there. What comes later is
evaluation, sheets, checkpoints, states to resume from, and whatever leaks. Speed is of epochs, the first tenth against
the last, by the wall and by the processor's time, which other programs disturb less. Linux only: /proc.

    python -m benchmarks.memory [--minutes 5] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.figures import arguments, finish, table, verdict

CASES = ("vae", "dcgan")
AT_MOST = 1.5  # times data, networks and optimisers
SLOWER_AT_MOST = 1.05
EPOCHS_AT_LEAST = 20
MB = 2**20


def resident(field: str) -> int:
    """Bytes: VmRSS now, VmHWM at most since the peak was set back."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def set_peak_back() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def bytes_of(value: Any) -> int:
    """Of every tensor in nested containers."""
    if isinstance(value, dict):
        return sum(bytes_of(part) for part in value.values())
    if isinstance(value, list):
        return sum(bytes_of(part) for part in value)
    return int(value.nbytes) if hasattr(value, "nbytes") else 0


def measure(family: str, images: int, minutes: float) -> dict[str, Any]:
    import torch

    import training.encode  # noqa: F401 - what a run imports at its end belongs to the imports
    from latentlab.core.errors import Interrupted
    from training.config import config_from
    from training.data import load
    from training.loop import train
    from training.recipes import defaults
    from training.reports import EpochReport, StepReport

    after_imports = resident("VmRSS")
    data = load("avatars", size=64, limit=images)
    found: dict[str, Any] = {"after_imports": after_imports}
    epochs: list[tuple[float, float]] = []
    began = time.perf_counter()
    last = (began, time.process_time())

    def on_step(report: StepReport) -> None:
        if report.step == 1:
            found["after_first_step"] = resident("VmRSS")
            set_peak_back()

    def on_epoch(report: EpochReport) -> None:
        nonlocal last
        now = (time.perf_counter(), time.process_time())
        epochs.append((report.seconds, now[1] - last[1]))
        last = now
        if now[0] - began > 60 * minutes and len(epochs) > EPOCHS_AT_LEAST:
            os.kill(os.getpid(), signal.SIGINT)

    values = defaults(family, "avatars", 64) | {"epochs": 1_000_000, "threads": torch.get_num_threads()}
    # Every epoch does the same work: an evaluation now and then would be one of the first tenth or of the last.
    config = config_from(**values | {"batch_size": 64, "schedule": "constant"})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        with suppress(Interrupted):
            train(config, data, out, on_step=on_step, on_epoch=on_epoch)
        found["peak"] = resident("VmHWM")
        state = torch.load(out / "resume" / "state.pt", weights_only=True)
    found |= {
        "data": data.images.nbytes,
        "networks": bytes_of(state["modules"]) + bytes_of(state["averaged"]),
        "optimisers": bytes_of(state["optimisers"]),
        "epochs": len(epochs),
        "slower_by_wall": slower([wall for wall, _ in epochs[1:]]),
        "slower_by_processor": slower([processor for _, processor in epochs[1:]]),
    }
    return found


def slower(seconds: list[float]) -> float:
    """The median of the last tenth over that of the first."""
    tenth = max(1, len(seconds) // 10)
    return statistics.median(seconds[-tenth:]) / statistics.median(seconds[:tenth])


def main() -> None:
    parser = arguments("Memory of training beyond the first step, and speed as it goes on.")
    parser.add_argument("--minutes", type=float, default=5.0, help="of each case (default: 5)")
    parser.add_argument("--images", type=int, default=2048, help="of 64 px (default: 2048)")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(chosen.case, chosen.images, chosen.minutes)))
        return
    figures: dict[str, Any] = {}
    rows, targets = [], []
    for case in chosen.only:
        options = ["--case", case, "--images", str(chosen.images), "--minutes", str(chosen.minutes)]
        command = [sys.executable, "-m", "benchmarks.memory", *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures[case] = found = json.loads(done.stdout.splitlines()[-1])
        needed = found["data"] + found["networks"] + found["optimisers"]
        beyond = (found["peak"] - found["after_first_step"]) / needed
        measured = ("data", "networks", "optimisers", "after_imports", "after_first_step", "peak")
        print(f"{case}: {beyond:.2f} times what is needed beyond the first step", flush=True)
        rows.append([case, *(round(found[name] / MB, 1) for name in measured), found["epochs"]])
        targets.append(verdict(f"{case}: peak beyond the first step / what is needed", beyond, AT_MOST))
        targets.append(verdict(f"{case}: last tenth / first, processor", found["slower_by_processor"], SLOWER_AT_MOST))
    header = ["MB", "data", "networks", "optimisers", "after imports", "after the first step", "peak", "epochs"]
    print(table(rows, header) + "\n\n" + table(targets, ["target", "measured", "wanted", "met"]))
    finish({"minutes": chosen.minutes, "images": chosen.images, "cases": figures}, chosen.out)


if __name__ == "__main__":
    main()
