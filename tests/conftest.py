"""What every test gets: no screen, one thread for torch, a home of its own, and the real data where it is."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Before Qt, torch or a BLAS is imported: they read these once. Child processes inherit them.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # two suites on two cores must not fight over OpenMP barriers

# Deadlines measure the machine, not the code.
settings.register_profile("latentlab", deadline=None)
settings.load_profile("latentlab")

ROOT = Path(__file__).resolve().parent.parent
FOLDERS_OF_A_USER = {
    "HOME": ".",
    "USERPROFILE": ".",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "runtime",
    "APPDATA": "roaming",
    "LOCALAPPDATA": "local",
}


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder: no test reads or writes the settings of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    for variable, folder in FOLDERS_OF_A_USER.items():
        (home / folder).mkdir(mode=0o700, exist_ok=True)
        monkeypatch.setenv(variable, str(home / folder))
    return home


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    """A test that sets another number of threads does not change the next test."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """As in the window: a thread of a test that collected cycles could destroy a QObject of another test, and hang."""
    if "PySide6.QtWidgets" not in sys.modules:
        yield
        return
    from latentlab.ui.collecting import collect_due

    gc.disable()
    yield
    collect_due()
    gc.enable()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data sets and checkpoints that LATENTLAB_TEST_DATA names; skips the test without it."""
    named = os.environ.get("LATENTLAB_TEST_DATA")
    if not named:
        pytest.skip("LATENTLAB_TEST_DATA names no folder with real data")
    folder = Path(named)
    assert folder.is_dir(), f"LATENTLAB_TEST_DATA is {named}, which is not a folder"
    return folder
