"""What the documentation says is true: links lead somewhere, examples run, shortcuts exist."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from latentlab.core.encodings import EncodingSet
from latentlab.core.expressions import Scope, evaluate
from latentlab.core.registry import PANELS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "assets").glob("*.md")]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def heading_anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        assert not path or (page.parent / path).exists(), f"{page.name} links to {target}"
        if anchor:
            linked = (page.parent / path).read_text(encoding="utf-8") if path else text
            assert anchor in heading_anchors(linked), f"{page.name} links to {target}"


def test_every_test_that_proves_an_answer_to_a_fault_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text_of("docs/faults.md"))
    assert len(named) > 50
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in text_of(path)]
    assert not missing


def test_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, but for the window at its end."""
    import latentlab

    (example,) = re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL)
    shown: list[object] = []
    namespace: dict[str, object] = {}
    with patch.object(latentlab, "explore", shown.append, create=True):
        exec(example, namespace)
    assert shown == [namespace["model"]]
    for name, count in (("images", 16), ("edited", 16)):
        pictures = namespace[name]
        assert isinstance(pictures, np.ndarray)
        assert (pictures.dtype, len(pictures), pictures.ndim) == (np.uint8, count, 4)
    assert not np.array_equal(namespace["edited"], namespace["images"])  # type: ignore[arg-type]


def test_shortcuts_of_the_guide_exist(qtbot: object) -> None:
    from latentlab.ui.actions import ACTIONS

    known = {spec.shortcut for spec in ACTIONS} | {entry.shortcut for entry in PANELS.values()}
    table = text_of("docs/user-guide.md").partition("| shortcut | |")[2].partition("## ")[0]
    named = re.findall(r"Ctrl\+(?:Shift\+)?[\w.]+", table)
    assert len(named) > 15
    missing = [shortcut for shortcut in named if shortcut not in known]
    assert not missing


def test_expressions_of_the_guide_can_be_evaluated() -> None:
    guide = text_of("docs/user-guide.md").partition("## Arithmetic")[2]
    (examples,) = re.findall(r"```\n(.*?)```", guide.partition("## Walk")[0], re.DOTALL)
    rng = np.random.default_rng(0)

    def latents(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    scope = Scope(
        points={"current": latents(4), "origin": latents(4), "sample 3 of seed 0": latents(4)},
        directions={"Eyeglasses": latents(4), "Young": latents(4)},
        groups={"group A": latents(5, 4), "group B": latents(5, 4)},
        encodings=EncodingSet(latents(1300, 4)),
    )
    lines = examples.strip().splitlines()
    assert len(lines) == 3
    for line in lines:
        found = evaluate(line, scope)
        assert found.shape == (4,)
        assert np.isfinite(found).all()
