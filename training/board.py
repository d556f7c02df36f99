"""TensorBoard: losses by step and epoch, and the sheets, in RUN/tensorboard. An extra; metrics.jsonl stays."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from latentlab.core.errors import OptionError
from training.reports import EpochReport, StepReport

FOLDER = "tensorboard"
MISSING = "--tensorboard needs TensorBoard, which is not installed: python -m pip install 'latentlab[tensorboard]'."


class Board:
    """Has the methods of a watcher that hears of steps and epochs. The file is opened at the first of them."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._writer: Any = None

    @classmethod
    def checked(cls, out: Path) -> Self:
        """Raises OptionError where TensorBoard is not installed."""
        if importlib.util.find_spec("tensorboard") is None:
            raise OptionError(MISSING)
        return cls(out)

    def step(self, report: StepReport) -> None:
        for name, value in report.losses.items():
            self._open(report.step).add_scalar(f"step/{name}", value, report.step)
        self._open(report.step).add_scalar("images_per_second", report.images_per_second, report.step)

    def epoch(self, report: EpochReport) -> None:
        writer = self._open(report.step)
        for split, values in (("train", report.train), ("held_out", report.held_out)):
            for name, value in values.items():
                writer.add_scalar(f"{split}/{name}", value, report.epoch)
        for sheet in sorted((self.out / "samples").glob(f"*-{report.epoch:04d}.png")):
            with Image.open(sheet) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            writer.add_image(sheet.stem.rpartition("-")[0], pixels, report.epoch, dataformats="HWC")
        writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _open(self, step: int) -> Any:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What was logged after the state that is resumed from is not shown.
            self._writer = SummaryWriter(self.out / FOLDER, purge_step=step)
        return self._writer
