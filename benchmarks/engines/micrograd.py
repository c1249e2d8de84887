"""micrograd: the first autoencoder, number by number. Sigmoid and logarithm are added as its own operations are made."""

import math
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from micrograd.engine import Value

from benchmarks.engines.backend import Arrays, Backend, Step, weights


def _operation(x: Value, y: float, slope: float, name: str) -> Value:
    """Record y = f(x), whose derivative at x is `slope`."""
    out = Value(y, (x,), name)

    def _backward() -> None:
        x.grad += slope * out.grad

    out._backward = _backward
    return out


def _sigmoid(x: Value) -> Value:
    y = 1 / (1 + math.exp(-x.data))
    return _operation(x, y, y * (1 - y), "sigmoid")


def _log(x: Value) -> Value:
    return _operation(x, math.log(x.data), 1 / x.data, "log")


def tutorial(arrays: Arrays, own_draws: bool, **sizes: int) -> Step:
    parameters = [np.vectorize(Value)(w) for w in weights(arrays)]
    every = [p for array in parameters for p in array.flat]
    pixels = arrays["image"][0].tolist()

    def linear(x: list[Value], i: int, function: Callable[[Value], Value]) -> list[Value]:
        rows = zip(parameters[2 * i], parameters[2 * i + 1], strict=True)
        return [function(sum((w * v for w, v in zip(row, x, strict=True)), bias)) for row, bias in rows]

    def step() -> float:
        for p in every:
            p.grad = 0
        image = [Value(pixel) for pixel in pixels]
        copy = linear(linear(image, 0, Value.relu), 1, _sigmoid)
        # The pixels are 0 or 1, so one of the cross-entropy's two terms is always 0.
        terms = [_log(p) if pixel else _log(1 - p) for p, pixel in zip(copy, pixels, strict=True)]
        loss = -sum(terms) * (1 / len(terms))
        loss.backward()
        for p in every:
            p.data -= 0.1 * p.grad
        return loss.data

    return step


def start(threads: int) -> Backend:
    """Return the one program that numbers alone can do in time."""
    return Backend({"tutorial": tutorial}, np.asarray, {"micrograd": version("micrograd")})
