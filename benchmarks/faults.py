"""How often a promise about faults is kept, where once is not enough: closed windows, killed saves, full disks.

The window is closed at a hundred moments of each thing it can be doing, every save is killed at forty of its moments,
and every file is written to a disk of 256 KB that is full at first, in the middle or near its end.

    python -m benchmarks.faults [--closings 100] [--kills 40] [--only closing,kill,disk] [--of t-SNE,MP4] [--out FILE]
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.closing import ACTIVITIES, WITHIN_S, Closed, closings
from benchmarks.figures import arguments, finish, percentile, table
from benchmarks.saving import SAVES, Save, Zygote, kept_on_a_full_disk, killed, tiny_disk
from latentlab.core.bundled import DEFAULT, assets_folder

PARTS = ("closing", "kill", "disk")
SHARES = (0.0, 0.25, 0.5, 0.75, 0.95)  # of the new file for which there is room
Row = list[object]


def closing_row(name: str, found: list[Closed]) -> Row:
    kept = sum(one.kept and one.seconds <= WITHIN_S for one in found)
    seconds = [one.seconds for one in found]
    return [f"window closed: {name}", len(found), kept, f"{percentile(seconds, 50):.2f}, {max(seconds):.2f} s"]


def kill_row(zygote: Zygote, save: Save, times: int, scratch: Path) -> Row:
    folder = scratch / f"{save.name} killed"
    folder.mkdir()
    found = killed(zygote, save, folder, scratch, times)
    return [f"kill -9: {save.name}", times, found.old + found.new, f"{found.old} old, {found.new} new"]


def disk_row(save: Save, scratch: Path) -> Row | None:
    """None where no disk can be mounted."""
    disk, wrong = scratch / f"{save.name} disk", []
    disk.mkdir()
    for share in SHARES:
        room = scratch / f"{save.name} {share}"
        room.mkdir()
        with tiny_disk(disk) as mounted:
            if not mounted:
                return None
            wrong += [said] if (said := kept_on_a_full_disk(save, disk, room, share)) else []
    return [f"full disk: {save.name}", len(SHARES), len(SHARES) - len(wrong), "; ".join(sorted(set(wrong)))]


def chosen_of(names: list[str], text: str) -> list[str]:
    wanted = text.split(",") if text else names
    return [name for name in names if name in wanted]


def main() -> None:
    parser = arguments("How often promises about faults are kept.")
    parser.add_argument("--closings", type=int, default=100, help="of the window, during each thing it can be doing")
    parser.add_argument("--kills", type=int, default=40, help="of each save")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas: closing, kill, disk")
    parser.add_argument("--of", default="", help="activities and saves, with commas; default: all")
    parser.add_argument("--model", type=Path, default=assets_folder() / DEFAULT)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    chosen = parser.parse_args()
    parts = chosen_of(list(PARTS), chosen.only)
    rows: list[Row] = []
    figures: dict[str, Any] = {}

    def add(row: Row | None) -> None:
        if row is not None:
            rows.append(row)
            print("|", *row[:3], row[3], "|", flush=True)

    with TemporaryDirectory() as name, Zygote() as zygote:
        os.environ["LATENTLAB_DATA_HOME"] = f"{name}/data"
        scratch = Path(name)
        for activity in chosen_of(list(ACTIVITIES), chosen.of) if "closing" in parts else []:
            found = closings(activity, chosen.model, chosen.closings, chosen.seed)
            figures[activity] = [asdict(one) for one in found]
            add(closing_row(activity, found))
        for save in [SAVES[key] for key in chosen_of(list(SAVES), chosen.of)]:
            if "kill" in parts:
                add(kill_row(zygote, save, chosen.kills, scratch))
            if "disk" in parts:
                add(disk_row(save, scratch))
    print("\n" + table(rows, ["fault", "tries", "kept", "seen"]))
    finish({"rows": rows, "closings": figures}, chosen.out)
    sys.exit(any(row[1] != row[2] for row in rows))


if __name__ == "__main__":
    main()
