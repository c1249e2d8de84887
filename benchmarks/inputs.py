"""The arrays of a work, the same for every engine: initial weights, data, and the random draws of the first steps.

Weights come from minigrad's layers, which draw PyTorch's numbers from PyTorch's seed. The draws are given to an engine
only where results are compared: while it is timed, it draws its own.
"""

import itertools
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

import minigrad
from ae import data
from benchmarks.catalogue import SEED, Work
from benchmarks.engines.backend import Arrays, vae_shapes
from minigrad import nn
from minigrad.utils.data import DataLoader, TensorDataset

CHECKED_STEPS = 5  # steps compared before anything is timed: compilers only capture in the first two or three


def make(work: Work) -> Arrays:
    """Return the arrays of a work.

    Raises FileNotFoundError if the data of the MNIST epoch cannot be found.
    """
    minigrad.manual_seed(SEED)
    arrays: Arrays = _MAKERS[work.kind](**work.parameters)
    return arrays


def _layers(shapes: Iterable[tuple[int, int]]) -> Arrays:
    parameters = [p for shape in shapes for p in nn.Linear(*shape).parameters()]
    return {f"weight{i}": p.detach().numpy() for i, p in enumerate(parameters)}


def _tutorial(pixels: int, hidden: int) -> Arrays:
    image = (minigrad.rand(1, pixels) > 0.5).to(minigrad.float32)
    return _layers([(pixels, hidden), (hidden, pixels)]) | {"image": image.numpy()}


def _vae(pixels: int, hidden: int, latent: int, batch: int) -> Arrays:
    arrays = _layers(vae_shapes(pixels, hidden, latent)) | {"images": minigrad.rand(batch, pixels).numpy()}
    minigrad.manual_seed(SEED)
    arrays["noise"] = np.concatenate([minigrad.randn(batch, latent).numpy() for _ in range(CHECKED_STEPS)])
    return arrays


def _mlp(widths: list[int], batch: int, activation: str, activate_last: bool) -> Arrays:
    return _layers(itertools.pairwise(widths)) | {"rows": minigrad.rand(batch, widths[0]).numpy()}


def _operation(operation: str, direction: str, size: int) -> Arrays:
    shapes: dict[str, tuple[int, ...]]
    if operation == "matmul":
        side = round(size**0.5)
        shapes = {"x": (side, side), "y": (side, side), "g": (side, side)}
    elif operation == "log_softmax":
        rows = max(1, size // 100)
        shapes = {"x": (rows, size // rows), "g": (rows, size // rows)}
    else:
        shapes = {"x": (size,), "g": () if operation == "sum" else (size,)}
        if operation in ("add", "multiply"):
            shapes["y"] = (size,)
    generator = np.random.default_rng(SEED)
    return {name: generator.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def _chain(length: int, size: int) -> Arrays:
    generator = np.random.default_rng(SEED)
    return {name: generator.standard_normal(size, dtype=np.float32) for name in ("x", "g")}


def _penalty(width: int, batch: int) -> Arrays:
    return _layers([(width, width)] * 2) | {"rows": minigrad.rand(batch, width).numpy()}


def _gradcheck(size: int) -> Arrays:
    generator = np.random.default_rng(SEED)
    return {"x": generator.standard_normal((1, size)), "w": generator.standard_normal((size, 4))}


def _loading(batch: int, rows: int) -> Arrays:
    data_rows = np.random.default_rng(SEED).random((rows, 784), dtype=np.float32)
    return {"rows": data_rows, "order": _order(rows)}


def _epoch(pixels: int, hidden: int, latent: int, batch: int, images: int) -> Arrays:
    arrays = _layers(vae_shapes(pixels, hidden, latent)) | {"images": _images(images, pixels)}
    arrays["order"] = _order(images)
    # The loader has taken its draws from the generator; what follows are the draws of the steps.
    chunks = [minigrad.randn(min(batch, images - i), latent).numpy() for i in range(0, images, batch)]
    arrays["noise"] = np.concatenate(chunks)
    return arrays


def _images(count: int, pixels: int) -> np.ndarray:
    if pixels != 784:  # made-up pictures, for trying the program out
        return np.random.default_rng(SEED).random((count, pixels), dtype=np.float32)
    images: Any = data.load("mnist", os.environ.get("AE_DATA")).train_images
    return np.ascontiguousarray(images[:count], dtype=np.float32)


def _order(count: int) -> np.ndarray:
    """The order in which a shuffling DataLoader visits the rows after `manual_seed(SEED)`."""
    minigrad.manual_seed(SEED)
    loader: DataLoader = DataLoader(TensorDataset(minigrad.arange(count)), batch_size=1024, shuffle=True)
    return np.concatenate([batch.numpy() for (batch,) in loader])


_MAKERS: dict[str, Any] = {
    "tutorial": _tutorial,
    "vae": _vae,
    "mlp": _mlp,
    "operation": _operation,
    "chain": _chain,
    "penalty": _penalty,
    "gradcheck": _gradcheck,
    "loading": _loading,
    "epoch": _epoch,
}
