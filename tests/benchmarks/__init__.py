"""Figures, not tests: `make bench` measures and prints them; no other run collects the files `bench_*.py`."""
