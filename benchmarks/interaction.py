"""How soon a drag shows: slider and map drags at 120 Hz in the real window, beside the bare decoder in the same run.

For each event: from the moment it was due until a painted frame that shows it or a later one. Then the time from the
last event to the final picture, the processor time of the window's process for an event, and the worst gap between two
beats of the window's event loop, from its first one on. Each case runs in a process of its own: idle, and while t-SNE
of 10,000 encodings is computed and drawn.

    python -m benchmarks.interaction [--xcb] [--model FILE.safetensors ...] [--out FILE.json]

Shapes: N encodings, D latent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import arguments, finish, percentile, table, verdict
from latentlab.cli import WINDOW_ENVIRONMENT
from latentlab.core.bundled import bundled_models
from latentlab.core.checkpoint_file import read_encodings, read_header, read_weights, write_checkpoint
from latentlab.core.encodings import EncodingSet, Thumbnails

POINTS = 10_000
CASES = ("idle", "t-SNE")
# What a person feels as immediate: one frame of a 60 Hz screen.
FRAME_MS = 16.7
ABOVE_DECODER_MS = 5.0
FINAL_ABOVE_DECODER_MS = 20.0
HEARTBEAT_MS = 50.0

BARE = """
import json, sys, time
import numpy as np, torch
torch.set_num_threads(1)
import latentlab
model = latentlab.open_model(sys.argv[1], device="cpu")
count, rate_hz = int(sys.argv[2]), float(sys.argv[3])
latents = model.sample(count, seed=0)
for latent in latents[:20]:
    model.decode(latent)
def measured(paced):
    times, due = [], time.perf_counter()
    for latent in latents:
        due += 1 / rate_hz
        if paced:
            time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        model.decode(latent)
        times.append(1000 * (time.perf_counter() - begin))
    return times
