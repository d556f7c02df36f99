"""The actions of the window: one table for its menus, tool bar, command palette, shortcuts and tooltips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from latentlab.core.registry import PANELS
from latentlab.ui.icons import icon


@dataclass(frozen=True)
class ActionSpec:
    """`target` names a method of `Commands`; "panel.method" one of a panel, which is brought to the front first."""

    key: str
    text: str
    target: str
    menu: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    tool_bar: bool = False


ACTIONS = (
    ActionSpec("open", "Open…", "open_file", "File", "Ctrl+O", "mdi6.folder-open-outline", "A checkpoint or a session"),
    ActionSpec("save-session", "Save session", "save_session", "File", "Ctrl+S", "mdi6.content-save-outline"),
    ActionSpec("save-session-as", "Save session as…", "save_session_as", "File", "Ctrl+Shift+S"),
    ActionSpec("open-image", "Encode a picture…", "image.open_picture", "File", "Ctrl+I", "mdi6.image-plus-outline",
               "Find the latent of a picture of yours"),
    ActionSpec("encode-folder", "Encode a folder…", "encode_folder", "File", icon="mdi6.folder-image",
               tip="Its pictures become the map, kept beside the checkpoint"),
    ActionSpec("save-image", "Save picture…", "image.save_picture", "File", "Ctrl+E", "mdi6.image-move",
               "A PNG that carries the model, the latent and the edits"),
    ActionSpec("save-samples", "Save a sheet of samples…", "samples.save_sheet", "File",
               icon="mdi6.image-multiple-outline", tip="The first 64 of the seed, or the kept ones, in one PNG"),
    ActionSpec("save-map", "Save the map…", "save_map", "File", icon="mdi6.image-filter-hdr-outline",
               tip="A PNG of the map as it stands, with its legend: for a lesson, or a paper"),
    ActionSpec("reading", "Change how this file is read…", "choose_reading", "File", icon="mdi6.file-question-outline",
               tip="Activation and range of a file that does not say them"),
    ActionSpec("quit", "Quit", "quit", "File", "Ctrl+Q"),
    ActionSpec("undo", "Undo", "undo", "Edit", "Ctrl+Z", "mdi6.undo", tool_bar=True),
    ActionSpec("redo", "Redo", "redo", "Edit", "Ctrl+Shift+Z", "mdi6.redo", tool_bar=True),
    ActionSpec("revert", "Back to the origin", "revert", "Edit", "Ctrl+R", "mdi6.backup-restore",
               "Take back every slider and attribute at once"),
    ActionSpec("copy-image", "Copy picture", "image.copy_picture", "Edit", "Ctrl+C", "mdi6.content-copy"),
    ActionSpec("copy-map", "Copy the map", "copy_map", "Edit", tip="As a picture, with its legend"),
    ActionSpec("sample", "Draw a sample", "draw_sample", "Explore", "Ctrl+D", "mdi6.dice-5-outline",
               "A new latent from the prior", tool_bar=True),
    ActionSpec("encoding", "Jump to a random encoding", "random_encoding", "Explore", "Ctrl+J", "mdi6.shuffle-variant",
               "One of the pictures on the map"),
    ActionSpec("class-next", "Next class", "image.next_class", "Explore", "C", "mdi6.chevron-right",
               "Of a model that is asked for a class"),
    ActionSpec("class-previous", "Previous class", "image.previous_class", "Explore", "Shift+C", "mdi6.chevron-left"),
    ActionSpec("keyframe", "Add keyframe", "add_keyframe", "Explore", "Ctrl+Return", "mdi6.key-plus",
               "Append the current picture to the walk", tool_bar=True),
    ActionSpec("play", "Play the walk", "walk.play", "Explore", "Ctrl+Space", "mdi6.play", tool_bar=True),
    ActionSpec("export", "Export the walk…", "walk.export", "Explore", "Ctrl+Shift+E", "mdi6.export-variant",
               "GIF, MP4, frames or a strip", tool_bar=True),
    ActionSpec("map-pca", "Map by PCA", "map.show_pca", "Explore", icon="mdi6.map-outline"),
    ActionSpec("map-tsne", "Map by t-SNE", "map.show_tsne", "Explore", icon="mdi6.map-outline"),
    ActionSpec("map-draws", "Make a map of samples", "draw_map", "Explore", icon="mdi6.map-plus",
               tip="Draws from the prior become the map, kept beside the checkpoint"),
    ActionSpec("compare-with", "Compare with a file…", "compare.choose_file", "Explore", icon="mdi6.compare",
               tip="A second checkpoint beside this one, in the panel Compare"),
    ActionSpec("measure", "Measure the model", "quality.measure", "Explore", icon="mdi6.gauge",
               tip="With the encodings it carries; its figures stand in the panel Quality"),
    ActionSpec("measure-folder", "Measure with pictures…", "quality.choose_folder", "Explore",
               icon="mdi6.folder-image", tip="A folder of real pictures"),
    ActionSpec("cancel-jobs", "Cancel everything that runs", "cancel_jobs", "Explore", "Ctrl+."),
    ActionSpec("before", "Show the picture before the edits", "image.toggle_before", "View", "B",
               "mdi6.compare-horizontal", "Hold Space for a moment's look"),
    ActionSpec("difference", "Show the difference", "image.toggle_difference", "View", "D", "mdi6.vector-difference"),
    ActionSpec("smooth", "Smooth enlargement", "image.toggle_smooth", "View", "S", "mdi6.blur",
               "Off: every pixel of the model as a square"),
    ActionSpec("map-fit", "Fit the map", "map.fit", "View", icon="mdi6.fit-to-page-outline", tip="F on the map"),
    ActionSpec("map-lattice", "Lattice of pictures on the map", "map.toggle_lattice", "View",
               icon="mdi6.view-grid-outline", tip="What the model draws where"),
    ActionSpec("full-screen", "Full screen", "toggle_full_screen", "View", "F11", "mdi6.fullscreen",
               "And back: for a projector, or a class"),
    ActionSpec("theme-system", "Follow the system", "theme_system", "View/Theme", checkable=True),
    ActionSpec("theme-dark", "Dark", "theme_dark", "View/Theme", checkable=True),
    ActionSpec("theme-light", "Light", "theme_light", "View/Theme", checkable=True),
    ActionSpec("reset-layout", "Reset layout", "reset_layout", "View", tip="Every panel back to its first place"),
    ActionSpec("palette", "Find a command…", "show_palette", "Help", "Ctrl+K", "mdi6.magnify"),
    ActionSpec("guide", "User guide", "show_guide", "Help", icon="mdi6.book-open-outline",
               tip="What every panel does, and the command line"),
    ActionSpec("shortcuts", "Keys and mouse", "show_shortcuts", "Help", "F1", "mdi6.keyboard-outline",
               "What each panel hears, and the shortcuts of the window"),
    ActionSpec("messages", "Messages", "show_messages", "Help", icon="mdi6.message-text-outline",
               tip="Everything that was said in this session"),
    ActionSpec("model-info", "About this model", "show_model_info", "Help", icon="mdi6.information-outline"),
    ActionSpec("about", "About latentlab", "show_about", "Help"),
    *(
        ActionSpec(f"panel-{entry.key}", entry.title, f"raise:{entry.key}", "Panels", entry.shortcut, entry.icon,
                   f"Bring {entry.title} to the front")
        for entry in PANELS.values()
    ),
)  # fmt: skip

MENUS = {"File": "&File", "Edit": "&Edit", "Explore": "E&xplore", "View": "&View", "Panels": "&Panels", "Help": "&Help"}
LAST = (  # of a group of its menu: a line follows
    *("open", "save-session-as", "save-map", "reading", "redo", "revert"),
    *("class-previous", "export", "map-draws", "measure-folder", "smooth", "map-lattice"),
)


class Actions(dict[str, QAction]):
    """The table as QActions by key; `find` gives the callable for a target when the action is triggered."""

    def __init__(self, parent: QObject, find: Callable[[str], Callable[[], object]]) -> None:
        super().__init__()
        for spec in ACTIONS:
            action = QAction(spec.text, parent)
            action.setObjectName(f"action-{spec.key}")
            action.setCheckable(spec.checkable)
            if spec.icon:
                action.setIcon(icon(spec.icon))
            if spec.shortcut:
                action.setShortcut(QKeySequence(spec.shortcut))
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            if spec.key == "quit":
                action.setMenuRole(QAction.MenuRole.QuitRole)
            action.setToolTip(tooltip(spec.text, spec.shortcut, spec.tip))
            action.triggered.connect(lambda _=False, target=spec.target: find(target)())
            self[spec.key] = action


def shortcut_tooltip(key: str) -> str:
    """The tooltip of an action in the table, for a button of a panel that does the same."""
    spec = next(spec for spec in ACTIONS if spec.key == key)
    return tooltip(spec.text, spec.shortcut, spec.tip)


def tooltip(text: str, shortcut: str = "", tip: str = "") -> str:
    """ "Draw a sample (Ctrl+D)" and, on a second line, what it does."""
    native = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    first = text.removesuffix("…") + (f" ({native})" if native else "")
    return f"{first}\n{tip}" if tip else first
