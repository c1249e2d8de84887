"""Speed beside PyTorch's and others': `python -m benchmarks`; a whole training run: `python -m benchmarks.vae_mnist`."""
