"""The prior of an autoencoder is measured on what it encodes, in every checkpoint of a run, also a stopped one.

Shapes: N pictures, D latent.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.core.checkpoint_file import read_header, read_weights
from latentlab.core.errors import Interrupted
from latentlab.core.spaces import LatentSpace
from latentlab.models.loading import load_native
from latentlab.models.vae import Autoencoder
from training.config import TrainingConfig, config_from
from training.data import Dataset, load
from training.examples import Examples
from training.loop import train
from training.prior import fit_prior, measured
from training.reports import StepReport
from training.run import Run
from training.sheets import SAMPLES, SEED, drawn, encoded, sheet, write_sheets


def digits() -> Dataset:
    return load("digits", limit=600)


def config(family: str, **changes: Any) -> TrainingConfig:
    values = {"family": family, "epochs": 2, "batch_size": 100, "encodings": 0, "threads": 1, "held_out": 0.1}
    values |= {"architecture": {"latent_dim": 3, "network": "mlp", "hidden": 32}}
    return config_from(**values | changes)


def stopped(config: TrainingConfig, out: Path) -> Path:
    """The checkpoint of a run that was stopped in its second epoch."""

    def stop(report: StepReport) -> None:
        if report.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(config, digits(), out, on_step=stop)
    return out / "checkpoint.safetensors"


@pytest.mark.parametrize("family", ["cvae", "ae"])
def test_a_stopped_run_leaves_a_checkpoint_with_a_measured_prior(family: str, tmp_path: Path) -> None:
    """Its draws lie where its encodings do; what the run becomes in the end does not depend on the stop."""
    asked = config(family, fit_prior=family == "cvae")
    checkpoint = stopped(asked, tmp_path / "stopped")
    assert read_header(checkpoint).training["epochs"] == 1
    model = load_native(checkpoint, "cpu")
    space = model.info.spaces[0]
    assert space.prior == "empirical"
    assert space.std is not None
    data = digits()
    classes = data.labels.tolist() if data.labels is not None and model.info.takes_condition else None
    latents_ND = model.encode(data.images, condition=classes)
    np.testing.assert_allclose(latents_ND.mean(0), 0, atol=0.2)
    # Of a conditional one the spread of the posteriors comes on top, as it does in the prior.
    ratio_D = latents_ND.std(0) / space.std
    assert (ratio_D < 1.1).all()
    if family == "ae":
        np.testing.assert_allclose(ratio_D, 1, atol=0.1)
        np.testing.assert_allclose(np.corrcoef(latents_ND.T), np.eye(3), atol=0.1)
    train(asked, data, tmp_path / "stopped", resume=True)
    train(asked, data, tmp_path / "straight")
    for name in ("checkpoint.safetensors", "best.safetensors"):
        ours, theirs = (read_weights(tmp_path / run / name) for run in ("stopped", "straight"))
        assert ours.keys() == theirs.keys()
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key])


@pytest.mark.parametrize("family", ["cvae", "vae", "ae"])
def test_a_prior_measured_on_some_pictures_gives_way_to_one_of_all(family: str, tmp_path: Path) -> None:
    """As if it had not been measured before."""
    path = train(config(family, epochs=1, fit_prior=True), digits(), tmp_path)
    data = digits()
    some, others = (Examples.of(data, part, torch.device("cpu")) for part in (np.arange(200), np.arange(200, 600)))
    fit_prior(path, others)
    at_once = read_weights(path)
    fit_prior(path, some)
    assert any(not np.array_equal(value, at_once[name]) for name, value in read_weights(path).items())
    fit_prior(path, others)
    for name, value in read_weights(path).items():
        np.testing.assert_array_equal(value, at_once[name])


@pytest.mark.parametrize("family", ["vae", "avb", "ae"])
def test_a_sheet_of_samples_is_drawn_around_what_was_encoded(family: str, tmp_path: Path) -> None:
    """As the finished model draws (decision 0021), and not from one Gaussian for all."""
    data, asked = digits(), config(family, epochs=1, fit_prior=True, ema=0.0)
    run = Run.begun(asked, data, tmp_path)
    order = np.arange(asked.batch_size)
    batch = run.examples.batch(order, run.device)
    run.objective.step(batch, 0, run.precision, None)
    network = run.shown
    assert isinstance(network, Autoencoder)
    found = measured(network.eval(), run.examples)
    assert found is not None
    points_ND = found.draws.around
    assert points_ND is not None
    assert len(points_ND) == len(run.examples)
    if family != "avb":  # of which each encoding is a draw of its posterior
        with torch.inference_mode():
            latents_ND = encoded(found.network, run.examples.pictures()).numpy()
        np.testing.assert_allclose(points_ND, latents_ND, rtol=1e-3, atol=1e-4)
    write_sheets(tmp_path / "ours", 1, network, run.held_out.pictures(), drawn_by=found.network, draws=found.draws)
    draws_ND = torch.from_numpy(found.draws.sample(SAMPLES, seed=SEED))
    with Image.open(tmp_path / "ours" / "samples-0001.png") as shown, torch.inference_mode():
        expected = sheet(drawn(found.network, draws_ND))[..., 0]
        np.testing.assert_array_equal(np.asarray(shown), expected)


def test_a_run_whose_prior_is_measured_writes_such_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spaces: list[LatentSpace | None] = []
    written = write_sheets

    def watched(*arguments: Any, draws: LatentSpace | None = None, **more: Any) -> None:
        spaces.append(draws)
        written(*arguments, draws=draws, **more)

    monkeypatch.setattr("training.run.write_sheets", watched)
    train(config("vae", epochs=1, fit_prior=True), digits(), tmp_path / "measured")
    train(config("vae", epochs=1), digits(), tmp_path / "stated")
    train(config("cvae", epochs=1, fit_prior=True), digits(), tmp_path / "conditional")
    measured_one, stated, conditional = spaces
    assert measured_one is not None
    assert measured_one.is_drawn_around
    for space in (stated, conditional):
        assert space is not None
        assert space.around is None
    assert conditional is not None
    assert conditional.prior == "empirical"
