"""PyTorch's CPU random stream (interim: seeding and uniform floats; the full one replaces this file)."""

from __future__ import annotations

from typing import Any

import numpy as np


class Generator:
    def __init__(self, device: str = "cpu") -> None:
        self.manual_seed(0)

    def manual_seed(self, seed: int) -> Generator:
        self._r = np.random.RandomState(seed & 0xFFFFFFFF)
        return self

    def uniform(self, shape: Any, dtype: Any, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        return (self._r.random_sample(shape) * (high - low) + low).astype(dtype)

    def normal(self, shape: Any, dtype: Any, mean: float = 0.0, std: float = 1.0) -> np.ndarray:
        return np.asarray(self._r.standard_normal(shape) * std + mean, dtype)

    def permutation(self, n: int) -> np.ndarray:
        return self._r.permutation(n)


default_generator = Generator()
