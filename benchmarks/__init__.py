"""Speed beside PyTorch's and others': `python -m benchmarks`; the literature's numbers: `python -m benchmarks numbers`."""
