"""What tests of the Training panel do: runs as the trainer leaves them on the disk, opened and begun."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pytestqt.qtbot import QtBot

from latentlab.core.run_folder import stamp_of
from latentlab.ui.panels.training import TrainingPanel
from tests.ui.conftest import deliver


def line(epoch: int, split: str = "train", **values: object) -> str:
    return json.dumps({"epoch": epoch, "step": 10 * epoch, "seconds": 2.0, "split": split, **values}) + "\n"


def write_epoch(folder: Path, epoch: int, epochs: int = 3, family: str = "vae", **values: object) -> None:
    """What the trainer leaves after an epoch."""
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    (folder / "map").mkdir(exist_ok=True)
    (folder / "resume").mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"family": family, "data": "digits", "epochs": epochs}))
    sheet = np.full((82, 82), 255, np.uint8)  # 8 x 8 pictures of 8 px, 2 px apart
    sheet[2:10, 2:10] = epoch
    for kind in ("samples", "reconstructions"):
        Image.fromarray(sheet).save(folder / "samples" / f"{kind}-{epoch:04d}.png")
    np.savez(
        folder / "map" / f"epoch-{epoch:04d}.npz",
        of="latents",
        layout=np.random.default_rng(epoch).standard_normal((12, 2)).astype(np.float32),
        share=np.float32(0.5),
        drawn=np.zeros(12, bool),
        labels=np.arange(12) % 3,
        label_names=np.array(["a", "b", "c"]),
    )
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(line(epoch, loss=5.0 - epoch, d_real=0.7, d_fake=0.3, **values) + line(epoch, "held_out", loss=4.0))
    (folder / "checkpoint.safetensors").write_bytes(b"weights %d" % epoch)
    (folder / "resume" / "state.pt").write_bytes(b"state")


def opened(panel: TrainingPanel, folder: Path, qtbot: QtBot, epochs: int = 2, of: int = 3) -> None:
    for epoch in range(1, epochs + 1):
        write_epoch(folder, epoch, of)
    panel.open_run(folder)
    qtbot.waitUntil(lambda: panel.following.reading is not None)
    panel._redraw()


def begun(panel: TrainingPanel) -> Path:
    assert panel.form is not None
    panel.form.start_button.click()
    deliver()
    return Path(panel.form.out.text())


def read_again(panel: TrainingPanel, qtbot: QtBot) -> None:
    """Until what lies in the folder now is what the panel has read."""
    folder = panel.following.folder
    assert folder is not None

    def is_read() -> bool:
        panel.following.look()
        return panel.following.reading is not None and panel.following.reading.stamp == stamp_of(folder)

    qtbot.waitUntil(is_read)
