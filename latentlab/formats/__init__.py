"""Readers of checkpoints, one per format. Importing this imports no torch."""

from latentlab.formats.reading import Format, Options, open_checkpoint
from latentlab.formats.sniff import Found, found

__all__ = ["Format", "Found", "Options", "found", "open_checkpoint"]
