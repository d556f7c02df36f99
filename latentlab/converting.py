"""Writing a checkpoint anew as a native one, with other encodings or smaller weights."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import (
    METADATA_KEY,
    Header,
    read_encodings,
    read_header,
    read_weights,
    verify,
    write_checkpoint,
)
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import CheckpointError
from latentlab.core.safetensors_table import read_table
from latentlab.formats import found
from latentlab.formats.sniff import REASONS, refusal


def write_native(source: Path, target: Path, encodings: EncodingSet | None = None, *, half: bool = False) -> Header:
    """The weights and header of `source`, with `encodings` instead of its own where given. The header as written.

    Raises CheckpointError for a source that is not native, SaveError.
    """
    file = found(source)
    if file.kind in REASONS:
        raise refusal(file)
    if file.kind != "safetensors" or METADATA_KEY not in read_table(file.path).metadata:
        raise CheckpointError(
            f"{displayed(source)} is not a native checkpoint, and this version converts no other. "
            "Train one with latentlab-train."
        )
    verify(file.path)
    header = read_header(file.path)
    if encodings is not None:
        header = header.model_copy(update={"attributes": list(encodings.attribute_names)})
    kept = read_encodings(file.path) if encodings is None else encodings
    return write_checkpoint(target, header, read_weights(file.path), kept, half=half)