print(json.dumps({"back_to_back": measured(False), "paced": measured(True)}))
"""


def with_many_encodings(source: Path, target: Path, count: int) -> None:
    """The same model with `count` encodings: its own, drawn again with a little noise."""
    encodings = read_encodings(source)
    if encodings is None:
        sys.exit(f"{source} carries no encodings, so there is no map to drag on; name another model.")
    rng = np.random.default_rng(0)
    drawn_N = rng.integers(0, len(encodings), count)
    noise_ND = 0.1 * encodings.latents.std(axis=0) * rng.standard_normal((count, encodings.dim))
    many = EncodingSet(
        latents=(encodings.latents[drawn_N] + noise_ND).astype(np.float32),
        space=encodings.space,
        labels=None if encodings.labels is None else encodings.labels[drawn_N],
        label_names=encodings.label_names,
        attributes=None if encodings.attributes is None else encodings.attributes[drawn_N],
        attribute_names=encodings.attribute_names,
        predicted=encodings.predicted,
        thumbnails=_drawn_again(encodings.thumbnails, drawn_N),
        pca=encodings.pca,
        kl_per_dimension=encodings.kl_per_dimension,
        samples=encodings.samples,
    )
    header = read_header(source)
    write_checkpoint(target, header.model_copy(update={"sha256": ""}), read_weights(source), many)


def _drawn_again(thumbnails: Thumbnails | None, drawn_N: np.ndarray[Any, Any]) -> Thumbnails | None:
    if thumbnails is None:
        return None
    coded = [thumbnails.coded(int(index)) for index in drawn_N]
    offsets = np.cumsum([0, *map(len, coded)]).astype(np.int64)
    return Thumbnails(np.frombuffer(b"".join(coded), np.uint8), offsets)


def bare_decoder(model: Path, rate_hz: float, seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each decode of one latent with nothing around it: back to back, and at the pace of the drags."""
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(model), str(round(rate_hz * seconds)), str(rate_hz)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def in_the_window(model: Path, case: str, chosen: Any, folder: Path) -> dict[str, Any]:
    """Runs one case in a process with an empty home and returns its figures."""
    out = folder / "case.json"
    home = Path(tempfile.mkdtemp(dir=folder))
    environment = WINDOW_ENVIRONMENT | os.environ
    environment |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "QT_QPA_PLATFORM": "xcb" if chosen.xcb else "offscreen",
    }
    command = [sys.executable, "-m", "benchmarks.dragging", str(model), "--case", case, "--case-out", str(out)]
    command += ["--rate", str(chosen.rate), "--seconds", str(chosen.seconds)]
    command += ["--repeats", str(chosen.repeats), "--settle", str(chosen.settle)]
    if chosen.xcb and "DISPLAY" not in os.environ:
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command]
    command += ["--began", str(time.monotonic())]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr}The window of the case '{case}' ended with status {done.returncode}.")
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def measured(model: Path, chosen: Any) -> dict[str, Any]:
    """The bare decoder before and after, and every case between."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = bare_decoder(model, chosen.rate, chosen.seconds)
        cases = {}
        for case in chosen.cases:
            opened = model
            if case == "t-SNE":
                opened = folder / "many.safetensors"
                with_many_encodings(model, opened, chosen.points)
            cases[case] = in_the_window(opened, case, chosen, folder)
        after = bare_decoder(model, chosen.rate, chosen.seconds)
    bare = {
        pace: {"p50_ms": percentile(times, 50), "p95_ms": percentile(times, 95)}
        for pace, times in ((pace, before[pace] + after[pace]) for pace in before)
    }
    return {"bare": bare, "cases": cases}


def rows(name: str, found: dict[str, Any]) -> tuple[list[list[object]], list[list[object]]]:
    """What was measured, and what of it meets its target."""
    figures: list[list[object]] = []
    targets: list[list[object]] = []
    paced = found["bare"]["paced"]
    for case, figure in found["cases"].items():
        for drag, seen in figure["drags"].items():
            title = f"{name}, {drag}, {case}"
            figures.append(
                [
                    title,
                    *(seen[name] for name in ("p50_ms", "p95_ms", "final_ms", "frames_per_second", "window_ms")),
                    paced["p95_ms"],
                ]
            )
            targets.append(verdict(f"{title}: p95, ms", seen["p95_ms"], paced["p95_ms"] + ABOVE_DECODER_MS))
            targets.append(verdict(f"{title}: p95, ms", seen["p95_ms"], FRAME_MS))
            final = paced["p50_ms"] + FINAL_ABOVE_DECODER_MS
            targets.append(verdict(f"{title}: last event to final picture, ms", seen["final_ms"], final))
        gap = figure["heartbeat"]["worst_ms"]
        targets.append(verdict(f"{name}, {case}: worst heartbeat gap, ms", gap, HEARTBEAT_MS))
    return figures, targets


def main() -> None:
    parser = arguments("Drags in the real window beside the bare decoder.")
    parser.add_argument("--model", type=Path, action="append", help="default: every bundled model")
    parser.add_argument("--xcb", action="store_true", help="a real X server (Xvfb where DISPLAY is not set)")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--points", type=int, default=POINTS, help="encodings on the map of the t-SNE case")
    parser.add_argument("--rate", type=float, default=120.0, help="events per second")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one drag")
    parser.add_argument("--repeats", type=int, default=3, help="drags of each kind")
    parser.add_argument("--settle", type=float, default=10.0, help="seconds of the process before the first drag")
    chosen = parser.parse_args()
    models = chosen.model or bundled_models()
    if not models:
        parser.error("there is no bundled model; name one with --model")

    figures: dict[str, Any] = {}
    seen, targets = [], []
    for model in models:
        figures[model.stem] = found = measured(model.resolve(), chosen)
        of_model, targets_of_model = rows(model.stem, found)
        seen += of_model
        targets += targets_of_model
        print(f"{model.stem}: measured", flush=True)
    header = [
        "drag",
        "p50, ms",
        "p95, ms",
        "last event to final, ms",
        "frames/s",
        "window's work, ms",
        "bare decoder p95, ms",
    ]
    print("\n" + table(seen, header) + "\n\n" + table(targets, ["target", "measured", "wanted", "met"]))
    finish({"platform": "xcb" if chosen.xcb else "offscreen", "rate_hz": chosen.rate, "models": figures}, chosen.out)


if __name__ == "__main__":
    main()
