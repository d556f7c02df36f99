"""Registries name what exists and import nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from latentlab.core.errors import OptionError
from latentlab.core.registry import DIRECTION_SOURCES, FAMILIES, FORMATS, PANELS, PROJECTIONS, Entry, Registry


def test_entries_are_found_in_order() -> None:
    registry = Registry("thing", Entry("a", "A", "json:loads"), Entry("b", "B", "json:dumps"))
    assert list(registry) == ["a", "b"]
    assert len(registry) == 2
    assert "a" in registry
    assert "c" not in registry
    assert registry["a"].load()("[1]") == [1]


def test_unknown_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no projection 'tsen'.*Did you mean 'tsne'"):
        PROJECTIONS["tsen"]


@pytest.mark.parametrize(
    "registry", [PANELS, PROJECTIONS, FAMILIES, FORMATS, DIRECTION_SOURCES], ids=lambda registry: registry.noun
)
def test_entries_are_complete(registry: Registry) -> None:
    assert len(registry) > 0
    for key, entry in registry.items():
        assert entry.key == key
        assert entry.title
        module, colon, name = entry.target.partition(":")
        assert module.startswith("latentlab.")
        assert colon
        assert name


def test_nothing_is_imported_before_its_use() -> None:
    program = """
import sys
from latentlab.core.registry import FAMILIES, FORMATS, PANELS, PROJECTIONS
loaded = [entry.target for registry in (FAMILIES, FORMATS, PANELS, PROJECTIONS) for entry in registry.values()
          if entry.target.partition(":")[0] in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
