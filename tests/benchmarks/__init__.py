"""Benchmarks: `make bench` runs them and prints figures; no other run collects the files `bench_*.py`."""
