"""A trainer that the test steers: questions are answered at once, runs say what the test lets them say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from latentlab.core.trainer import LISTING, TrainerEnded, TrainerLine, TrainerMessage

OFFER = {
    "families": [
        {
            "name": "vae",
            "title": "Variational autoencoder",
            "options": [{"flag": "--beta", "kind": "number", "help": "Weight of the KL.", "default": "1.0"}],
        },
        {
            "name": "dcgan",
            "title": "Deep convolutional GAN",
            "options": [
                {"flag": "--loss", "choices": ["non-saturating", "minimax"], "help": "Loss.", "default": "minimax"},
                {"flag": "--spectral-norm", "kind": "switch", "help": "Normalise.", "default": "true"},
            ],
        },
    ],
    "options": [
        {"flag": "--image-size", "kind": "whole", "help": "Side in pixels."},
        {"flag": "--latent-dim", "kind": "whole", "help": "Numbers in a latent."},
        {"flag": "--root", "help": "Where downloaded data lies."},
        {"flag": "--epochs", "kind": "whole", "help": "Times through the data.", "default": "20"},
        {"flag": "--batch-size", "kind": "whole", "help": "Pictures a step."},
        {"flag": "--seed", "kind": "whole", "help": "Of weights, order and split.", "default": "0"},
        {"flag": "--device", "help": "auto, cpu, cuda or mps.", "default": "auto"},
        {"flag": "--ema", "kind": "number", "help": "Decay of the averaged weights.", "default": "0.0"},
    ],
    "data": [
        {"name": "digits", "title": "Handwritten digits, 8 px", "downloaded": False},
        {"name": "mnist", "title": "Handwritten digits, 28 px", "downloaded": True},
    ],
    "recipes": [{"name": "fashion-dcgan", "family": "dcgan", "title": "Fashion-MNIST, 28 px."}],
}
SETTLED = "epochs = 200\nbatch_size = 128\nseed = 0\n[architecture]\nlatent_dim = 16\n[objective]\nbeta = 1.0\n"


@dataclass
class FakeCommand:
    arguments: list[str]
    on_message: Callable[[TrainerMessage], None]
    stops: int = 0
    running: bool = True

    def stop(self) -> None:
        self.stops += 1

    def say(self, event: str, **values: Any) -> None:
        """A line of `--progress json`."""
        self.on_message(TrainerLine(json.dumps({"event": event, **values})))

    def step(self, epoch: int, step: int, of: int = 10, **losses: float) -> None:
        self.say(
            "step",
            epoch=epoch,
            step=(epoch - 1) * of + step,
            step_in_epoch=step,
            steps_per_epoch=of,
            images_per_second=1234.0,
            losses=losses,
            note="",
        )

    def end(self, status: int = 0, text: str = "") -> None:
        self.running = False
        self.on_message(TrainerEnded(status, text))


@dataclass
class FakeTrainer:
    """Satisfies `latentlab.core.trainer.Trainer`. `refuses`: what `--print-config` is answered with, as an error."""

    installed: bool = True
    refuses: str = ""
    explains: str = ""  # what stands above the configuration that `--print-config` prints
    listed: str = json.dumps(OFFER)
    runs: list[FakeCommand] = field(default_factory=list)
    questions: list[list[str]] = field(default_factory=list)
    closed: bool = False

    def start(self, arguments: Sequence[str], on_message: Callable[[TrainerMessage], None]) -> FakeCommand:
        command = FakeCommand([*arguments], on_message)
        if tuple(arguments) == LISTING:
            self._answer(command, self.listed)
        elif "--print-config" in arguments:
            self._answer(command, f"# {self.explains}\n{SETTLED}" if self.explains else SETTLED, self.refuses)
        else:
            self.runs.append(command)
        return command

    def close(self) -> None:
        self.closed = True

    def _answer(self, command: FakeCommand, printed: str, refusal: str = "") -> None:
        self.questions.append(command.arguments)
        if not refusal:
            for line in printed.splitlines():
                command.on_message(TrainerLine(line))
        command.end(2 if refusal else 0, refusal)
