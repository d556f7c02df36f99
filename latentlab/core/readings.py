"""How a file is read that does not say it itself: what can be said of it, in words, and where it is remembered.

A state dict holds no activations and no range of its pictures. What a person said of one lies beside it: of `faces.pth`
in `faces.pth.latentlab.json`, {"activation": "relu", "range": "tanh"}. A graph may leave the size of its latents open
and have several outputs that could be the picture: {"range": "tanh", "latent": "4x16x16", "picture": "sum"}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.core.beside import found_beside, path_beside, write_beside
from latentlab.core.errors import OptionError
from latentlab.core.latent_model import Images

ENDING = ".latentlab.json"
BYTES_AT_MOST = 1 << 20
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "elu", "gelu", "silu")
# What the last layer puts out: [-1, 1], [0, 1], logits that become [0, 1], or 0 to 255.
RANGES = ("tanh", "sigmoid", "none", "byte")
ASKED = ("activation", "range", "picture")
WORDS = {
    "relu": "ReLU", "leaky_relu": "LeakyReLU", "tanh": "tanh", "sigmoid": "sigmoid", "elu": "ELU", "gelu": "GELU",
    "silu": "SiLU", "none": "logits", "byte": "0 to 255",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Guess:
    """One plausible reading of a file, with what it draws from the prior: uint8 (B, H, W, C)."""

    activation: str
    range: str
    images: Images
    picture: str = ""  # which of several outputs

    @property
    def reading(self) -> dict[str, str]:
        """Without what the file leaves no choice of."""
        said = {"activation": self.activation, "range": self.range, "picture": self.picture}
        return {name: value for name, value in said.items() if value}


def in_words(reading: Mapping[str, str]) -> str:
    """ "ReLU between the layers, sigmoid at the end": what a card of the import dialog is called."""
    between, end = (WORDS.get(reading.get(name, ""), reading.get(name, "")) for name in ("activation", "range"))
    words = f"{between} between the layers, {end} at the end" if between else f"{end} at the end"
    return f"the output '{picture}', {words}" if (picture := reading.get("picture")) else words


def guess_warning(reading: Mapping[str, str], guessed: tuple[str, ...]) -> str:
    """What a command says of a reading that nobody confirmed; `guessed` names what was not said."""
    options = " and ".join(f"--{name} {reading[name]}" for name in guessed)
    known = {"activation": "what lies between its layers", "picture": "which output is the picture"}
    unsaid = next((known[name] for name in known if name in guessed), "what range its pictures have")
    return f"The file does not say {unsaid}; guessed {options}. If the pictures look wrong, say it yourself."


def answers_path(checkpoint: Path) -> Path:
    """Where the answer is kept, unless the folder cannot be written to."""
    return path_beside(checkpoint, ENDING)


def checked_reading(activation: str, range_: str) -> dict[str, str]:
    """What is said of a file, empty where it is to be guessed. Raises OptionError for what does not exist."""
    for name, value, known in (("activation", activation, ACTIVATIONS), ("range", range_, RANGES)):
        if value and value not in known:
            raise OptionError(f"There is no {name} '{value}'. Known: {', '.join(known)}.")
    return {"activation": activation, "range": range_}


def remember(checkpoint: Path, activation: str, range_: str, latent: str = "", picture: str = "") -> Path:
    """Writes down how a file is to be read; the path of the document. Raises OptionError, SaveError.

    What is not said stays as it was.
    """
    reading = checked_reading(activation, range_) | {"latent": latent, "picture": picture}
    document = _remembered(checkpoint) | {name: value for name, value in reading.items() if value}
    return write_beside(checkpoint, ENDING, json.dumps(document).encode() + b"\n")


def _remembered(checkpoint: Path) -> dict[str, Any]:
    """What was said before; nothing where that cannot be read: it is replaced."""
    path = found_beside(checkpoint, ENDING)
    try:
        document = json.loads(path.read_bytes()) if path is not None and path.stat().st_size <= BYTES_AT_MOST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
