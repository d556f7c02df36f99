"""Whether a window can be shown here: Qt ends the whole process where it cannot."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from latentlab.core.errors import DeviceError


def check_display() -> None:
    """Raises DeviceError where there is no display to show a window on."""
    if sys.platform in ("win32", "darwin"):
        return
    platforms = [name.partition(":")[0] for name in os.environ.get("QT_QPA_PLATFORM", "").split(";") if name]
    reaches = {"xcb": _x_answers, "wayland": _has_wayland}
    named = [name.partition("-")[0] for name in platforms]  # wayland-egl
    if any(name not in reaches for name in named) or any(reaches[name]() for name in named or reaches):
        return
    where = f" ({'DISPLAY=' + shown if (shown := os.environ.get('DISPLAY', '')) else 'DISPLAY is not set'})"
    raise DeviceError(
        f"There is no display to show a window on{where}. "
        "Without one: latentlab info, render, edit, walk, encode; or open_model() from Python."
    )


def _x_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:  # then Qt says which of its libraries is missing
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    answers: bool = xcb.xcb_connection_has_error(connection) == 0
    xcb.xcb_disconnect(connection)
    return answers


def _has_wayland() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY") or "wayland-0"
    return Path(os.environ.get("XDG_RUNTIME_DIR", ""), name).is_socket()
