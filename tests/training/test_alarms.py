"""The alarms with made-up curves: what raises each, once, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentlab.core.checkpoint_file import read_header, verify
from training.alarms import ALIKE, PATIENCE, Alarms
from training.config import config_from
from training.data import Dataset
from training.loop import train
from training.objectives.alpha_gan import AlphaGANObjective
from training.objectives.gan import GANObjective
from training.objectives.objective import Losses
from training.objectives.vae_gan import VAEGANObjective

LOOK = 50  # steps between two looks
HEALTHY = {"d_loss": 1.1, "g_loss": 1.0, "d_real": 0.6, "d_fake": 0.4, "d_gradient": 3.0, "g_gradient": 5.0}


def heard(alarms: Alarms, looks: int, **changes: Any) -> list[str]:
    """The names of what is said over so many looks at curves that stay as they are."""
    return [name for _ in range(looks) for name in alarms.heard({**HEALTHY, "spread": 0.9, **changes}, LOOK)]


def test_a_healthy_run_is_silent() -> None:
    alarms, rng = Alarms(), np.random.default_rng(0)
    said = [
        alarms.heard({**HEALTHY, "spread": 0.9, "g_loss": 1 + 0.2 * rng.standard_normal()}, LOOK) for _ in range(400)
    ]
    assert not any(said)
    assert not alarms.settled


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("imbalance", {"d_loss": 0.01, "d_real": 0.8, "d_fake": 0.2}),
        ("imbalance", {"d_loss": 0.34, "d_real": 0.9, "d_fake": 0.01}),  # one-sided smoothing: the loss stays high
        ("collapse", {"spread": ALIKE / 2}),
    ],
)
def test_what_lasts_is_said_once(name: str, curve: dict[str, float]) -> None:
    alarms = Alarms()
    before = PATIENCE // LOOK - 1
    assert heard(alarms, before, **curve) == []
    heard(alarms, 1)  # a good look between: counted anew
    assert heard(alarms, before, **curve) == []
    assert heard(alarms, 1, **curve) == [name]
    assert heard(alarms, 200, **curve) == []


def test_a_steep_gradient_is_said_at_once_with_its_norm() -> None:
    for name in ("d_gradient", "g_gradient"):
        alarms = Alarms()
        assert not alarms.heard({**HEALTHY, name: 99.0}, LOOK)
        said = alarms.heard({**HEALTHY, name: 412.0}, LOOK)
        assert "412" in said["gradient"]
        assert not alarms.heard({**HEALTHY, name: 412.0}, LOOK)


def test_a_generator_whose_loss_only_falls() -> None:
    falling, rising_once, flat = (list(np.linspace(3, 1, 60)) for _ in range(3))
    rising_once[25] = 3.0
    flat = list(np.linspace(1.0, 0.9, 60))
    said = []
    for curve in (falling, rising_once, flat):
        alarms = Alarms()
        said.append([name for g in curve for name in alarms.heard({**HEALTHY, "g_loss": g}, LOOK)])
    assert said == [["falling"], [], []]


def test_of_a_loss_that_is_more_than_fooling_only_the_fooling_is_heard() -> None:
    """The reconstructions of a GAN with an encoder get better all the time; that is no alarm."""
    falls, flat = np.linspace(3, 1, 60), np.full(60, 1.0)
    said = []
    for whole, fooling in ((falls, flat), (flat, falls)):
        alarms = Alarms(remedies=("R1", ""))
        curve = [{**HEALTHY, "g_loss": g, "g_fooling": f} for g, f in zip(whole, fooling, strict=True)]
        said.append([text for means in curve for text in alarms.heard(means, LOOK).values()])
    assert said[0] == []
    (text,) = said[1]
    assert "discriminator_steps" not in text  # which these families do not have
    assert "try a higher discriminator_learning_rate" in text


def test_families_that_record_less_raise_no_alarm() -> None:
    alarms = Alarms(stop_after=1)
    for _ in range(100):
        assert alarms.heard({"loss": 3.0}, LOOK) == {}
    assert not alarms.settled


def test_the_run_is_over_when_both_stay_near_the_middle() -> None:
    alarms = Alarms(stop_after=500)
    heard(alarms, 9, d_real=0.52, d_fake=0.48)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.52, d_fake=0.40)  # one of them alone is not enough
    heard(alarms, 9, d_real=0.52, d_fake=0.48)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.52, d_fake=0.48)
    assert alarms.settled
    never = Alarms()
    heard(never, 1000, d_real=0.5, d_fake=0.5)
    assert not never.settled


def test_smoothed_labels_move_the_middle() -> None:
    alarms = Alarms(balance=0.45, stop_after=LOOK)
    heard(alarms, 1, d_real=0.53, d_fake=0.47)
    assert not alarms.settled
    heard(alarms, 1, d_real=0.46, d_fake=0.42)
    assert alarms.settled


def test_what_was_heard_survives_a_resumption() -> None:
    alarms = Alarms(stop_after=500)
    heard(alarms, 9, d_real=0.5, d_fake=0.5, spread=0.01)
    alarms.heard({**HEALTHY, "g_gradient": 500.0, "d_real": 0.5, "d_fake": 0.5, "spread": 0.01}, LOOK)
    again = Alarms(stop_after=500)
    again.load_state_dict(alarms.state_dict())
    assert again.settled
    assert heard(again, 10, g_gradient=500.0, spread=0.01) == ["collapse"]


# --- in a run --------------------------------------------------------------------------------------------------


def curves(monkeypatch: pytest.MonkeyPatch, made: type = GANObjective, **values: float) -> None:
    """Every step moves the networks and reports these values."""
    step = made.step  # type: ignore[attr-defined]

    def reporting(self: object, *rest: Any) -> Losses:
        losses: Losses = step(self, *rest)
        assert losses.keys() >= values.keys()
        return losses | {name: torch.tensor(value) for name, value in values.items()}

    monkeypatch.setattr(made, "step", reporting)


def run(
    out: Path, *, family: str = "dcgan", epochs: int = 4, resume: bool = False, **objective: Any
) -> tuple[Path, list[str], list[int]]:
    """(checkpoint, what was said, the epochs) of a tiny run: 5 steps an epoch."""
    config = config_from(
        family=family,
        epochs=epochs,
        batch_size=8,
        encodings=0,
        threads=1,
        evaluate_every=100,
        architecture={"latent_dim": 4, "width": 2},
        objective=objective,
    )
    images = np.random.default_rng(0).integers(0, 256, (44, 8, 8, 1), dtype=np.uint8)
    notes: list[str] = []
    epochs_seen: list[int] = []
    path = train(
        config,
        Dataset("noise", images),
        out,
        resume=resume,
        on_step=lambda report: notes.append(report.note),
        on_epoch=lambda report: epochs_seen.append(report.epoch),
    )
    return path, [note for note in notes if note], epochs_seen


def test_a_run_says_an_alarm_once_and_notes_its_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curves(monkeypatch, g_gradient=250.0)
    path, notes, _ = run(tmp_path / "run", epochs=2)
    assert len(notes) == 1
    assert "250" in notes[0]
    lines = [json.loads(line) for line in (path.parent / "metrics.jsonl").read_text().splitlines()]
    assert [line.get("alarms") for line in lines if line["split"] == "train"] == [["gradient"], None]


def test_a_balanced_run_ends_with_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curves(monkeypatch, d_real=0.46, d_fake=0.44)  # one-sided smoothing of 0.1: even at 0.45
    path, notes, epochs = run(tmp_path / "run", stop_when_balanced=8)
    assert epochs == [1, 2]
    assert "ends with this epoch" in notes[-1]
    verify(path)
    assert read_header(path).training["epochs"] == 2
    assert read_header(path).figures["inverter"]["mse"] > 0  # what comes after the last epoch was done too
    _, _, more = run(tmp_path / "run", resume=True, stop_when_balanced=8)
    assert more == []
    _, notes, epochs = run(tmp_path / "on", epochs=3)
    assert (notes, epochs) == ([], [1, 2, 3])  # off by default


@pytest.mark.parametrize(("family", "made"), [("vae-gan", VAEGANObjective), ("alpha-gan", AlphaGANObjective)])
def test_gans_with_an_encoder_have_the_same_alarms_and_the_same_end(
    family: str, made: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves(monkeypatch, made, d_real=0.52, d_fake=0.48, d_gradient=250.0, spread=0.9)
    _, notes, epochs = run(tmp_path / "run", family=family, stop_when_balanced=8)
    assert epochs == [1, 2]
    assert "250" in notes[0]
    assert "ends with this epoch" in notes[-1]


@pytest.mark.parametrize("family", ["vae-gan", "alpha-gan"])
def test_a_healthy_run_with_an_encoder_is_silent(family: str, tmp_path: Path) -> None:
    path, notes, epochs = run(tmp_path / "run", family=family, epochs=2)
    assert (notes, epochs) == ([], [1, 2])
    told = json.loads((path.parent / "metrics.jsonl").read_text().splitlines()[0])
    assert told["d_gradient"] > 0
    assert told["g_gradient"] > 0
    assert 0 < told["spread"] < 2
