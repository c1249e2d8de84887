"""The limits: a work's matrix products alone, and the memory it must read and write alone, both in NumPy.

No engine that leaves the products to the same BLAS can be faster than the first, and none that keeps its numbers in
memory faster than the second. Neither computes a result.
"""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.engines.backend import Arrays, Backend, Step, vae_shapes, weights
from benchmarks.engines.blas import numpy_versions

BLOCK = 1 << 18  # floats: below this, waking a second thread costs more than it brings


def products(shapes: list[tuple[int, int]], batch: int) -> Step:
    """The products of forward and backward through linear layers `(in, out)`; the data needs no gradient."""
    calls: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    generator = np.random.default_rng(0)

    def operand(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape, dtype=np.float32)

    for i, (inputs, outputs) in enumerate(shapes):
        x, w, g = operand(batch, inputs), operand(outputs, inputs), operand(batch, outputs)
        calls += [(x, w.T, np.empty_like(g)), (g.T, x, np.empty_like(w))]
        if i > 0:
            calls.append((g, w, np.empty_like(x)))

    def step() -> None:
        for left, right, out in calls:
            np.matmul(left, right, out=out)

    return step


def traffic(floats: float, threads: int) -> Step:
    """Copy in memory until so many float32 have been read or written, on all threads where that helps."""
    source = np.ones(max(1, math.ceil(floats / 2)), np.float32)
    target = np.empty_like(source)
    parts = min(threads, len(source) // BLOCK)
    if parts <= 1:
        return lambda: np.copyto(target, source)
    pool = ThreadPoolExecutor(parts)
    pieces = list(zip(np.array_split(target, parts), np.array_split(source, parts), strict=True))
    return lambda: [future.result() for future in [pool.submit(np.copyto, *piece) for piece in pieces]]


def training_floats(parameters: int, activations: int, inputs: int, adam: bool) -> int:
    """Return what a step reads and writes at least.

    A gradient is written and read, a parameter read by forward and update and written; Adam reads and writes two moments
    more. An activation is written and read forward and read again backward, where its gradient is written and read.
    """
    return parameters * (5 + 4 * adam) + 5 * activations + 2 * inputs


def _sizes(kind: str, p: dict[str, Any]) -> tuple[list[tuple[int, int]], int]:
    """The linear layers of a training step and its batch."""
    if kind == "tutorial":
        return [(p["pixels"], p["hidden"]), (p["hidden"], p["pixels"])], 1
    if kind == "mlp":
        return list(itertools.pairwise(p["widths"])), p["batch"]
    return vae_shapes(p["pixels"], p["hidden"], p["latent"]), p["batch"]


def _repeated(step: Step, times: int) -> Step:
    return lambda: [step() for _ in range(times)]


def _products_of(kind: str) -> Any:
    def program(arrays: Arrays, own_draws: bool, **p: Any) -> Step:
        if kind == "operation":
            x, y, g = (arrays[name] for name in "xyg")
            pairs = [(x, y)] if p["direction"] == "forward" else [(x, y), (g, y.T), (x.T, g)]
            outs = [np.empty_like(x) for _ in pairs]
            return lambda: [np.matmul(*pair, out=out) for pair, out in zip(pairs, outs, strict=True)]
        step = products(*_sizes(kind, p))
        return _repeated(step, math.ceil(p["images"] / p["batch"])) if kind == "epoch" else step

    return program


def _traffic_of(kind: str, threads: int) -> Any:
    def program(arrays: Arrays, own_draws: bool, **p: Any) -> Step:
        if kind == "operation":
            x, g = arrays["x"], arrays["g"]
            inputs = x.size * (2 if "y" in arrays else 1)
            if p["operation"] == "sum":
                return traffic(inputs, threads)  # the gradient is one number, seen as many
            # Backward reads g and writes a gradient for each input; what else it reads depends on the operation.
            return traffic(inputs + g.size + (g.size + inputs if p["direction"] == "both" else 0), threads)
        if kind == "chain":
            return traffic(p["length"] * p["size"] * 4, threads)
        if kind == "loading":
            return traffic(arrays["rows"].size * 2, threads)
        layers, batch = _sizes(kind, p)
        parameters = sum(w.size for w in weights(arrays))
        activations = batch * sum(outputs for _, outputs in layers)
        floats = training_floats(parameters, activations, batch * layers[0][0], kind != "tutorial")
        step = traffic(floats, threads)
        return _repeated(step, math.ceil(p["images"] / batch)) if kind == "epoch" else step

    return program


TRAINING = ("tutorial", "vae", "mlp", "epoch")


def start_products(threads: int) -> Backend:
    """The matrix products alone."""
    programs = {kind: _products_of(kind) for kind in (*TRAINING, "operation")}
    return Backend(programs, np.asarray, numpy_versions())


def start_traffic(threads: int) -> Backend:
    """The memory traffic alone."""
    programs = {kind: _traffic_of(kind, threads) for kind in (*TRAINING, "operation", "chain", "loading")}
    return Backend(programs, np.asarray, numpy_versions())
