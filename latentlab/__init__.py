"""See and steer what the latent space of a VAE or GAN has learned. Importing this imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    __version__: str
    from latentlab.api.arithmetic import calculate as calculate
    from latentlab.api.comparing import compare as compare
    from latentlab.api.exploring import explore as explore
    from latentlab.api.inverting import invert as invert
    from latentlab.api.measuring import measure_model as measure_model
    from latentlab.api.projecting import project as project
    from latentlab.api.saving import save_session as save_session
    from latentlab.api.traversing import traverse as traverse
    from latentlab.core.direction_making import DirectedModel

__all__ = [
    "__version__",
    "calculate",
    "compare",
    "explore",
    "invert",
    "measure_model",
    "open_model",
    "project",
    "save_session",
    "traverse",
]
# Loaded on first use, each from its module.
LATER = {
    "calculate": "latentlab.api.arithmetic",
    "compare": "latentlab.api.comparing",
    "explore": "latentlab.api.exploring",
    "invert": "latentlab.api.inverting",
    "measure_model": "latentlab.api.measuring",
    "project": "latentlab.api.projecting",
    "save_session": "latentlab.api.saving",
    "traverse": "latentlab.api.traversing",
}


def open_model(path: str | Path, device: str = "auto", *, trust: bool = False, **options: str) -> DirectedModel:
    """The model in a checkpoint or run folder: `sample`, `decode`, `encode`, `directions`, `encodings`, `info`.

    `path`: a file, a folder, or the name of a bundled model, such as "faces-vae". `direction_from`,
    `principal_directions`, `picture_directions` and `weight_directions` make more directions.

    `device`: auto, cpu, cuda, cuda:1 or mps. `options`: activation, range, latent, picture and noise, for files
    that do not state them (docs/formats.md).
    Nothing in the file is run unless `trust` is True. Raises CheckpointError, OptionError.
    """
    from pathlib import Path
    from typing import cast

    from latentlab.formats import open_checkpoint

    return cast("DirectedModel", open_checkpoint(Path(path), device, trust, options))


if not TYPE_CHECKING:  # a name that does not exist is an error of whoever checks types, too

    def __getattr__(name: str) -> Any:
        if name in LATER:
            from importlib import import_module

            return getattr(import_module(LATER[name]), name)
        if name == "__version__":
            from importlib.metadata import version

            return version("latentlab")
        raise AttributeError(f"module 'latentlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    """What a notebook completes, also what is not loaded yet."""
    return sorted({*globals(), *__all__})
