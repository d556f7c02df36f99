"""Keys and the mouse, as a text to read: what each panel hears, then those of the window from the table of actions."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from latentlab.ui.actions import ACTIONS, MENUS
from latentlab.ui.messages import TextDialog

IN_PANELS: dict[str, tuple[tuple[str, str], ...]] = {
    "Map": (
        ("Press and drag", "the picture follows"),
        ("Click a dot", "its picture"),
        ("Wheel, + and -", "zoom"),
        ("Right or middle button", "pan; so do Space and the left"),
        ("Shift and drag", "select a group"),
        ("Arrow keys", "walk; with Shift in longer steps"),
        ("F", "all of the map"),
        ("Escape", "take back a drag"),
    ),
    "Image": (
        ("Space, held", "the picture before the edits"),
        ("Drop a picture", "its latent: encoded, or searched for"),
        ("Drag the picture", "to a panel, or to a folder"),
    ),
    "Attributes and sliders": (
        ("Drag", "with Shift in fine steps"),
        ("Double-click, Backspace", "back to where it was"),
        ("Left and right", "step; also Ctrl and the wheel"),
        ("Digits, Enter", "type a number"),
        ("Space", "put an attribute on or off"),
        ("L", "lock"),
        ("F2, Del", "rename, delete"),
    ),
    "Pictures in rows": (
        ("Click, Enter", "show it"),
        ("Drag", "take it to another panel"),
        ("K", "keep a sample"),
        ("Alt and arrow keys", "move a keyframe"),
        ("Del", "remove it"),
    ),
}
KEYS_WIDE = 26  # letters


class ShortcutsDialog(TextDialog):
    def __init__(self, parent: QWidget) -> None:
        super().__init__("Keys and mouse", shortcuts_text(), parent, monospaced=True)


def shortcuts_text() -> str:
    groups: list[tuple[str, tuple[tuple[str, str], ...]]] = [(menu, _of_menu(menu)) for menu in MENUS]
    letters = ", ".join(title[title.index("&") + 1].upper() for title in MENUS.values())
    groups.append(("Menus", ((f"Alt+{letters}", "open one"),)))
    return "\n\n".join(
        "\n".join([title, *(f"  {keys:<{KEYS_WIDE}}{what}" for keys, what in lines)])
        for title, lines in [*IN_PANELS.items(), *groups]
        if lines
    )


def _of_menu(menu: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (QKeySequence(spec.shortcut).toString(QKeySequence.SequenceFormat.NativeText), spec.text.removesuffix("…"))
        for spec in ACTIONS
        if spec.shortcut and spec.menu.partition("/")[0] == menu
    )
