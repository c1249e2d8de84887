"""HIPS autograd: forward and backward on NumPy arrays; the optimizers are NumPy's own work."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import autograd
import autograd.numpy as np
import numpy

from benchmarks.engines import draws
from benchmarks.engines.backend import Arrays, Backend, Step, weights
from benchmarks.engines.blas import numpy_versions
from benchmarks.engines.numpy_optimizers import Adam, sgd

TINY = numpy.float32(
    1e-38
)  # the smallest probability whose logarithm is taken: PyTorch cuts the logarithm at -100 instead
HALF = numpy.float32(0.5)


def _linear(x: Any, parameters: list, i: int) -> Any:
    return np.dot(x, parameters[2 * i].T) + parameters[2 * i + 1]


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _sigmoid(x: Any) -> Any:
    return HALF * (np.tanh(HALF * x) + 1)


def _cross_entropy(p: Any, target: Any) -> Any:
    return -(target * np.log(np.maximum(p, TINY)) + (1 - target) * np.log(np.maximum(1 - p, TINY)))


def _vae_loss(parameters: list, images: Any, noise: Any) -> Any:
    features = _relu(_linear(images, parameters, 0))
    mu, logvar = _linear(features, parameters, 1), _linear(features, parameters, 2)
    codes = mu + np.exp(HALF * logvar) * noise
    copies = _sigmoid(_linear(_relu(_linear(codes, parameters, 3)), parameters, 4))
    kl = HALF * np.sum(mu * mu + np.exp(logvar) - 1 - logvar)
    return (np.sum(_cross_entropy(copies, images)) + kl) / numpy.float32(len(images))


def _stepper(loss: Callable, parameters: list, update: Callable) -> Callable:
    """Return `step(*inputs)`, which takes a training step and returns the loss before it."""
    value_and_grad = autograd.value_and_grad(loss)

    def step(*inputs: Any) -> float:
        value, gradients = value_and_grad(parameters, *inputs)
        update(gradients)
        return float(value)

    return step


def tutorial(arrays: Arrays, own_draws: bool, **sizes: int) -> Step:
    def loss(parameters: list, image: Any) -> Any:
        copy = _sigmoid(_linear(_relu(_linear(image, parameters, 0)), parameters, 1))
        return np.mean(_cross_entropy(copy, image))

    parameters, image = [w.copy() for w in weights(arrays)], arrays["image"]
    step = _stepper(loss, parameters, lambda gradients: sgd(parameters, gradients))
    return lambda: step(image)


def mlp(arrays: Arrays, widths: list[int], batch: int, activation: str, activate_last: bool, own_draws: bool) -> Step:
    function = {"Tanh": np.tanh, "ReLU": _relu}[activation]
    layers = len(widths) - 1

    def loss(parameters: list, rows: Any) -> Any:
        x = rows
        for i in range(layers):
            x = _linear(x, parameters, i)
            x = function(x) if activate_last or i < layers - 1 else x
        return np.mean((x - rows) ** 2)

    parameters, rows = [w.copy() for w in weights(arrays)], arrays["rows"]
    step = _stepper(loss, parameters, Adam(parameters).step)
    return lambda: step(rows)


def _vae_step(arrays: Arrays) -> Callable:
    parameters = [w.copy() for w in weights(arrays)]
    return _stepper(_vae_loss, parameters, Adam(parameters).step)


def vae(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, own_draws: bool) -> Step:
    return draws.vae(_vae_step(arrays), arrays, latent, batch, own_draws)


def epoch(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, images: int, own_draws: bool) -> Step:
    return draws.epoch(_vae_step(arrays), arrays, latent, batch, images, own_draws)


def _log_softmax(x: Any) -> Any:
    x = x - np.max(x, axis=1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=1, keepdims=True))


_OPERATIONS: dict[str, Callable] = {
    "add": np.add,
    "multiply": np.multiply,
    "exp": np.exp,
    "tanh": np.tanh,
    "relu": _relu,
    "sum": np.sum,
    "log_softmax": _log_softmax,
    "matmul": np.matmul,
}


def operation(arrays: Arrays, operation: str, direction: str, size: int, own_draws: bool) -> Step:
    """Forward records as it does in training: `make_vjp` runs the operation on traced values."""
    rule = _OPERATIONS[operation]
    operands = tuple(arrays[name] for name in ("x", "y") if name in arrays)
    g = arrays["g"]
    make = autograd.make_vjp(lambda xs: rule(*xs))
    if direction == "forward":
        return lambda: make(operands)[1]

    def both() -> Any:
        pull, y = make(operands)
        return y, *pull(g)

    return both


def chain(arrays: Arrays, length: int, size: int, own_draws: bool) -> Step:
    def sines(x: Any) -> Any:
        for _ in range(length):
            x = np.sin(x)
        return x

    make = autograd.make_vjp(sines)
    return lambda: [make(arrays["x"])[0](arrays["g"])]


def penalty(arrays: Arrays, width: int, batch: int, own_draws: bool) -> Step:
    def loss(parameters: list, rows: Any) -> Any:
        x = np.tanh(_linear(np.tanh(_linear(rows, parameters, 0)), parameters, 1))
        return np.mean((x - rows) ** 2)

    gradient = autograd.grad(loss)

    def squares(parameters: list, rows: Any) -> Any:
        return sum(np.sum(g * g) for g in gradient(parameters, rows))

    both, parameters = autograd.grad(squares), weights(arrays)
    return lambda: both(parameters, arrays["rows"])


def start(threads: int) -> Backend:
    """Return the programs; NumPy's threads are set by the environment."""
    programs: list[Any] = [tutorial, mlp, vae, epoch, operation, chain, penalty]
    versions = {"autograd": version("autograd"), **numpy_versions()}
    return Backend({program.__name__: program for program in programs}, numpy.asarray, versions)
