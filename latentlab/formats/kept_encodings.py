"""Encodings that were kept beside a checkpoint become those of its model, in every interface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self, cast

from latentlab.core.direction_making import DirectionMaking
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_file import encodings_beside
from latentlab.core.latent_model import LatentModel, ModelInfo, in_a_line
from latentlab.core.spaces import FloatArray


class WithEncodings(DirectionMaking):
    """A model and other encodings than it came with, with directions of its own; all else is the model's."""

    encodings: EncodingSet | None

    def __init__(self, model: LatentModel, encodings: EncodingSet | None, *warnings: str) -> None:
        self._model = model
        self._warnings = warnings
        self.encodings = encodings
        self._told: tuple[ModelInfo, ModelInfo] | None = None  # what the model says, and with the encodings

    @property
    def info(self) -> ModelInfo:
        info = self._model.info
        if self._told is None or self._told[0] is not info:
            told = info.drawn_around(self.encodings)
            if self._warnings:
                told = replace(told, warnings=(*info.warnings, *self._warnings))
            self._told = info, told
        return self._told[1]

    def sample(
        self,
        count: int,
        seed: int = 0,
        truncation: float = 1.0,
        *,
        space: str | None = None,
        around: bool | None = None,
    ) -> FloatArray:
        return self.info.asked_space(space).sample(count, seed, truncation, around)

    def to(self, device: Any = "auto") -> Self:
        """The model is moved, where it can be; it keeps these encodings."""
        cast(Any, self._model).to(device)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "_model":  # while it is copied or unpickled there is none yet
            raise AttributeError(name)
        return getattr(self._model, name)

    def __repr__(self) -> str:
        return f"<{in_a_line(self.info, self.encodings)}>"


def with_encodings(model: LatentModel, encodings: EncodingSet | None, *warnings: str) -> LatentModel:
    """The model with these encodings; a TorchModel stays one, so that its latents can still be optimised."""
    adopt = getattr(model, "adopt", None)
    if adopt is None:
        return cast(LatentModel, WithEncodings(model, encodings, *warnings))
    adopt(encodings, *warnings)
    return model


def with_kept_encodings(model: LatentModel) -> LatentModel:
    """The model with what lies beside its checkpoint; that it cannot be used is a warning, no error."""
    beside = encodings_beside(model.info)
    if beside.encodings is not None:
        return with_encodings(model, beside.encodings)
    return with_encodings(model, model.encodings, beside.warning) if beside.warning else model
