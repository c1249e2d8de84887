"""Speed beside PyTorch's: `python -m benchmarks`; numbers of a whole training run: `python -m benchmarks.vae_mnist`."""
