"""What is done after the last epoch: it starts from the checkpoints, and what only training needs is gone by then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latentlab.core.picture_folder import Progress
from training.config import TrainingConfig
from training.data import Dataset
from training.examples import Examples
from training.prior import fit_prior


@dataclass(frozen=True)
class Ending:
    config: TrainingConfig
    data: Dataset
    checkpoints: tuple[Path, ...]
    measured_on: Examples | None  # where the prior is to be measured

    def write(self, report: Progress) -> None:
        """The prior is fitted where asked, and the encodings are written, into each checkpoint."""
        from training.encode import write_encodings

        for path in self.checkpoints:
            if self.measured_on is not None:
                fit_prior(path, self.measured_on, half=self.config.half)
            write_encodings(path, self.data, self.config, report)
