"""Sheets of conditional runs show what is asked for, a row for each class, from the first epoch on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from training.config import config_from
from training.data import Dataset, load
from training.loop import train
from training.sheets import COLUMNS, GAP

SIDE, CLASSES = 8, 10


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def rows_of(path: Path) -> np.ndarray:
    """(classes, columns, side, side) the pictures of a sheet."""
    with Image.open(path) as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (CLASSES * (SIDE + GAP) + GAP, COLUMNS * (SIDE + GAP) + GAP)
    cells = sheet[GAP:, GAP:].reshape(CLASSES, SIDE + GAP, COLUMNS, SIDE + GAP)
    return cells[:, :SIDE, :, :SIDE].transpose(0, 2, 1, 3)


@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_rows_of_a_cvae_are_of_their_classes_after_one_epoch(network: str, digits: Dataset, tmp_path: Path) -> None:
    """In the eyes of the nearest real pictures. A tenth would be right by chance.

    With little weight on the KL the latents hold much of the class, and draws of N(0, I) show what they like: a fifth
    to a quarter of them, as measured, what was asked for.
    """
    architecture = {"latent_dim": 16, "network": network} | ({"width": 8} if network == "conv" else {"hidden": 128})
    config = config_from(
        family="cvae",
        objective={"beta": 0.1},
        epochs=1,
        batch_size=16,
        architecture=architecture,
        encodings=0,
        threads=1,
        fit_prior=True,
    )
    train(config, digits, tmp_path)
    assert digits.labels is not None
    judge = KNeighborsClassifier(5).fit(digits.images.reshape(len(digits), -1), digits.labels)
    shown = rows_of(tmp_path / "samples" / "samples-0001.png")
    said = judge.predict(shown.reshape(CLASSES * COLUMNS, -1)).reshape(CLASSES, COLUMNS)
    right = float((said == np.arange(CLASSES)[:, None]).mean())
    assert right > 0.45


def test_rows_of_a_cgan_differ_after_one_epoch(digits: Dataset, tmp_path: Path) -> None:
    """The same draws in every row, asked for another class: no two rows are alike."""
    config = config_from(
        family="cgan", epochs=1, batch_size=64, architecture={"latent_dim": 8, "width": 8}, encodings=0, threads=1
    )
    train(config, digits.limited(400), tmp_path)
    shown = rows_of(tmp_path / "samples" / "samples-0001.png").astype(np.float32)
    apart = [np.abs(shown[a] - shown[b]).mean() for a in range(CLASSES) for b in range(a)]
    assert min(apart) > 0.2
