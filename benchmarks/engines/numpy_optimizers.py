"""SGD and Adam on NumPy arrays, in place, for the engines that bring no optimizer."""

import numpy as np


def sgd(parameters: list[np.ndarray], gradients: list[np.ndarray], rate: float = 0.1) -> None:
    """Take a step down the gradient."""
    for p, g in zip(parameters, gradients, strict=True):
        p -= np.float32(rate) * g


class Adam:
    """PyTorch's Adam with its defaults: https://arxiv.org/abs/1412.6980, algorithm 1."""

    def __init__(self, parameters: list[np.ndarray], rate: float = 1e-3) -> None:
        self.parameters, self.rate, self.count = parameters, rate, 0
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]

    def step(self, gradients: list[np.ndarray]) -> None:
        """Move the parameters by these gradients."""
        self.count += 1
        rate = np.float32(self.rate / (1 - 0.9**self.count))
        root = np.float32((1 - 0.999**self.count) ** 0.5)
        for p, g, m, v in zip(self.parameters, gradients, self.first, self.second, strict=True):
            m *= np.float32(0.9)
            m += np.float32(0.1) * g
            v *= np.float32(0.999)
            v += np.float32(0.001) * (g * g)
            p -= rate * m / (np.sqrt(v) / root + np.float32(1e-8))
