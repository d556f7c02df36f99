"""The worked example of CONTRIBUTING.md, run as it stands there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from latentlab.core import registry
from latentlab.core.projections import job
from latentlab.core.registry import PROJECTIONS, Entry, Registry

PAGE = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Reports:
    def __init__(self) -> None:
        self.partials: list[np.ndarray] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        assert 0 <= done <= total

    def partial(self, value: np.ndarray) -> None:
        self.partials.append(value)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, str]:
    """The projection importable under its name and registered by its line; and the source of its test."""
    section = PAGE[PAGE.index("## Add a projection") : PAGE.index("## Add a panel")]
    module_name = "latentlab.core.projections.isomap"
    source, line, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    path = tmp_path / "isomap.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module_name, module)
    spec.loader.exec_module(module)
    entry = eval(f"({line.strip()})", {"Entry": Entry})[0]
    with_it = Registry("projection", *PROJECTIONS.values(), entry)
    monkeypatch.setattr(registry, "PROJECTIONS", with_it)
    monkeypatch.setattr(job, "PROJECTIONS", with_it)
    return entry, test


def test_worked_example_is_fitted_and_carried_between_processes(example: tuple[Entry, str]) -> None:
    entry, _ = example
    latents_ND = np.random.default_rng(0).standard_normal((80, 5)).astype(np.float32)
    report = Reports()
    carried = job.from_arrays(job.run(report, entry.key, latents_ND), latents_ND)
    assert carried.layout_.shape == (80, 2)
    assert np.isfinite(carried.layout_).all()
    assert carried.axes == ("Isomap 1", "Isomap 2")
    assert report.partials
    back = carried.inverse(carried.layout_[:3])
    assert not back.exact
    assert back.latents.shape == (3, 5)
    np.testing.assert_array_equal(back.nearest, [0, 1, 2])


def test_worked_example_passes_its_own_test(example: tuple[Entry, str]) -> None:
    _, test = example
    namespace: dict[str, object] = {}
    exec(test, namespace)
    tests = [value for name, value in namespace.items() if name.startswith("test_")]
    assert len(tests) == 1
    for check in tests:
        check()  # type: ignore[operator]
