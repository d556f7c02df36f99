"""A run from begin to end: what it writes, how it is stopped, and that it goes on bit for bit."""

from __future__ import annotations

import json
import os
import signal
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentlab.core.checkpoint_file import read_header, read_weights, verify
from latentlab.core.errors import CheckpointError, DataError, Failure, Interrupted, OptionError
from latentlab.models.loading import load_native
from training.config import TrainingConfig, config_from
from training.data import Dataset
from training.loop import epoch_order, train
from training.objectives.objective import Batch, Losses
from training.objectives.vae import VAEObjective
from training.reports import EpochReport, StepReport
from training.run import Run

ARCHITECTURES = {"vae": {"latent_dim": 3, "width": 4}, "dcgan": {"latent_dim": 6, "width": 4}}


def data(count: int = 44) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(
        "noise",
        rng.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8),
        labels=np.arange(count) % 2,
        label_names=("even", "odd"),
        licence="none",
    )


def config(family: str = "vae", **changes: Any) -> TrainingConfig:
    values = {"family": family, "epochs": 2, "batch_size": 8, "ema": 0.9, "flip": True, "encodings": 0, "threads": 1}
    return config_from(**values | {"architecture": ARCHITECTURES[family]} | changes)


def weights(path: Path) -> dict[str, Any]:
    return {name: value for name, value in read_weights(path).items() if not name.startswith("inverter.")}


def assert_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name]), name


@pytest.mark.parametrize("family", ["vae", "dcgan"])
def test_networks_and_optimisers_are_gone_when_the_encodings_are_written(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[weakref.ref[object]] = []
    finish_epoch = Run.finish_epoch

    def finishing(run: Run, losses: Losses) -> EpochReport:
        states = [state for optimiser in run.objective.optimisers.values() for state in optimiser.state.values()]
        assert run.averaged
        kept = [*run.objective.modules.values(), run.averaged.network, *(state["exp_avg"] for state in states)]
        trained.extend(map(weakref.ref, kept))
        return finish_epoch(run, losses)

    left: list[object] = []
    monkeypatch.setattr(Run, "finish_epoch", finishing)
    monkeypatch.setattr("training.encode.write_encodings", lambda *_: left.extend(filter(None, (r() for r in trained))))
    train(config(family, epochs=1), data(), tmp_path / "run")
    assert len(trained) > 3
    assert left == []


def stop_at(step: int, number: int = signal.SIGINT) -> Callable[[StepReport], None]:
    def on_step(report: StepReport) -> None:
        if report.step >= step:
            os.kill(os.getpid(), number)

    return on_step


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    def twice(report: StepReport) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(config("vae"), data(), tmp_path / "run", on_step=twice)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("family", list(ARCHITECTURES))
def test_a_run_leaves_what_it_promises(family: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    reports = []
    path = train(config(family, encodings=20), data(), out, on_epoch=reports.append)
    assert path == out / "checkpoint.safetensors"
    verify(path)
    header = read_header(path)
    assert header.training["epochs"] == 2
    assert header.training["data"] == "noise"
    assert header.licence == "none"
    assert header.classes == ["even", "odd"]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["split"]) for line in lines if line["split"] == "train"] == [
        (1, "train"),
        (2, "train"),
    ]
    assert all(line["images_per_second"] > 0 and line["step"] == 5 * line["epoch"] for line in lines)
    assert [report.epoch for report in reports] == [1, 2]
    assert (out / "samples" / "samples-0002.png").exists()
    assert (out / "resume" / "state.pt").exists()
    model = load_native(path, device="cpu")
    assert model.decode(model.sample(2)).shape == (2, 8, 8, 1)
    assert model.encodings is not None
    if family == "vae":
        assert "loss" in reports[0].held_out
        assert (out / "samples" / "reconstructions-0001.png").exists()
        assert (out / "best.safetensors").exists()


@pytest.mark.parametrize("family", list(ARCHITECTURES))
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resuming_in_the_middle_of_an_epoch_is_bit_exact(family: str, precision: str, tmp_path: Path) -> None:
    chosen = config(family, precision=precision, schedule="cosine")
    straight = train(chosen, data(), tmp_path / "straight")
    with pytest.raises(Interrupted, match="--resume"):
        # Reports come at the first step of an epoch: this stops after step 6, in the middle of the second.
        train(chosen, data(), tmp_path / "stopped", on_step=stop_at(6))
    torch.randn(7)  # what happens in between must not matter
    resumed = train(chosen, data(), tmp_path / "stopped", resume=True)
    assert_same(weights(straight), weights(resumed))
    states = [torch.load(p / "resume" / "state.pt", weights_only=True) for p in (straight.parent, resumed.parent)]
    assert states[0]["step"] == states[1]["step"] == 10
    for name, value in states[0]["modules"]["network"].items():
        assert torch.equal(value, states[1]["modules"]["network"][name]), name
    epochs = [json.loads(line)["epoch"] for line in (resumed.parent / "metrics.jsonl").read_text().splitlines()]
    assert epochs == sorted(epochs)
    assert len(epochs) == (4 if family == "vae" else 2)


