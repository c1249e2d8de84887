"""The literature's numbers, measured again: one file a number, one command for all, `python -m benchmarks numbers`."""
