"""The checkpoint of the end-to-end tests, for real jobs."""

from __future__ import annotations

from tests.e2e.conftest import tiny_checkpoint

__all__ = ["tiny_checkpoint"]
