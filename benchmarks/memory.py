"""What memory a training run takes beyond its first step, and whether it slows down as it goes on.

Each case runs in a process of its own: imports, data, then training, which is interrupted after some minutes, resumed
and brought to its end: a map of encodings (of a GAN also an inverter and a classifier). Memory is the resident set;
its peak is set back after the first step, when imports, data, networks, optimisers and the feature maps of a batch are
there. What is measured is how far the process ever goes beyond that, by evaluation, sheets, checkpoints, states,
resuming, encoding, leaks and gaps in the heap, and it is compared with the bytes of data, networks (averaged ones
too) and optimisers. The gaps do not grow with the data: of a few hundred pictures they are the larger part.

Speed is of epochs, the first tenth against the last, by the wall and by the processor's time, which other programs
disturb less; memory of the same tenths stands beside. It needs many epochs, so few pictures. With --fresh the same run
is begun anew beside the last tenth of the minutes, and the old one is compared with it: what else the machine does
then, it does to both. Linux only: /proc.

    python -m benchmarks.memory [--minutes 2] [--out FILE.json]
    python -m benchmarks.memory --only vae --minutes 60 --images 512 --no-end --fresh
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
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import arguments, finish, table, verdict

if TYPE_CHECKING:
    from training.config import TrainingConfig

CASES = ("vae", "dcgan")
AT_MOST = 1.5  # times data, networks and optimisers
SLOWER_AT_MOST = 1.05
EPOCHS_AT_LEAST = 20  # for a tenth of them to say anything
EPOCHS_FRESH_AT_LEAST = 3
WIDTH = {"vae": 32, "dcgan": 16}
MB = 2**20
MEASURED = ("data", "networks", "optimisers", "after_imports", "after_first_step", "peak_of_epochs", "peak")
TARGET = ("target", "measured", "wanted", "met")


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


def configured(family: str) -> TrainingConfig:
    import torch

    from training.config import config_from
    from training.recipes import defaults

    values = defaults(family, "avatars", 64) | {"epochs": 1_000_000, "threads": torch.get_num_threads()}
    values["architecture"] = values["architecture"] | {"width": WIDTH[family]}
    # Every epoch does the same work: an evaluation now and then would be one of the first tenth or of the last.
    return config_from(**values | {"batch_size": 64, "schedule": "constant"})


def measure(family: str, images: int, minutes: float, *, to_the_end: bool) -> dict[str, Any]:
    import torch

    import training.encode  # noqa: F401 - what a run imports at its end belongs to the imports
    from latentlab.core.errors import Interrupted
    from training.data import load
    from training.loop import train
    from training.reports import EpochReport, StepReport

    found: dict[str, Any] = {"after_imports": resident("VmRSS")}
    data = load("avatars", size=64, limit=images)
    epochs: list[tuple[float, float, int]] = []
    ended_s: list[float] = []  # by the clock of the machine, which all processes share
    began = time.perf_counter()
    last = (began, time.process_time())

    def on_step(report: StepReport) -> None:
        if report.step == 1:
            found["after_first_step"] = resident("VmRSS")
            set_peak_back()

    def on_epoch(report: EpochReport) -> None:
        nonlocal last
        now = (time.perf_counter(), time.process_time())
        epochs.append((report.seconds, now[1] - last[1], resident("VmRSS")))
        ended_s.append(time.monotonic())
        last = now
        if now[0] - began > 60 * minutes:
            os.kill(os.getpid(), signal.SIGINT)

    config = configured(family)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        with suppress(Interrupted):
            train(config, data, out, on_step=on_step, on_epoch=on_epoch)
        found["peak_of_epochs"] = resident("VmHWM")
        if to_the_end:
            train(config.model_copy(update={"epochs": len(epochs) + 1}), data, out, resume=True)
        found["peak"] = resident("VmHWM")
        state = torch.load(out / "resume" / "state.pt", weights_only=True)
    found |= {
        "data": data.images.nbytes,
        "networks": bytes_of(state["modules"]) + bytes_of(state["averaged"]),
        "optimisers": bytes_of(state["optimisers"]),
        "epochs": len(epochs),
        "each": [(end_s, used_s) for end_s, (_, used_s, _) in zip(ended_s, epochs, strict=True)][1:],
        "images_per_epoch": len(data.split(config.seed, config.held_out)[0]) // 64 * 64,
    }
    if len(epochs) > EPOCHS_AT_LEAST:
        wall, processor, memory = (tenths(column[1:]) for column in zip(*epochs, strict=True))
        found |= {"wall_s": wall, "processor_s": processor, "resident": memory}
    return found


def tenths(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first tenth and of the last."""
    tenth = max(1, len(values) // 10)
    return statistics.median(values[:tenth]), statistics.median(values[-tenth:])


def beside(old: dict[str, Any], fresh: dict[str, Any]) -> tuple[float, float]:
    """Processor milliseconds a picture, medians, of the fresh run and of the old one in the same minutes."""
    if len(fresh["each"]) < EPOCHS_FRESH_AT_LEAST:
        sys.exit(f"Beside the old run the fresh one got as far as {fresh['epochs']} epochs; give both more --minutes.")
    begin_s, end_s = fresh["each"][0][0], fresh["each"][-1][0]
    same = [used_s for at_s, used_s in old["each"] if begin_s <= at_s <= end_s]
    new = [used_s for _, used_s in fresh["each"]]
    images = old["images_per_epoch"]
    return 1000 * statistics.median(new) / images, 1000 * statistics.median(same) / images


def as_rows(case: str, found: dict[str, Any]) -> tuple[list[list[object]], list[list[object]]]:
    """(of speed as it goes on, of targets)"""
    needed = found["data"] + found["networks"] + found["optimisers"]
    beyond = (found["peak"] - found["after_first_step"]) / needed
    targets = [verdict(f"{case}: peak beyond the first step / what is needed", beyond, AT_MOST)]
    if "processor_s" not in found:
        return [], targets
    per_image = [1000 * seconds / found["images_per_epoch"] for seconds in found["processor_s"]]
    memory = [round(size / MB) for size in found["resident"]]
    targets.append(verdict(f"{case}: last tenth / first, processor", per_image[1] / per_image[0], SLOWER_AT_MOST))
    return [[case, found["epochs"], *per_image, *memory]], targets


def in_a_process(case: str, chosen: argparse.Namespace, minutes: float) -> dict[str, Any]:
    """What `measure` found; with --fresh also, as "fresh", what it found in a process begun when a tenth was left."""

    def begun(minutes: float) -> subprocess.Popen[str]:
        options = ["--case", case, "--images", str(chosen.images), "--minutes", str(minutes)]
        command = [sys.executable, "-m", "benchmarks.memory", *options, *(["--no-end"] if chosen.no_end else [])]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
        said, _ = process.communicate()
        if process.returncode:
            sys.exit(f"The run of the case '{case}' ended with status {process.returncode}.")
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        return found

    process = begun(minutes)
    if not chosen.fresh:
        return ended(process)
    time.sleep(0.9 * 60 * minutes)
    fresh = begun(0.1 * minutes)
    return ended(process) | {"fresh": ended(fresh)}


def main() -> None:
    parser = arguments("Memory of training beyond the first step, and speed as it goes on.")
    parser.add_argument("--minutes", type=float, default=2.0, help="of each case's epochs (default: 2)")
    parser.add_argument("--images", type=int, default=4096, help="of 64 px (default: 4096)")
    parser.add_argument("--no-end", action="store_true", help="leave out resuming, and what comes after the last epoch")
    parser.add_argument("--fresh", action="store_true", help="the same run anew beside the last tenth, to compare with")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(chosen.case, chosen.images, chosen.minutes, to_the_end=not chosen.no_end)))
        return
    figures: dict[str, Any] = {}
    rows: list[list[object]] = []
    speeds: list[list[object]] = []
    targets: list[list[object]] = []
    for case in chosen.only:
        figures[case] = found = in_a_process(case, chosen, chosen.minutes)
        rows.append([case, *(round(found[name] / MB, 1) for name in MEASURED)])
        speed, wanted = as_rows(case, found)
        if "fresh" in found:
            new, old = found["fresh_and_old_ms"] = beside(found, found.pop("fresh"))
            speed.append([f"{case}: fresh, last", found["epochs"], new, old, "", ""])
            wanted.append(verdict(f"{case}: last tenth / fresh beside it, processor", old / new, SLOWER_AT_MOST))
        speeds += speed
        targets += wanted
        print(table(wanted, TARGET), flush=True)
    print("\n" + table(rows, ["MB", *(name.replace("_", " ") for name in MEASURED)]))
    if speeds:
        print("\n" + table(speeds, ["first tenth, last", "epochs", "ms an image", "", "MB", ""]))
    print("\n" + table(targets, TARGET))
    finish({"minutes": chosen.minutes, "images": chosen.images, "cases": figures}, chosen.out)


if __name__ == "__main__":
    main()
