"""A run: networks, data, progress and the folder they are kept in. The loop moves it on; it knows how to be saved.

RUN/ checkpoint.safetensors  best.safetensors  metrics.jsonl  samples/  map/  resume/
Shapes: N pictures, H W C of each.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from latentlab.core.checkpoint_file import Header, ImageSpec, write_checkpoint
from latentlab.core.errors import DataError, Failure, OptionError
from latentlab.core.spaces import LatentSpace
from latentlab.models.device import chosen_device
from latentlab.models.family import Network
from latentlab.models.loading import weights_of
from latentlab.models.vae import Autoencoder
from training import resume
from training.alarms import Alarms
from training.averaging import Averaged
from training.conditions import Told, asked_of, planned
from training.config import TrainingConfig
from training.data import Dataset
from training.ending import Ending
from training.epoch_map import FOLDER, PICTURES, write_map
from training.examples import Examples
from training.losses import MeanLosses, evaluated
from training.metrics_log import write_metrics
from training.objectives.objective import OBJECTIVES, GivesDamaged, Known, Losses, Objective, ObjectiveClass
from training.precision import Precision
from training.prior import measured, spec_of
from training.processes import ALONE, Processes
from training.reports import EpochReport, StepReport
from training.sheets import RECONSTRUCTIONS, write_repaired, write_sheets
from training.traversals import write_traversals

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
METRICS = "metrics.jsonl"
MEASURED = 512  # pictures that the prior of an epoch's samples and checkpoint is measured on
SMALLEST_BATCH = 2  # batch normalisation needs two


@dataclass
class Run:
    config: TrainingConfig
    data: Dataset
    out: Path
    objective: Objective
    device: torch.device
    precision: Precision
    examples: Examples  # trained on
    held_out: Examples
    told: Told | None = None  # what a conditional network is told of the data
    averaged: Averaged | None = None
    processes: Processes = ALONE
    epoch: int = 0  # epochs finished
    step: int = 0
    step_in_epoch: int = 0
    seconds: float = 0.0  # in this epoch
    best: float = math.inf
    shrunk: int = 1  # the batch was divided by this, for want of memory
    raised: list[str] = field(default_factory=list)  # alarms of this epoch
    notes: list[str] = field(default_factory=list)  # what was said in this epoch
    pending: list[Losses] = field(default_factory=list)  # of the steps since the losses were last added up
    losses: MeanLosses = field(default_factory=MeanLosses)
    saved_at: float = field(default_factory=time.perf_counter)

    # --- beginning ---------------------------------------------------------------------------------------------

    @classmethod
    def begun(cls, config: TrainingConfig, data: Dataset, out: Path, processes: Processes = ALONE) -> Run:
        """A new run. Raises OptionError when `out` already holds one, or what is asked cannot be built."""
        if (out / METRICS).exists() or (out / "resume" / resume.STATE).exists():
            raise OptionError(f"{out} already holds a run; go on with --resume, or choose another folder.")
        run = cls._made(config, data, out, processes)
        if processes.first:
            out.mkdir(parents=True, exist_ok=True)
            resume.note(config, out)
        return run

    @classmethod
    def resumed(cls, config: TrainingConfig, data: Dataset, out: Path, processes: Processes = ALONE) -> Run:
        """The run in `out` where it stopped. Raises CheckpointError, or OptionError when the configuration differs."""
        state = resume.load(out / "resume")
        resume.check_same(TrainingConfig.model_validate(state["config"]), config, out)
        asked = config
        if state["threads"] and config.threads is None:
            config = config.model_copy(update={"threads": state["threads"]})
        run = cls._made(config.model_copy(update={"precision": state["precision"]["name"]}), data, out, processes)
        run.load_state(state)
        if processes.first:  # it may go on to another epoch than it was begun with
            resume.note(asked, out)
        return run

    @classmethod
    def _made(cls, config: TrainingConfig, data: Dataset, out: Path, processes: Processes) -> Run:
        if data.height != data.width:
            raise DataError(f"The pictures are {data.height} x {data.width}; choose a square --image-size.")
        if config.threads:
            torch.set_num_threads(config.threads)
        device = processes.device or chosen_device(config.device)
        precision = Precision.choose(device, config.precision, processes)
        train_idx, held_out_idx = data.split(config.seed, config.held_out)
        if len(train_idx) < 2:
            raise DataError(f"'{data.name}' leaves {len(train_idx)} pictures to train on; at least 2 are needed.")
        # A run is the same whatever was drawn in this process before it.
        torch.manual_seed(config.seed)
        architecture, told = planned(config.family, config.architecture, data)
        make: ObjectiveClass = OBJECTIVES[config.family].load()
        said = data if told is None else told.of(data)
        known = Known(len(said.label_names), len(said.attribute_names))
        objective = make(architecture, config.options(), known)
        for module in objective.modules.values():
            module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective.make_optimisers()
        if config.compile:
            objective.compile()
        return cls(
            config=config,
            data=data,
            out=out,
            objective=objective,
            device=device,
            precision=precision,
            examples=Examples.of(said, train_idx, device),
            held_out=Examples.of(said, held_out_idx, torch.device("cpu")),
            told=told,
            averaged=Averaged(objective.network, config.ema) if config.ema else None,
            processes=processes,
        )

    # --- while it runs -----------------------------------------------------------------------------------------

    @property
    def batch_size(self) -> int:
        """Of all processes together."""
        size = max(1, min(self.config.batch_size, len(self.examples)) // self.shrunk)
        return max(1, size // self.processes.count) * self.processes.count

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches only: a last batch of one picture would break batch normalisation."""
        return len(self.examples) // self.batch_size

    @property
    def share(self) -> float:
        """How much of the whole run is done, 0 to 1."""
        return (self.epoch + self.step_in_epoch / self.steps_per_epoch) / self.config.epochs

    def step_report(self, losses: dict[str, float], note: str = "") -> StepReport:
        return StepReport(
            epoch=self.epoch + 1,
            step=self.step,
            step_in_epoch=self.step_in_epoch,
            steps_per_epoch=self.steps_per_epoch,
            images_per_second=self.step_in_epoch * self.batch_size / max(self.seconds, 1e-9),
            losses=losses,
            note=note,
        )

    @property
    def alarms(self) -> Alarms | None:
        """What listens to the curves of a family with a discriminator."""
        return getattr(self.objective, "alarms", None)

    def add_up(self, means: dict[str, float]) -> list[str]:
        """The means of the pending losses go into those of the epoch. What is to be said once of them."""
        steps = len(self.pending)
        self.losses.add(means, steps)
        self.pending = []
        return self.listen(steps)

    def listen(self, steps: int) -> list[str]:
        """What is to be said once of the losses of the last `steps` steps."""
        said = self.alarms.heard(self.losses.recent, steps) if self.alarms else {}
        self.raised += said
        return self.noted(list(said.values()))

    def noted(self, texts: list[str]) -> list[str]:
        """The texts, which the line of this epoch will hold too."""
        self.notes += texts
        return texts

    @property
    def settled(self) -> bool:
        """Whether the objective asks to end before the last epoch."""
        return self.alarms is not None and self.alarms.settled

    def take_less_memory(self) -> str:
        """Half the batch; when that is too small, the CPU. What is to be said of it."""
        if self.processes.count > 1:  # the others have not run out, and would wait for ever
            raise Failure(
                f"The memory of {self.device} is full; go on with --resume and more --devices, or begin a run with a "
                f"--batch-size of {self.batch_size // 2}."
            )
        if self.batch_size >= 2 * SMALLEST_BATCH:
            self.shrunk *= 2
            self.step_in_epoch *= 2
            torch.cuda.empty_cache()
            return f"The memory of {self.device} is full; going on with a batch of {self.batch_size}."
        if self.device.type == "cpu":
            raise Failure("There is not enough memory to train this network; choose a smaller --width.")
        text = f"The memory of {self.device} is full even for a batch of {self.batch_size}; going on with the CPU."
        states = {name: optimiser.state_dict() for name, optimiser in self.objective.optimisers.items()}
        self.device = torch.device("cpu")
        for module in [*self.objective.modules.values(), *([self.averaged.network] if self.averaged else [])]:
            module.to(self.device)
        self.objective.make_optimisers()
        for name, state in states.items():
            self.objective.optimisers[name].load_state_dict(state)
        self.precision = Precision.choose(self.device, "auto")
        self.examples = self.examples.on(self.device)
        return text

    @property
    def checkpoint(self) -> Path:
        return self.out / CHECKPOINT

    @property
    def shown(self) -> Network:
        """The network that is kept: the average where there is one."""
        return self.averaged.network if self.averaged else self.objective.network

    def average(self) -> None:
        """Statistics of batch normalisation over the processes; weights over the steps, where asked."""
        if self.processes.count > 1:
            buffers = [buffer for module in self.objective.modules.values() for buffer in module.buffers()]
            self.processes.average(buffer for buffer in buffers if buffer.is_floating_point())
        if self.averaged:
            self.averaged.update(self.objective.network)

    def finish_epoch(self, train: dict[str, float]) -> EpochReport:
        """Writes metrics and, when due, held-out losses, sheets, checkpoints and the state to resume from."""
        self.epoch += 1
        images = self.step_in_epoch * self.batch_size
        report = EpochReport(
            epoch=self.epoch,
            epochs=self.config.epochs,
            step=self.step,
            seconds=round(self.seconds, 3),
            images_per_second=round(images / max(self.seconds, 1e-9), 1),
            train=train,
            held_out={},
        )
        self.step_in_epoch, self.seconds = 0, 0.0
        if not self.processes.first:
            return report
        due = self.epoch % self.config.evaluate_every == 0 or self.epoch in (1, self.config.epochs) or self.settled
        if due:
            report, kept = self._evaluate(report)
        write_metrics(self.out / METRICS, report, self.raised, self.notes)
        self.raised, self.notes = [], []
        if due:
            self._write_checkpoints(report, kept)
            self.save_state()
        return report

    def _evaluate(self, report: EpochReport) -> tuple[EpochReport, Network]:
        """The report with held-out losses, and the network as it is kept."""
        network = self.shown
        was_training = network.training
        network.eval()
        held_out = evaluated(self.objective, network, self.held_out, self.config.seed)
        shown = self.held_out.spread(RECONSTRUCTIONS)
        pictures = shown.pictures()
        asked_BK = asked_of(network, len(shown), shown.labels, shown.attributes)
        kept, draws = self._as_kept(network)
        write_sheets(self.out / "samples", self.epoch, network, pictures, asked_BK, drawn_by=kept, draws=draws)
        write_traversals(self.out / "samples", self.epoch, network, pictures, asked_BK)
        self._write_map(network)
        if isinstance(self.objective, GivesDamaged):
            write_repaired(self.out / "samples", self.epoch, network, pictures, self.objective.damaged)
        network.train(was_training)
        return replace(report, held_out=held_out), kept

    @property
    def _measures_prior(self) -> bool:
        return self.config.fit_prior or not getattr(self.objective.network, "has_prior", True)

    def _as_kept(self, network: Network) -> tuple[Network, LatentSpace]:
        """Where the prior is measured in the end, with one of some pictures already: a run may be stopped any time.

        And what its draws are taken from. Those from N(0, I) fall where no encoding is, and say nothing of the class
        that a conditional one is asked for.
        """
        if self._measures_prior and isinstance(network, Autoencoder):
            found = measured(network, self.examples.spread(MEASURED))
            if found is not None:
                return found.network, found.draws
        return network, network.spaces[0]

    def _write_map(self, network: Network) -> None:
        known = self.held_out.spread(PICTURES)
        write_map(
            self.out / FOLDER,
            self.epoch,
            network,
            known.pictures(),
            asked_of(network, len(known), known.labels, known.attributes),
            None if known.labels is None else known.labels.cpu().numpy(),
            self.data.label_names,
        )

    @property
    def ending(self) -> Ending:
        """Of the last and the best checkpoint; it holds no network."""
        written = (self.checkpoint, self.out / BEST) if self.processes.first else ()
        paths = tuple(path for path in written if path.exists())
        return Ending(self.config, self.data, paths, self.examples if self._measures_prior else None)

    # --- writing -----------------------------------------------------------------------------------------------

    def header(self, report: EpochReport, network: Network) -> Header:
        architecture = network.architecture
        training = self.config.model_dump(mode="json", exclude={"half", "device", "licence"})
        figures = {"train": report.train, "held_out": report.held_out}
        return Header(
            family=self.config.family,
            architecture=architecture.model_dump(mode="json"),
            spaces=[spec_of(space) for space in network.spaces],
            image=ImageSpec(height=self.data.height, width=self.data.width, channels=architecture.channels),
            encoder=network.encodes,
            invertible=not network.encodes,
            conditional=self.told is not None and bool(self.told.classes),
            conditional_attributes=[] if self.told is None else list(self.told.attributes),
            classes=list(self.data.label_names),
            attributes=list(self.data.attribute_names),
            training={**training, "epochs": report.epoch, "steps": report.step, "data": self.data.name},
            figures={name: values for name, values in figures.items() if values},
            licence=self.config.licence or self.data.licence,
        )

    def _write_checkpoints(self, report: EpochReport, network: Network) -> None:
        header, weights = self.header(report, network), weights_of(network)
        write_checkpoint(self.checkpoint, header, weights, half=self.config.half)
        judged_by = self.objective.judged_by
        if judged_by in report.held_out and report.held_out[judged_by] < self.best:
            self.best = report.held_out[judged_by]
            write_checkpoint(self.out / BEST, header, weights, half=self.config.half)

    # --- resuming ----------------------------------------------------------------------------------------------

    def save_state(self) -> None:
        self.saved_at = time.perf_counter()
        if not self.processes.first:
            return
        resume.save(
            self.out / "resume",
            {
                "config": self.config.model_dump(mode="json"),
                "modules": {name: module.state_dict() for name, module in self.objective.modules.items()},
                "optimisers": {name: o.state_dict() for name, o in self.objective.optimisers.items()},
                "averaged": self.averaged.state_dict() if self.averaged else None,
                "precision": self.precision.state_dict(),
                "random": resume.random_states(self.device),
                "threads": torch.get_num_threads(),
                "epoch": self.epoch,
                "step": self.step,
                "step_in_epoch": self.step_in_epoch,
                "seconds": self.seconds,
                "best": self.best,
                "shrunk": self.shrunk,
                "losses": self.losses.state_dict(),
                "pending": [{name: float(value) for name, value in losses.items()} for losses in self.pending],
                "alarms": self.alarms.state_dict() if self.alarms else None,
                "raised": self.raised,
                "notes": self.notes,
                "saved": time.time(),
            },
        )

    def load_state(self, state: dict[str, Any]) -> None:
        for name, module in self.objective.modules.items():
            module.load_state_dict(state["modules"][name])
        for name, optimiser in self.objective.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        if self.averaged and state["averaged"]:
            self.averaged.load_state_dict(state["averaged"])
        self.precision.load_state_dict(state["precision"])
        resume.restore_random_states(state["random"], self.device)
        self.epoch, self.step, self.step_in_epoch = state["epoch"], state["step"], state["step_in_epoch"]
        self.seconds, self.best = state["seconds"], state["best"]
        self.shrunk = state["shrunk"]
        self.losses.load_state_dict(state["losses"])
        told = state.get("pending", [])  # runs begun before it was kept have none
        self.pending = [{name: torch.tensor(value) for name, value in losses.items()} for losses in told]
        if self.alarms and state.get("alarms"):  # runs begun before alarms have none
            self.alarms.load_state_dict(state["alarms"])
        self.raised, self.notes = state.get("raised", []), state.get("notes", [])
