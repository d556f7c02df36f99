"""What PySide wants to know of each imported module is answered without reading its source."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PySide6 import QtWidgets
from PySide6.QtCore import QObject

from latentlab.ui.import_hook import ASKED, FEATURE, look_at_modules, uses_pyside


def test_this_pyside_has_the_search_and_it_is_replaced() -> None:
    assert look_at_modules()
    assert getattr(sys.modules[FEATURE], ASKED) is uses_pyside


def test_a_module_is_imported_without_its_source_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_modules()
    (tmp_path / "written_for_this_test.py").write_text("from PySide6.QtCore import QObject\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    read: list[object] = []
    monkeypatch.setattr(inspect, "getsource", read.append)
    import written_for_this_test  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, written_for_this_test.__name__)
    assert sys.modules[FEATURE].pyside_feature_dict.pop(written_for_this_test.__name__) == 0  # it uses PySide
    assert not read


@pytest.mark.parametrize("held", [QtWidgets, QObject])
def test_a_module_that_holds_something_of_pyside_uses_it(held: object) -> None:
    module = ModuleType("a")
    module.held = held  # type: ignore[attr-defined]
    assert uses_pyside(module)


def test_a_module_without_it_does_not() -> None:
    module = ModuleType("a")
    module.text, module.other = "PySide6", inspect  # type: ignore[attr-defined]
    assert not uses_pyside(module)


def test_nothing_of_a_module_is_run() -> None:
    asked: list[str] = []

    class Touchy:
        def __getattribute__(self, name: str) -> object:
            asked.append(name)
            raise AttributeError(name)

    lazy = ModuleType("lazy")
    lazy.__getattr__ = asked.append  # type: ignore[method-assign]
    module = ModuleType("a")
    module.touchy, module.lazy = Touchy(), lazy  # type: ignore[attr-defined]
    assert not uses_pyside(module)
    assert not asked


SNAKE_CASE = """
import PySide6.QtWidgets
from __feature__ import snake_case
from PySide6.QtWidgets import QApplication, QLabel
application = QApplication([])
label = QLabel()
label.set_text("theirs")
from latentlab.ui.elided_label import ElidedLabel
ours = ElidedLabel("a text that is longer than there is room for")
ours.resize(40, 20)
ours.grab()
label.set_text("theirs still")
print(label.text())
"""


def test_somebody_elses_snake_case_stays_apart_from_ours() -> None:
    done = subprocess.run([sys.executable, "-c", SNAKE_CASE], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "theirs still", done.stderr
