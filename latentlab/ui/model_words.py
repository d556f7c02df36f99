"""What a model is in a few words, for menus and the command palette."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from latentlab.core.checkpoint_file import read_header
from latentlab.core.errors import LatentlabError
from latentlab.core.registry import FAMILIES


@cache
def described(path: Path) -> str:
    """ "cartoon-faces, 64 px, variational autoencoder": what a bundled model was trained on, and what it is."""
    try:
        header = read_header(path)
    except (LatentlabError, OSError):  # opening it says why
        return ""
    data = Path(str(header.training.get("data") or "")).name
    family = FAMILIES[header.family].title.partition(":")[0] if header.family in FAMILIES else header.family
    family = family if family[1:2].isupper() else family[:1].lower() + family[1:]
    return ", ".join(part for part in (data, f"{header.image.height} px", family) if part)
