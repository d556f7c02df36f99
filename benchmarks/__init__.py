"""What is fast, measured as ratios within one run. Each script: `python -m benchmarks.NAME [--out FILE.json]`."""

import sys
from pathlib import Path

# A script run by its path puts this folder first, where training.py would hide the package of that name.
_here = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _here]
