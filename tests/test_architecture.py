"""The rules of docs/ARCHITECTURE.md: who may import whom, how long a file may be, what a registry may name."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from latentlab.core.registry import DIRECTION_SOURCES, FAMILIES, FORMATS, PANELS, PROJECTIONS, Entry
from training.data import SOURCES
from training.objectives.objective import OBJECTIVES

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    path for folder in ("latentlab", "training", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
)
REGISTRIES = (PANELS, PROJECTIONS, FAMILIES, FORMATS, DIRECTION_SOURCES, SOURCES, OBJECTIVES)
LENGTH_LIMIT = 400
LENGTH_LIMITS = {"latentlab/ui/main_window.py": 250}

# What each package may import of ours, itself included. The command line, the application and the package root
# bring the parts together and are not listed.
MAY_IMPORT = {
    "latentlab.core": ("latentlab.core",),
    "latentlab.models": ("latentlab.models", "latentlab.core"),
    "latentlab.formats": ("latentlab.formats", "latentlab.models", "latentlab.core"),
    "latentlab.measure": ("latentlab.measure", "latentlab.models", "latentlab.core"),
    "latentlab.engine": (
        "latentlab.engine",
        "latentlab.formats",
        "latentlab.measure",
        "latentlab.models",
        "latentlab.core",
    ),
    "latentlab.ui": ("latentlab.ui", "latentlab.core"),
    "training": ("training", "latentlab.core", "latentlab.models", "latentlab.measure"),
}

BLOCKED = ("PySide6", "pyqtgraph", "superqt", "qtawesome", "torch", "torchvision", "sklearn", "openTSNE", "umap")
IMPORT_ALL_OF_CORE = f"""
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError("blocked for this test: " + name)

sys.meta_path.insert(0, Blocked())
import latentlab.core
names = [module.name for module in pkgutil.walk_packages(latentlab.core.__path__, "latentlab.core.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_import_contracts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The contracts in pyproject.toml; import-linter counts lazy imports too."""
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, "".join(capsys.readouterr())


@cache
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph("latentlab", "training", cache_dir=None)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_what_lies_below_it(package: str) -> None:
    graph = import_graph()
    strays = [
        f"{module} imports {imported}"
        for module in sorted(graph.modules)
        if within(module, package)
        for imported in sorted(graph.find_modules_directly_imported_by(module))
        if not any(within(imported, allowed) for allowed in MAY_IMPORT[package])
    ]
    assert not strays, "\n".join(strays)


def test_core_imports_without_qt_torch_and_scikit_learn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL_OF_CORE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 10, "too few modules were found for this to have tested anything"


@pytest.mark.parametrize(
    "entry",
    [entry for registry in REGISTRIES for entry in registry.values()],
    ids=lambda entry: entry.target,
)
def test_registry_entry_loads(entry: Entry) -> None:
    assert callable(entry.load())


def test_files_stay_short() -> None:
    assert len(FILES) > 20
    long = {}
    for path in FILES:
        name, length = path.relative_to(ROOT).as_posix(), len(path.read_text(encoding="utf-8").splitlines())
        limit = LENGTH_LIMITS.get(name, LENGTH_LIMIT)
        if length > limit:
            long[name] = f"{length} lines, {limit} allowed: a noun is missing"
    assert not long


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="None is immortal from Python 3.12")
def test_void_qt_calls_keep_their_references_to_none(qtbot: object) -> None:
    """PySide6 6.12.0 lost one reference to None per void call and aborted the process after some thousand calls."""
    from PySide6.QtCore import QObject

    subject = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        subject.setObjectName("name")
    assert abs(sys.getrefcount(None) - before) < 100
