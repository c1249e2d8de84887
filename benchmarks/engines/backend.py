"""What a file of this folder offers to the worker: its programs by kind, and how its results become NumPy arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Step = Callable[[], Any]
"""Does the work once and returns what came out: a loss as a float, or arrays of the engine's own kind."""

Program = Callable[..., Step]
"""`program(arrays, **parameters)` prepares the work; `own_draws` says if random numbers are drawn or given."""


@dataclass(frozen=True)
class Backend:
    """An engine at work in this process."""

    programs: dict[str, Program]
    to_numpy: Callable[[Any], np.ndarray]
    versions: dict[str, str]


def weights(arrays: Arrays) -> list[np.ndarray]:
    """Return the initial weights `(out, in)` and biases `(out,)`, in the order of the layers."""
    return [arrays[f"weight{i}"] for i in range(len(arrays)) if f"weight{i}" in arrays]


def vae_shapes(pixels: int, hidden: int, latent: int) -> list[tuple[int, int]]:
    """Return (in, out) of the VAE's layers: encoder, mean, log-variance, decoder, output."""
    return [(pixels, hidden), (hidden, latent), (hidden, latent), (latent, hidden), (hidden, pixels)]
