"""What is said of a file that was saved, with the way to where it lies."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from latentlab.core.atomic import displayed
from latentlab.ui.notices import Action, Notice, Notices


def say_saved(notices: Notices, text: str, path: Path) -> Notice:
    """Goes by itself, as there is nothing to decide."""
    folder = path.absolute().parent
    return notices.info(text, Action("Open folder", partial(open_folder, notices, folder)), fades=True)


def open_folder(notices: Notices, folder: Path) -> None:
    """In what the desktop shows folders with; where it has none, the folder is named."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        notices.info(f"It is in {displayed(folder)}")
