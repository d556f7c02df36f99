"""Writing a checkpoint of any format as a native one, with other encodings or smaller weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentlab.core.checkpoint_file import (
    Header,
    is_native,
    model_info,
    read_encodings,
    read_header,
    read_weights,
    verify,
)
from latentlab.core.checkpoint_file import write_checkpoint as write
from latentlab.core.encodings import EncodingSet
from latentlab.core.encodings_file import encodings_beside
from latentlab.formats import Options, found
from latentlab.formats.reading import open_whole


def _unsaid(_warning: str) -> None:
    """For a caller who has opened the source and said its warnings already."""


def write_native(
    source: Path,
    target: Path,
    options: Options,
    encodings: EncodingSet | None = None,
    *,
    half: bool = False,
    warn: Callable[[str], None] = _unsaid,
) -> Header:
    """The model of `source` with `encodings`, or with its own where there are some. The header as written.

    `warn` is called with what is to be said of the source, such as what was guessed of it: the target states that as
    if it were known. Raises CheckpointError for a program, which holds no weights to convert, and SaveError.
    """
    file = found(source)
    if is_native(file.path):
        verify(file.path)
        header, weights = read_header(file.path), read_weights(file.path)
        kept = encodings_beside(model_info(file.path, header)).encodings
        encodings = encodings or kept or read_encodings(file.path)
    else:
        model = open_whole(file, options)
        for warning in model.info.warnings:
            warn(warning)
        encodings = encodings or model.encodings
        from latentlab.formats.as_native import as_native

        native = as_native(file, model, options)
        header, weights = native.header, native.weights
    if encodings is not None:
        header = header.model_copy(update={"attributes": list(encodings.attribute_names)})
    return write(target, header, weights, encodings, half=half)
