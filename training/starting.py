"""The model that a training begins with (`start_from`): where it lies, and the sizes it asks for. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentlab.core.bundled import assets_folder
from latentlab.core.checkpoint_file import read_header
from latentlab.core.errors import CheckpointError

DRAWING = ("vae-gan", "alpha-gan")  # families whose training draws from the prior
SIZES = ("network", "latent_dim", "width", "residual", "hidden", "patch")


def checkpoint_named(start: str) -> Path:
    """A file, or a bundled model by name. Raises CheckpointError where there is none."""
    bundled = assets_folder() / f"{start}.safetensors"
    path = bundled if bundled.is_file() else Path(start)
    if not path.is_file():
        raise CheckpointError(f"start_from {start}: there is no such file, and no bundled model of that name.")
    return path


def image_size_of(start: str, patch: int | None = None) -> int:
    """In pixels, of pictures cut into patches of `patch` px, its own where None. Raises CheckpointError."""
    header = read_header(checkpoint_named(start))
    own: int = header.architecture.get("patch", 1)
    return header.image.height * (patch or own) // own


def sizes_of(start: str, family: str, image_size: int) -> dict[str, Any]:
    """Of an architecture of `family` for pictures of `image_size` px that can begin with it. Raises CheckpointError.

    Pictures twice as large are cut into patches twice as large, so that the layers between stay the same. A family that
    draws while it trains takes over a measured prior, too.
    """
    header = read_header(checkpoint_named(start))
    names = (*SIZES, "prior") if family in DRAWING else SIZES
    sizes = {name: header.architecture[name] for name in names if name in header.architecture}
    if sizes.get("patch", 1) > 1 and image_size % header.image.height == 0:
        sizes["patch"] *= image_size // header.image.height
    return sizes
