"""Colours, type and spacing of the window: two themes, one grid."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    dark: bool
    window: str
    panel: str
    line: str
    text: str
    secondary: str
    accent: str
    classes: tuple[str, ...]  # ten colour-blind-safe colours, from Okabe-Ito and Tol


DARK = Theme(
    True, "#17181b", "#1f2125", "#2d3036", "#e7e8ea", "#9aa0a8", "#6ea8fe",
    ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#88ccee", "#ddcc77", "#aa4499", "#bbbbbb"),
)  # fmt: skip
LIGHT = Theme(
    False, "#f6f7f9", "#ffffff", "#e2e5ea", "#1b1d21", "#5f6670", "#2563eb",
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#332288", "#999933", "#666666"),
)  # fmt: skip

GRID_PX = 8
PADDING_PX = 12
CONTROL_PX = 28

_current = DARK


def current() -> Theme:
    return _current


def use(theme: Theme) -> None:
    global _current
    _current = theme
