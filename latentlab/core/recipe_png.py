"""PNG files that carry their recipe, and reading it back. Shapes: H W C pictures, C is 1 or 3."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.core.recipe import PNG_KEY, Recipe, read_recipe


def png_bytes(picture: NDArray[np.uint8], recipe: Recipe | None = None) -> bytes:
    """A PNG of uint8 (H, W, C) which carries the recipe."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    information = PngInfo()
    if recipe is not None:
        # ASCII: names in any script survive as escapes in a plain text chunk, which every reader understands.
        information.add_text(PNG_KEY, json.dumps(recipe.model_dump(mode="json"), ensure_ascii=True))
    buffer = io.BytesIO()
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    image.save(buffer, "PNG", pnginfo=information)
    return buffer.getvalue()


def recipe_in(source: Path | bytes) -> Recipe | None:
    """The recipe in a PNG; None where the file is no PNG or carries none. Raises DataError for a damaged one."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=("PNG",)) as image:
            text = image.info.get(PNG_KEY)
    except Exception:  # noqa: BLE001 - no PNG, or a damaged one: whoever reads the picture itself says so
        return None
    return read_recipe(text) if isinstance(text, str) else None
