"""tinygrad on the processor: whole steps under its own just-in-time compiler, with its own optimizers."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import tinygrad.nn.optim as optim
from tinygrad import Device, Tensor, TinyJit
from tinygrad.helpers import Context

from benchmarks.engines.backend import Arrays, Backend, Step, weights

TINY = 1e-38  # the smallest probability whose logarithm is taken: PyTorch cuts the logarithm at -100 instead


def _linear(x: Tensor, parameters: list[Tensor], i: int) -> Tensor:
    return x.linear(parameters[2 * i].T, parameters[2 * i + 1])


def _cross_entropy(p: Tensor, target: Tensor) -> Tensor:
    return -(target * p.maximum(TINY).log() + (1 - target) * (1 - p).maximum(TINY).log())


def _tensor(array: np.ndarray) -> Tensor:
    return Tensor(np.array(array)).clone().realize()


def _parameters(arrays: Arrays) -> list[Tensor]:
    return [_tensor(w) for w in weights(arrays)]


def _stepper(loss: Callable[..., Tensor], optimizer: Any) -> Callable:
    """Return `step(*inputs)`, which takes a training step and returns the loss before it."""

    @TinyJit
    def step(*inputs: Tensor) -> Tensor:
        optimizer.zero_grad()
        value = loss(*inputs)
        value.backward()
        return value.realize(*optimizer.schedule_step())

    def train(*inputs: Tensor) -> Tensor:
        with Context(TRAINING=1):
            return step(*inputs)

    return train


def tutorial(arrays: Arrays, own_draws: bool, **sizes: int) -> Step:
    parameters, image = _parameters(arrays), _tensor(arrays["image"])

    def loss(image: Tensor) -> Tensor:
        copy = _linear(_linear(image, parameters, 0).relu(), parameters, 1).sigmoid()
        return _cross_entropy(copy, image).mean()

    step = _stepper(loss, optim.SGD(parameters, lr=0.1))
    return lambda: step(image).item()


def mlp(arrays: Arrays, widths: list[int], batch: int, activation: str, activate_last: bool, own_draws: bool) -> Step:
    parameters, rows = _parameters(arrays), _tensor(arrays["rows"])
    function = {"Tanh": Tensor.tanh, "ReLU": Tensor.relu}[activation]
    layers = len(widths) - 1

    def loss(rows: Tensor) -> Tensor:
        x = rows
        for i in range(layers):
            x = _linear(x, parameters, i)
            x = function(x) if activate_last or i < layers - 1 else x
        return (x - rows).square().mean()

    step = _stepper(loss, optim.Adam(parameters, lr=1e-3))
    return lambda: step(rows).item()


def vae(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, own_draws: bool) -> Step:
    parameters, images = _parameters(arrays), _tensor(arrays["images"])

    def loss(images: Tensor, *given: Tensor) -> Tensor:
        features = _linear(images, parameters, 0).relu()
        mu, logvar = _linear(features, parameters, 1), _linear(features, parameters, 2)
        noise = given[0] if given else Tensor.randn(batch, latent)
        codes = mu + (0.5 * logvar).exp() * noise
        copies = _linear(_linear(codes, parameters, 3).relu(), parameters, 4).sigmoid()
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum()
        return (_cross_entropy(copies, images).sum() + kl) / batch

    step = _stepper(loss, optim.Adam(parameters, lr=1e-3))
    if own_draws:
        return lambda: step(images).item()
    drawn = iter(arrays["noise"].reshape(-1, batch, latent))
    return lambda: step(images, _tensor(next(drawn))).item()


_OPERATIONS: dict[str, Callable] = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "exp": Tensor.exp,
    "tanh": Tensor.tanh,
    "relu": Tensor.relu,
    "sum": Tensor.sum,
    "log_softmax": lambda x: x.log_softmax(axis=1),
    "matmul": lambda x, y: x @ y,
}


def _finished(function: Callable, *inputs: Tensor) -> Any:
    """Call a compiled function and wait for its numbers."""
    result = function(*inputs)
    Device[Device.DEFAULT].synchronize()
    return result


def operation(arrays: Arrays, operation: str, direction: str, size: int, own_draws: bool) -> Step:
    rule = _OPERATIONS[operation]
    operands, g = [_tensor(arrays[name]) for name in ("x", "y") if name in arrays], _tensor(arrays["g"])

    @TinyJit
    def forward(*xs: Tensor) -> Tensor:
        return rule(*xs).realize()

    @TinyJit
    def both(g: Tensor, *xs: Tensor) -> Any:
        y = rule(*xs)
        # What is handed back must be memory of its own: the gradient of a sum is g itself, spread out.
        results = [r.contiguous() for r in (y, *y.gradient(*xs, gradient=g))]
        Tensor.realize(*results)
        return results

    return (
        (lambda: _finished(forward, *operands)) if direction == "forward" else (lambda: _finished(both, g, *operands))
    )


def start(threads: int) -> Backend:
    """Return the programs; tinygrad takes its threads from the environment."""
    programs: list[Any] = [tutorial, mlp, vae, operation]
    versions = {"tinygrad": version("tinygrad"), "BLAS": "tinygrad's own"}
    return Backend({program.__name__: program for program in programs}, _to_numpy, versions)


def _to_numpy(result: Any) -> np.ndarray:
    return np.asarray(result.numpy() if isinstance(result, Tensor) else result)
