"""The native checkpoint: hash checked, then built by the models' loader."""

from __future__ import annotations

from collections.abc import Collection

from latentlab.core.checkpoint_file import METADATA_KEY, read_header, verify
from latentlab.core.latent_model import LatentModel
from latentlab.core.safetensors_table import read_table
from latentlab.formats.foreign import is_foreign, left_open, open_foreign
from latentlab.formats.reading import Format, Options
from latentlab.formats.sniff import Found


class NativeFormat(Format):
    def recognises(self, file: Found) -> bool:
        """Raises CheckpointError where a safetensors file is not sound."""
        return file.kind == "safetensors" and METADATA_KEY in read_table(file.path).metadata

    def taken(self, file: Found) -> Collection[str]:
        header = read_header(file.path)
        return left_open(file.path, header) if is_foreign(header) else ()

    def open(self, file: Found, options: Options) -> LatentModel:
        from latentlab.models.loading import load_native

        verify(file.path)
        header = read_header(file.path)
        if is_foreign(header):
            return open_foreign(file, header, options)
        return load_native(file.path, options.device)
