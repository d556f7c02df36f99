"""A device that is not there is refused by its name, without torch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from latentlab.core import device_name
from latentlab.core.device_name import check_device_name
from latentlab.core.errors import OptionError


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_what_every_machine_has(name: str) -> None:
    check_device_name(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", ""])
def test_what_no_machine_has(name: str) -> None:
    with pytest.raises(OptionError, match="Known: auto, cpu, cuda"):
        check_device_name(name)


def test_cuda_needs_a_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(device_name, "ROCM", tmp_path / "kfd")
    monkeypatch.setattr(device_name, "_has_nvidia_driver", lambda: False)
    for name in ("cuda", "cuda:1"):
        with pytest.raises(OptionError, match="no CUDA device"):
            check_device_name(name)
    (tmp_path / "kfd").touch()
    check_device_name("cuda")
    monkeypatch.setattr(device_name, "ROCM", tmp_path / "none")
    monkeypatch.setattr(device_name, "_has_nvidia_driver", lambda: True)
    check_device_name("cuda:1")


def test_mps_is_apple_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(OptionError, match="MPS"):
        check_device_name("mps")
    monkeypatch.setattr(sys, "platform", "darwin")
    check_device_name("mps")
