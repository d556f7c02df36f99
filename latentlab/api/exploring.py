"""`explore`: the window on a model that lives in this process: one of ours, or any torch decoder.

Shapes: N pictures, H W C of them, A attributes, D latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import DataError, OptionError
from latentlab.core.given import as_pictures
from latentlab.core.latent_model import LatentModel, ModelInfo
from latentlab.display import check_display

DRAWS, DRAWING_S = 1000, 5.0  # for the map of a model that comes without pictures


def explore(
    model: Any,
    *,
    latent_dim: int | None = None,
    encoder: Any = None,
    images: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    attributes: Mapping[str, ArrayLike] | ArrayLike | None = None,
) -> None:
    """Opens the window on `model` and returns when it is closed.

    `model`: what `open_model` returned, or any torch.nn.Module or function that decodes (B, D) or (B, D, 1, 1) latents
    to (B, C, H, W) or flat pictures. `encoder`: a module or function whose first result is the latent. `images`: uint8
    or float in [0, 1], (N, H, W), (N, H, W, C) or (N, C, H, W), encoded for the map; without them draws from the prior
    are the map. A picture that is dropped on the window is encoded, or else searched for where gradients go through the
    model. `labels`: (N,) numbers or names. `attributes`: a table name -> (N,), or (N, A); 1 has it, 0 has it not.
    Raises OptionError, DataError, and DeviceError where there is no display.
    """
    check_display()
    prepared = with_pictures(explorable(model, latent_dim, encoder), images, labels, attributes)
    from latentlab.app import explore_model

    explore_model(with_draws(prepared))


def with_draws(model: LatentModel, count: int = DRAWS, seconds: float = DRAWING_S) -> LatentModel:
    """The model with a map of draws from its prior, where it has no other and its prior draws pictures."""
    if (model.encodings is not None and len(model.encodings)) or not model.info.spaces[0].drawable:
        return model
    from latentlab.console import ConsoleReport
    from latentlab.engine.map_making import drawn

    with ConsoleReport("Draw") as report:
        return _with_encodings(model, drawn(model, count, 0, report, seconds))


def explorable(model: Any, latent_dim: int | None = None, encoder: Any = None) -> LatentModel:
    """What `explore` is given, as a model. Raises OptionError for what is none."""
    from latentlab.formats.any_module import as_module, gives_gradient, name_of, network_of, weights_hash
    from latentlab.models.torch_model import TorchModel

    if hasattr(model, "decode") and hasattr(model, "info"):
        if encoder is not None or latent_dim is not None:
            raise OptionError("encoder and latent_dim belong to a torch module; this model states its own.")
        return cast(LatentModel, model)
    if not callable(model):
        raise OptionError(
            f"explore() takes a model from open_model(), a torch.nn.Module or a function, not a {type(model).__name__}."
        )
    decoder = as_module(model)
    network = network_of(decoder, None if encoder is None else as_module(encoder), latent_dim)
    info = ModelInfo(
        path="",
        format="module",
        family=name_of(model),
        image=network.image,
        spaces=network.spaces,
        encoder=encoder is not None,
        invertible=encoder is None and gives_gradient(network),
        sha256=weights_hash(network),
    )
    device = next((str(parameter.device) for parameter in decoder.parameters()), "cpu")
    return TorchModel(network, info, device=device)


def with_pictures(
    model: LatentModel,
    images: ArrayLike | None,
    labels: ArrayLike | None = None,
    attributes: Mapping[str, ArrayLike] | ArrayLike | None = None,
) -> LatentModel:
    """The model with encodings of these pictures, or as it is. Raises DataError, OptionError without an encoder."""
    if images is not None:
        return _with_encodings(model, _encodings(model, images, labels, attributes))
    if labels is not None or attributes is not None:
        raise DataError("Labels and attributes describe images; give images=… too.")
    return model


@dataclass(frozen=True, eq=False)
class Known:
    """What is said of pictures that are about to be encoded."""

    labels: NDArray[np.int64] | None  # (N,)
    label_names: tuple[str, ...]
    attributes: NDArray[np.float32] | None  # (N, A)
    attribute_names: tuple[str, ...]


def _with_encodings(model: LatentModel, encodings: EncodingSet) -> LatentModel:
    """Around the model, which keeps its own."""
    from latentlab.formats.kept_encodings import WithEncodings

    return cast(LatentModel, WithEncodings(model, encodings))


def _encodings(
    model: LatentModel,
    images: ArrayLike,
    labels: ArrayLike | None,
    attributes: Mapping[str, ArrayLike] | ArrayLike | None,
) -> EncodingSet:
    from latentlab.console import ConsoleReport
    from latentlab.measure.encoding import coded_thumbnails, encode_described

    pictures = some_pictures(images)
    known = known_of(labels, attributes, len(pictures))
    with ConsoleReport("Encode") as report:
        encodings = encode_described(model, pictures, known, lambda done, total: report.progress(done, total))
    return replace(encodings, thumbnails=coded_thumbnails(pictures))


def some_pictures(images: ArrayLike) -> NDArray[np.uint8]:
    """(N, H, W, C), at least one. Raises DataError."""
    pictures = as_pictures(images)
    if not len(pictures):
        raise DataError("There are no pictures among the images; give one or more, or leave them out.")
    return pictures


def known_of(labels: ArrayLike | None, attributes: Mapping[str, ArrayLike] | ArrayLike | None, count: int) -> Known:
    """Of `count` pictures, as `explore` is given it. Raises DataError where lengths differ."""
    return Known(*_labels(labels, count), *_attributes(attributes, count))


def _labels(labels: ArrayLike | None, count: int) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    if labels is None:
        return None, ()
    array = np.asarray(labels)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.floor(array)).all():
        array = array.astype(np.int64)  # numbers of classes that came through a table of floats
    if array.shape != (count,):
        raise DataError(f"There are {count:,} images, but labels of shape {array.shape}; one for each is needed.")
    if array.dtype.kind in "iub":
        return array.astype(np.int64), tuple(str(number) for number in range(int(array.max()) + 1))
    names, numbers = np.unique(array.astype(str), return_inverse=True)
    return numbers.astype(np.int64), tuple(str(name) for name in names)


def _attributes(
    attributes: Mapping[str, ArrayLike] | ArrayLike | None, count: int
) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    if attributes is None:
        return None, ()
    if isinstance(attributes, Mapping):
        names = tuple(str(name) for name in attributes)
        columns = [_numbers(values, f"The attribute '{name}'") for name, values in attributes.items()]
        wrong = [name for name, column in zip(names, columns, strict=True) if column.shape != (count,)]
        if wrong or not names:
            raise DataError(
                f"Each attribute needs {count:,} values, one for each image; not so: {wrong or 'none given'}."
            )
        return np.stack(columns, axis=1), names
    table = _numbers(attributes, "The table of attributes")
    if table.ndim != 2 or len(table) != count:
        raise DataError(f"Attributes must be ({count:,}, A), one row for each image; they are {table.shape}.")
    return table, tuple(f"attribute {index + 1}" for index in range(table.shape[1]))


def _numbers(values: ArrayLike, what: str) -> NDArray[np.float32]:
    try:
        return np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be numbers: 1 has it, 0 has it not, NaN where nobody knows.") from None
