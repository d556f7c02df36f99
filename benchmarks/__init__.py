"""What is fast, measured as ratios within one run. Each script: `python -m benchmarks.NAME [--out FILE.json]`."""
