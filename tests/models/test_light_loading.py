"""Opening a model imports no compiler: that cost more than the rest of the start together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from latentlab.core.bundled import bundled_models

PROGRAM = """
import sys
from pathlib import Path
from latentlab.models.loading import load_native
model = load_native(Path(sys.argv[1]), "cpu")
model.decode(model.sample(1))
print([name for name in ("torch._dynamo", "torch._inductor", "sklearn") if name in sys.modules])
"""


@pytest.mark.parametrize("path", bundled_models(), ids=lambda path: path.stem)
def test_a_bundled_model_opens_without_the_compiler(path: object) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
