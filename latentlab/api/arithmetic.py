"""`calculate`: typed arithmetic on latents, as in the window's panel, from Python and for the commands.

Shapes: D latent, G members of a group.
"""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import ExpressionError, OptionError
from latentlab.core.expressions import Scope, evaluate
from latentlab.core.given import as_latents
from latentlab.core.latent_model import LatentModel, check_model
from latentlab.core.spaces import FloatArray

HAS_IT = 0.5


def calculate(model: LatentModel, expression: str, points: Mapping[str, ArrayLike] | None = None) -> FloatArray:
    """The latent, float32 (D,), that an expression stands for, in the model's first space.

    `"current + 1.5*Eyeglasses - 0.5*Young"`, `"mean(group Young) - #12 + sample(3)"`: `points` gives latents (D,) or
    (N, D) names, many of which stand for their mean: "current" above is one. Directions of the model have theirs,
    `#12` is an encoding, `sample(3)` a draw of a seed, `group NAME` the encodings of a class or with an
    attribute; `mean`, `lerp` and `slerp` are functions; names with spaces come in quotes. Raises ExpressionError with
    the column of the mistake, OptionError for points of another size.
    """
    check_model(model, "calculate")
    space = model.info.spaces[0]
    named = {name: as_latents(given, space.shape, f"'{name}'") for name, given in (points or {}).items()}
    scope = Scope(
        points={name: latents_ND.mean(axis=0) for name, latents_ND in named.items()},
        directions={name: one.vector for name, one in model.directions.items() if one.space == space.name},
        groups=groups_of(model.encodings) if "group" in expression else {},
        encodings=model.encodings,
        space=space,
    )
    return evaluate(expression, scope)


def groups_of(encodings: EncodingSet | None) -> dict[str, FloatArray]:
    """ "group NAME" -> (G, D): the encodings of each class, and those that have an attribute."""
    if encodings is None:
        return {}
    groups = {}
    for name in encodings.attribute_names:
        groups[f"group {name}"] = encodings.latents[encodings.attribute(name) > HAS_IT]
    if encodings.labels is not None:
        for number, name in enumerate(encodings.label_names):
            groups[f"group {name}"] = encodings.latents[encodings.labels == number]
    return groups


def calculated(model: LatentModel, text: str, points: Mapping[str, ArrayLike] | None = None) -> FloatArray:
    """The same for --expression of a command, with the place of a mistake in words. Raises OptionError."""
    try:
        return calculate(model, text, points)
    except ExpressionError as error:
        raise OptionError(f"--expression '{text}', character {error.column + 1}: {error}") from None
