"""The worked examples of CONTRIBUTING.md, run as they stand there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.api.converting import write_native
from latentlab.core import registry
from latentlab.core.errors import CheckpointError
from latentlab.core.projections import job
from latentlab.core.registry import FORMATS, PROJECTIONS, Entry, Registry
from latentlab.formats import Options, foreign, open_checkpoint, reading

PAGE = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Reports:
    def __init__(self) -> None:
        self.partials: list[np.ndarray] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        assert 0 <= done <= total

    def partial(self, value: np.ndarray) -> None:
        self.partials.append(value)


def blocks(heading: str, following: str) -> list[str]:
    """The Python of a section."""
    section = PAGE[PAGE.index(heading) : PAGE.index(following)]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def imported(source: str, line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """The entry of a registry line, whose module is importable under its name."""
    entry: Entry = eval(f"({line.strip()})", {"Entry": Entry})[0]
    name = entry.target.partition(":")[0]
    path = folder / f"{name.rpartition('.')[2]}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return entry


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, str]:
    """The projection importable under its name and registered by its line; and the source of its test."""
    source, line, test = blocks("## Add a projection", "## Add a panel")
    entry = imported(source, line, tmp_path, monkeypatch)
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


def test_worked_format_opens_converts_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = imported(*blocks("## Add a format", "## Add a command"), tmp_path, monkeypatch)
    others = list(FORMATS.values())
    with_it = Registry("format", *others[:-1], entry, others[-1])
    monkeypatch.setattr(reading, "FORMATS", with_it)
    monkeypatch.setattr(foreign, "FORMATS", with_it)
    parts = nn.ModuleDict({"from_latent": nn.Linear(3, 20), "to_pixels": nn.Linear(20, 64)})
    wrapped = {"epoch": 3, "model_state_dict": {f"module.{name}": value for name, value in parts.state_dict().items()}}
    source, target = tmp_path / "course.pth", tmp_path / "course.safetensors"
    torch.save(wrapped, source)
    write_native(source, target, Options("cpu"))
    latents = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    with torch.no_grad():
        hidden = torch.relu(parts["from_latent"](torch.from_numpy(latents)))
        wanted = torch.sigmoid(parts["to_pixels"](hidden)).numpy().reshape(4, 8, 8, 1)
    for path, title in ((source, "little decoder"), (target, "native")):
        model = open_checkpoint(path, "cpu")
        assert model.info.format == title
        np.testing.assert_allclose(model.decode_float(latents), wanted, atol=1e-6)
    torch.save({**parts.state_dict(), "to_pixels.bias": torch.zeros(7)}, source)
    with pytest.raises(CheckpointError, match=r"first 'to_pixels.bias' \(is \(7,\); \(64,\) is needed\)"):
        open_checkpoint(source, "cpu")
