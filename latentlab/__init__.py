"""See and steer what the latent space of a VAE or GAN has learned. Importing this imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from latentlab.core.direction_making import DirectedModel
    from latentlab.exploring import explore as explore
    from latentlab.measuring import measure_model as measure_model

__all__ = ["__version__", "explore", "measure_model", "open_model"]


def open_model(path: str | Path, device: str = "auto", *, trust: bool = False, **options: str) -> DirectedModel:
    """The model in a checkpoint or run folder: `sample`, `decode`, `encode`, `directions`, `encodings`, `info`.

    `direction_from`, `principal_directions` and `weight_directions` make more directions.

    `device`: auto, cpu, cuda, cuda:1 or mps. `options`: activation, range, latent, picture and noise, for files
    that do not state them (docs/formats.md).
    Nothing in the file is run unless `trust` is True. Raises CheckpointError, OptionError.
    """
    from pathlib import Path
    from typing import cast

    from latentlab.formats import open_checkpoint

    return cast("DirectedModel", open_checkpoint(Path(path), device, trust, options))


def __getattr__(name: str) -> Any:
    if name == "explore":
        from latentlab.exploring import explore

        return explore
    if name == "measure_model":
        from latentlab.measuring import measure_model

        return measure_model
    if name == "__version__":
        from importlib.metadata import version

        return version("latentlab")
    raise AttributeError(f"module 'latentlab' has no attribute '{name}'")
