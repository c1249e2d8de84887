"""The programs of each engine, a file for each; `benchmarks/registry.py` says who they are and what they need."""
