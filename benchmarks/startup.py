"""How soon there is something to see: the map and the first picture, beside the import of torch alone.

Alternates `python -c "import torch"` with the window, several times, each in a new process with an empty home. The
window writes what happened when to the file that LATENTLAB_TIMELINE names. The window's process is looked at for
torch's libraries while it runs: it must never have loaded them.

    python -m benchmarks.startup [--xcb] [--runs 5] [--out FILE.json]
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import arguments, finish, spread, table, verdict

MAP, PICTURE = "map painted", "first picture painted"  # events of the timeline
WAIT_S = 60.0
MAP_SHARE = 0.5  # of the import of torch
PICTURE_AFTER_S = 0.3  # the import of torch


def import_of_torch() -> float:
    """Seconds of a whole process that imports torch and ends."""
    begin_s = time.time()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.time() - begin_s


def start_of_window(model: Path | None, xcb: bool) -> dict[str, Any]:
    """Seconds from the start of the process to each event of its timeline, and whether it loaded torch."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        timeline = home / "timeline"
        environment = os.environ | {
            "HOME": name,
            "XDG_CONFIG_HOME": f"{name}/config",
            "XDG_DATA_HOME": f"{name}/data",
            "XDG_CACHE_HOME": f"{name}/cache",
            "XDG_STATE_HOME": f"{name}/state",
            "QT_QPA_PLATFORM": "xcb" if xcb else "offscreen",
            "LATENTLAB_TIMELINE": str(timeline),
        }
        command = [sys.executable, "-m", "latentlab", *([str(model)] if model else [])]
        begin_s = time.time()
        said = home / "said"
        with said.open("wb") as errors:
            window = subprocess.Popen(command, env=environment, cwd=name, stderr=errors)
        try:
            seen = _followed(timeline, window, said)
            torch_loaded = _has_loaded_torch(window.pid)
        finally:
            window.send_signal(signal.SIGINT)
            window.wait(timeout=10)
        return {"seconds": {event: at_s - begin_s for event, at_s in seen.items()}, "torch_loaded": torch_loaded}


def _followed(timeline: Path, window: subprocess.Popen[bytes], said: Path) -> dict[str, float]:
    """The timeline once the first picture is in it: moments of time.time."""
    end_s = time.time() + WAIT_S
    while time.time() < end_s and window.poll() is None:
        if timeline.exists():
            events = [json.loads(line) for line in timeline.read_text(encoding="utf-8").splitlines()]
            seen = {event["event"]: float(event["time"]) for event in events}
            if PICTURE in seen:
                return seen
        time.sleep(0.05)
    raise SystemExit(f"{said.read_text()}No picture was painted within {WAIT_S:g} s (exit status {window.poll()}).")


def _has_loaded_torch(process: int) -> bool | None:
    """None where the system does not tell."""
    try:
        return "libtorch" in Path(f"/proc/{process}/maps").read_text(encoding="utf-8")
    except OSError:
        return None


def main() -> None:
    parser = arguments("The start of the window beside the import of torch.")
    parser.add_argument("--model", type=Path, help="default: the bundled one")
    parser.add_argument("--xcb", action="store_true", help="a real X server: run under xvfb-run or on a screen")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()

    start_of_window(chosen.model, chosen.xcb)  # once each, unmeasured: files come into the system's cache
    import_of_torch()
    torch_s, windows = [], []
    for _ in range(chosen.runs):
        torch_s.append(import_of_torch())
        windows.append(start_of_window(chosen.model, chosen.xcb))
    names = windows[0]["seconds"]
    seconds = {name: [window["seconds"][name] for window in windows] for name in names}
    of_torch = statistics.median(torch_s)
    rows = [["import torch (whole process)", *spread(torch_s).values()]]
    rows += [[f"window: {name}", *spread(values).values()] for name, values in seconds.items()]
    loaded = [window["torch_loaded"] for window in windows]
    targets = [
        verdict("map painted, s", statistics.median(seconds[MAP]), round(MAP_SHARE * of_torch, 3)),
        verdict("first picture, s", statistics.median(seconds[PICTURE]), round(of_torch + PICTURE_AFTER_S, 3)),
        ["torch in the window's process", loaded.count(True), "never", "NO" if any(loaded) else "yes"],
    ]
    print(table(rows, ["", "median, s", "min, s", "max, s"]) + "\n")
    print(table(targets, ["target", "measured", "wanted", "met"]))
    figures = {
        "import_torch_s": torch_s,
        "window_s": seconds,
        "torch_loaded": loaded,
        "platform": "xcb" if chosen.xcb else "offscreen",
    }
    finish(json.loads(json.dumps(figures)), chosen.out)


if __name__ == "__main__":
    main()