def test_a_longer_run_goes_on_where_a_finished_one_ended(tmp_path: Path) -> None:
    straight = train(config(epochs=3), data(), tmp_path / "straight")
    train(config(epochs=2), data(), tmp_path / "extended")
    extended = train(config(epochs=3), data(), tmp_path / "extended", resume=True)
    assert_same(weights(straight), weights(extended))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_saves(number: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught:
        train(config(), data(), tmp_path, on_step=stop_at(1, number))
    assert caught.value.exit_status == 130
    assert torch.load(tmp_path / "resume" / "state.pt", weights_only=True)["step"] >= 1
    assert signal.getsignal(number) is before


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_finite_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finite = train(config(epochs=1), data(), tmp_path / "finite")
    step = VAEObjective.step

    def breaking(self: VAEObjective, batch: Batch, number: int, *rest: Any) -> Losses:
        if number == 7:
            with torch.no_grad():
                next(self.vae.parameters()).fill_(float("nan"))
        return step(self, batch, number, *rest)

    monkeypatch.setattr(VAEObjective, "step", breaking)
    with pytest.raises(Failure, match=r"epoch 2 at step \d+: .*loss = nan"):
        train(config(epochs=3), data(), tmp_path / "run")
    kept = tmp_path / "run" / "checkpoint.safetensors"
    verify(kept)
    assert read_header(kept).training["epochs"] == 1
    # A cosine of another length would differ; this schedule is constant.
    assert_same(weights(finite), weights(kept))


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone() -> None:
    assert np.array_equal(epoch_order(50, 1, 2), epoch_order(50, 1, 2))
    assert sorted(epoch_order(50, 1, 2)) == list(range(50))
    assert not np.array_equal(epoch_order(50, 1, 2), epoch_order(50, 1, 3))
    assert not np.array_equal(epoch_order(50, 1, 2), epoch_order(50, 2, 2))


def test_what_was_drawn_before_changes_nothing(tmp_path: Path) -> None:
    first = train(config(epochs=1), data(), tmp_path / "a")
    torch.randn(11)
    assert_same(weights(first), weights(train(config(epochs=1), data(), tmp_path / "b")))


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run to resume"):
        train(config(), data(), tmp_path / "none", resume=True)
    train(config(epochs=1), data(), tmp_path / "run")
    with pytest.raises(OptionError, match="already holds a run"):
        train(config(epochs=1), data(), tmp_path / "run")
    with pytest.raises(OptionError, match="batch_size = 8; it cannot be resumed with 4"):
        train(config(batch_size=4), data(), tmp_path / "run", resume=True)
    (tmp_path / "run" / "resume" / "state.pt").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be resumed from"):
        train(config(), data(), tmp_path / "run", resume=True)
    oblong = replace(data(), images=np.zeros((44, 8, 9, 1), np.uint8))
    with pytest.raises(DataError, match="8 x 9"):
        train(config(), oblong, tmp_path / "oblong")
    assert not (tmp_path / "oblong").exists()


def test_an_evaluation_now_and_then(tmp_path: Path) -> None:
    train(config(epochs=5, evaluate_every=3), data(), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines if line["split"] == "train"] == [1, 2, 3, 4, 5]
    assert [line["epoch"] for line in lines if line["split"] == "held_out"] == [1, 3, 5]


def test_a_fitted_prior_reaches_the_checkpoint(tmp_path: Path) -> None:
    path = train(config(fit_prior=True, encodings=44), data(), tmp_path)
    model = load_native(path, device="cpu")
    space = model.info.spaces[0]
    assert space.prior == "empirical"
    assert space.std is not None
    assert model.encodings is not None
    assert np.allclose(model.encodings.latents, model.encode(data().images), atol=1e-4)


def test_memory_that_runs_out_halves_the_batch_and_every_picture_is_still_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = VAEObjective.step
    seen: list[int] = []
    notes: list[str] = []

    def scarce(self: VAEObjective, batch: Batch, *rest: Any) -> Losses:
        if len(batch) > 4:
            raise torch.OutOfMemoryError("out of memory")
        seen.append(len(batch))
        return step(self, batch, *rest)

    monkeypatch.setattr(VAEObjective, "step", scarce)
    train(config(epochs=2), data(), tmp_path, on_step=lambda report: notes.append(report.note))
    assert set(seen) == {4}
    assert len(seen) == 2 * 10
    assert [note for note in notes if note] == ["The memory of cpu is full; going on with a batch of 4."]
    state = torch.load(tmp_path / "resume" / "state.pt", weights_only=True)
    assert (state["shrunk"], state["step"]) == (2, 20)


def test_memory_that_never_suffices_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Losses:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(VAEObjective, "step", never)
    with pytest.raises(Failure, match="smaller --width"):
        train(config(), data(), tmp_path / "a")

    def no_cpu_memory(*_: Any) -> Losses:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(VAEObjective, "step", no_cpu_memory)
    with pytest.raises(Failure, match="--batch-size 4"):
        train(config(), data(), tmp_path / "b")
