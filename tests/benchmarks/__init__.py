"""Benchmarks: whole processes beside their peers, interleaved, as ratios. Run: `python -m tests.benchmarks`."""
