"""No window without a display: one sentence, where Qt would end the process."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

import latentlab
from latentlab.core.errors import DeviceError
from latentlab.display import check_display


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A Linux machine without any display."""
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize("platform", ["", "xcb", "wayland", "wayland-egl", "wayland;xcb"])
def test_what_needs_a_display_is_refused(bare: pytest.MonkeyPatch, platform: str) -> None:
    bare.setenv("QT_QPA_PLATFORM", platform)
    with pytest.raises(DeviceError, match="DISPLAY is not set"):
        check_display()


def test_an_x_server_that_does_not_answer_is_none(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DISPLAY", ":54321")
    with pytest.raises(DeviceError, match="DISPLAY=:54321"):
        check_display()


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "vnc:size=640x480", "xcb;offscreen"])
def test_what_needs_none_is_let_through(bare: pytest.MonkeyPatch, platform: str) -> None:
    bare.setenv("QT_QPA_PLATFORM", platform)
    check_display()


def test_wayland_is_a_display(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        check_display()


def test_other_systems_have_one(bare: pytest.MonkeyPatch) -> None:
    bare.setattr(sys, "platform", "darwin")
    check_display()


def test_exploring_says_so_before_any_work(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="no display"):
        latentlab.explore(object())
