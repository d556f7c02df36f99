"""The native checkpoint: hash checked, then built by the models' loader."""

from __future__ import annotations

from latentlab.core.atomic import displayed
from latentlab.core.checkpoint_file import METADATA_KEY, read_header, verify
from latentlab.core.errors import CheckpointError
from latentlab.core.latent_model import LatentModel
from latentlab.core.safetensors_table import read_table
from latentlab.formats.foreign import is_foreign, open_foreign
from latentlab.formats.reading import Options
from latentlab.formats.sniff import Found


class NativeFormat:
    """Satisfies `latentlab.formats.reading.Format`."""

    def recognises(self, file: Found) -> bool:
        """Raises CheckpointError where a safetensors file is not sound."""
        return file.kind == "safetensors" and METADATA_KEY in read_table(file.path).metadata

    def open(self, file: Found, options: Options) -> LatentModel:
        from latentlab.models.loading import load_native

        if options.activation or options.range:
            raise CheckpointError(
                f"{displayed(file.path)} is a native checkpoint, which states its activation and range itself. "
                "Leave --activation and --range out."
            )
        verify(file.path)
        header = read_header(file.path)
        if is_foreign(header):
            return open_foreign(file, header, options)
        return load_native(file.path, options.device)
