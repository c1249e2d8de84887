"""The VAE's noise and order of images, for engines that leave both to NumPy: drawn anew, or as given where results are compared."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.catalogue import SEED
from benchmarks.engines.backend import Arrays, Step


def vae(step: Callable[..., Any], arrays: Arrays, latent: int, batch: int, own_draws: bool) -> Step:
    """One step after the other on the same images, each with noise of its own."""
    generator, images = np.random.default_rng(SEED), arrays["images"]
    if own_draws:
        return lambda: step(images, generator.standard_normal((batch, latent), dtype=np.float32))
    given = iter(arrays["noise"].reshape(-1, batch, latent))
    return lambda: step(images, next(given))


def epoch(step: Callable[..., Any], arrays: Arrays, latent: int, batch: int, images: int, own_draws: bool) -> Step:
    """All images once, in batches; the mean of their losses."""
    generator, pictures = np.random.default_rng(SEED), arrays["images"]

    def run() -> float:
        order = generator.permutation(images) if own_draws else arrays["order"]
        losses = []
        for i in range(0, images, batch):
            rows = pictures[order[i : i + batch]]
            drawn = generator.standard_normal((len(rows), latent), dtype=np.float32) if own_draws else None
            losses.append(step(rows, arrays["noise"][i : i + batch] if drawn is None else drawn))
        return sum(losses) / len(losses)

    return run
