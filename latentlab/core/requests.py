"""What the window asks of the engine and what comes back: small frozen records that travel between processes.

Latest wins: a consumer ("image", "lattice", "samples", …) has one pending slot. A newer request replaces the one
that still waits, and every picture that is finished is shown. Lanes say who goes first.
Shapes: B batch, D latent, H W C of the pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol

import numpy as np

from latentlab.core.condition import Condition
from latentlab.core.encodings import EncodingSet
from latentlab.core.latent_model import Images, ModelInfo
from latentlab.core.spaces import FloatArray
from latentlab.core.unsupervised import Component


class Lane(IntEnum):
    """Lower goes first; longer work is cut into pieces of at most 8 ms between which `LIVE` is served."""

    LIVE = 0  # the picture under the pointer
    VISIBLE = 1  # sheets and previews one can see
    BACKGROUND = 2  # figures, caches


# Two models can be open at once: the one that is worked with, and one that it is compared with.
Slot = Literal["main", "compare"]


@dataclass(frozen=True, eq=False)
class OpenModel:
    path: str
    device: str = "auto"
    trust: bool = False
    options: dict[str, Any] = field(default_factory=dict)  # activation, range of a foreign file
    slot: Slot = "main"


@dataclass(frozen=True, eq=False)
class Decode:
    checkpoint: str  # the SHA-256 of the model the latents belong to
    latents: FloatArray  # (B, D)
    space: str = "z"
    condition: Condition | None = None


def same_picture(one: Decode, other: Decode) -> bool:
    """Whether two requests would show the same."""
    return (
        one.checkpoint == other.checkpoint
        and one.space == other.space
        and one.condition == other.condition
        and np.array_equal(one.latents, other.latents)
    )


@dataclass(frozen=True, eq=False)
class Encode:
    checkpoint: str
    images: Images  # (B, H, W, C), any size
    condition: Condition | None = None


@dataclass(frozen=True, eq=False)
class ToSpace:
    """Latents of one space as those of another, where `ModelInfo.mappings` says that there is a way."""

    checkpoint: str
    latents: FloatArray  # (B, D)
    space: str
    to: str
    condition: Condition | None = None


@dataclass(frozen=True, eq=False)
class Factorise:
    """What the first layer that a latent reaches answers most to: SeFa (`latentlab.core.unsupervised`)."""

    checkpoint: str
    space: str = "z"
    count: int = 10  # directions


Request = Decode | Encode | ToSpace | Factorise


@dataclass(frozen=True, eq=False)
class Opened:
    info: ModelInfo
    encodings: EncodingSet | None
    slot: Slot = "main"
    memory_bytes: int = 0  # what its weights take in the engine


@dataclass(frozen=True, eq=False)
class OpenFailed:
    path: str
    message: str
    needs_trust: bool = False  # the file can run code: it opens once a person trusts it
    needs_latent: bool = False  # the file leaves the size of its latents open: it opens once a person says it
    slot: Slot = "main"


@dataclass(frozen=True, eq=False)
class Decoded:
    consumer: str
    ticket: int
    request: Decode
    images: Images
    decode_ms: float
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Encoded:
    consumer: str
    ticket: int
    request: Encode
    latents: FloatArray  # (B, D)
    reconstructions: Images  # (B, H, W, C)
    mse: FloatArray  # (B,) in [0, 1] intensities, against the resized original
    encode_ms: float = 0.0  # with decoding again


@dataclass(frozen=True, eq=False)
class InSpace:
    """The answer to ToSpace: latents (B, D') of the other space, which decode to the same pictures."""

    consumer: str
    ticket: int
    request: ToSpace
    latents: FloatArray


@dataclass(frozen=True, eq=False)
class Factorised:
    """The answer to Factorise, the largest share first; or in one sentence why a model's weights say nothing."""

    consumer: str
    ticket: int
    request: Factorise
    components: tuple[Component, ...]
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class RequestFailed:
    """A request that could not be answered; the last good picture stays."""

    consumer: str
    ticket: int
    message: str
    details: str = ""  # the traceback, for "copy details"


@dataclass(frozen=True, eq=False)
class EngineState:
    """`alive` False: the process ended and is being started again; its last requests are sent anew."""

    alive: bool
    message: str = ""


Reply = Opened | OpenFailed | Decoded | Encoded | InSpace | Factorised | RequestFailed | EngineState


class Engine(Protocol):
    """The window's side of the engine. Replies reach `on_reply` on a thread of the engine's client."""

    on_reply: Callable[[Reply], None] | None

    def open(self, request: OpenModel) -> None:
        """Opened or OpenFailed follows; the model of that slot stays until Opened, that of the other anyway."""

    def let_go(self, slot: Slot) -> None:
        """Frees the model of a slot; one that is on its way there is not kept."""

    def submit(self, consumer: str, request: Request, lane: Lane = Lane.LIVE) -> int:
        """A ticket that the reply or RequestFailed will carry. Replaces what the consumer has waiting."""

    def withdraw(self, consumer: str) -> None:
        """Forget what the consumer has waiting."""

    def close(self) -> None:
        """Ends the process within 3 s."""


# --- jobs: long work in a niced process of its own -------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Progress:
    done: float
    total: float
    text: str = ""


@dataclass(frozen=True, eq=False)
class Partial:
    """An intermediate result worth showing: the layout of a t-SNE, the picture of an inversion."""

    value: Any


@dataclass(frozen=True, eq=False)
class Done:
    value: Any


@dataclass(frozen=True, eq=False)
class JobFailed:
    message: str
    details: str = ""


@dataclass(frozen=True, eq=False)
class Cancelled:
    pass


JobMessage = Progress | Partial | Done | JobFailed | Cancelled


class Report(Protocol):
    """What a job's function is given as its first argument. Each call raises JobCancelled once the job is cancelled."""

    def progress(self, done: float, total: float, text: str = "") -> None: ...
    def partial(self, value: Any) -> None: ...


class JobCancelled(Exception):
    """Not an error: the way out of a job's function."""


class Job(Protocol):
    """A running job; `cancel` may be called from any thread and more than once."""

    def cancel(self) -> None: ...
    @property
    def running(self) -> bool: ...


class Jobs(Protocol):
    """Starts functions in processes of their own.

    `function` is "module:name" of `def run(report: Report, **arguments) -> Any`; arguments and results are
    pickled. Messages reach `on_message` on another thread: any number of Progress and Partial, then exactly one
    of Done, JobFailed, Cancelled.
    """

    def start(self, function: str, arguments: dict[str, Any], on_message: Callable[[JobMessage], None]) -> Job: ...

    def close(self) -> None:
        """Cancels everything and ends the processes within 3 s."""
