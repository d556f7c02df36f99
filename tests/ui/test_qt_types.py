"""Every type of Qt is there before a thread asks for all of them, and the window goes on meanwhile."""

from __future__ import annotations

import subprocess
import sys

from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from latentlab.ui.qt_types import TypesMaking

TWO_THREADS = """
import faulthandler, sys, threading
faulthandler.dump_traceback_later(60, exit=True)
from PySide6.QtWidgets import QApplication
from PySide6 import QtCore, QtGui, QtWidgets
from latentlab.ui.qt_types import TypesMaking
application = QApplication([])
making = TypesMaking()
making.done.connect(application.quit)
making.start()
application.exec()
sys.setswitchinterval(0.0002)
names = [(module, name) for module in (QtCore, QtGui, QtWidgets) for name in dir(module)]
def ask(names):
    for module, name in names:
        getattr(module, name)
thread = threading.Thread(target=ask, args=(names,))
thread.start()
ask(names[::-1])
thread.join()
print("all there")
"""


def test_two_threads_may_ask_for_every_type_once_they_are_made() -> None:
    """Without, this hangs or ends the process: PySide 6.11 makes types when they are first asked for."""
    ended = subprocess.run([sys.executable, "-c", TWO_THREADS], capture_output=True, text=True, timeout=90, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "all there"), ended.stderr


def test_events_pass_while_types_are_made_and_nothing_follows_a_stop(qtbot: QtBot) -> None:
    making, done = TypesMaking(), list[bool]()
    making.done.connect(lambda: done.append(True))
    making.start()
    making.stop()
    QCoreApplication.processEvents()
    assert done == []
    with qtbot.waitSignal(making.done):
        making.start()
