"""MyGrad: forward and backward on NumPy arrays, first derivatives only; the optimizers are NumPy's own work.

Its memory guard, which locks every array in use, is turned off, as its page on performance recommends.
"""

from collections.abc import Callable
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet import activations

from benchmarks.engines import draws
from benchmarks.engines.backend import Arrays, Backend, Step, weights
from benchmarks.engines.blas import numpy_versions
from benchmarks.engines.numpy_optimizers import Adam, sgd

TINY = np.float32(
    1e-38
)  # the smallest probability whose logarithm is taken: PyTorch cuts the logarithm at -100 instead
HALF, ONE = np.float32(0.5), np.float32(1)


def _linear(x: Any, parameters: list, i: int) -> Any:
    return mg.matmul(x, parameters[2 * i].T) + parameters[2 * i + 1]


def _cross_entropy(p: Any, target: Any) -> Any:
    return -(target * mg.log(mg.maximum(p, TINY)) + (ONE - target) * mg.log(mg.maximum(ONE - p, TINY)))


def _vae_loss(parameters: list, images: Any, noise: Any) -> Any:
    features = activations.relu(_linear(images, parameters, 0))
    mu, logvar = _linear(features, parameters, 1), _linear(features, parameters, 2)
    codes = mu + mg.exp(HALF * logvar) * noise
    copies = activations.sigmoid(_linear(activations.relu(_linear(codes, parameters, 3)), parameters, 4))
    kl = HALF * mg.sum(mu * mu + mg.exp(logvar) - ONE - logvar)
    return (mg.sum(_cross_entropy(copies, images)) + kl) / np.float32(len(images))


def _stepper(loss: Callable, arrays: Arrays, update: Callable[[list[np.ndarray]], Callable]) -> Callable:
    """Return `step(*inputs)`, which takes a training step and returns the loss before it."""
    parameters = [mg.tensor(w) for w in weights(arrays)]
    move = update([p.data for p in parameters])

    def step(*inputs: Any) -> float:
        value = loss(parameters, *inputs)
        value.backward()
        move([p.grad for p in parameters])
        return value.item()

    return step


def tutorial(arrays: Arrays, own_draws: bool, **sizes: int) -> Step:
    def loss(parameters: list, image: Any) -> Any:
        copy = activations.sigmoid(_linear(activations.relu(_linear(image, parameters, 0)), parameters, 1))
        return mg.mean(_cross_entropy(copy, image))

    step = _stepper(loss, arrays, lambda parameters: lambda gradients: sgd(parameters, gradients))
    return lambda: step(arrays["image"])


def mlp(arrays: Arrays, widths: list[int], batch: int, activation: str, activate_last: bool, own_draws: bool) -> Step:
    function = {"Tanh": mg.tanh, "ReLU": activations.relu}[activation]
    layers = len(widths) - 1

    def loss(parameters: list, rows: Any) -> Any:
        x = rows
        for i in range(layers):
            x = _linear(x, parameters, i)
            x = function(x) if activate_last or i < layers - 1 else x
        return mg.mean((x - rows) ** 2)

    step = _stepper(loss, arrays, lambda parameters: Adam(parameters).step)
    return lambda: step(arrays["rows"])


def _vae_step(arrays: Arrays) -> Callable:
    return _stepper(_vae_loss, arrays, lambda parameters: Adam(parameters).step)


def vae(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, own_draws: bool) -> Step:
    return draws.vae(_vae_step(arrays), arrays, latent, batch, own_draws)


def epoch(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, images: int, own_draws: bool) -> Step:
    return draws.epoch(_vae_step(arrays), arrays, latent, batch, images, own_draws)


_OPERATIONS: dict[str, Callable] = {
    "add": mg.add,
    "multiply": mg.multiply,
    "exp": mg.exp,
    "tanh": mg.tanh,
    "relu": activations.relu,
    "sum": mg.sum,
    "log_softmax": lambda x: activations.logsoftmax(x, axis=1),
    "matmul": mg.matmul,
}


def operation(arrays: Arrays, operation: str, direction: str, size: int, own_draws: bool) -> Step:
    rule, g = _OPERATIONS[operation], arrays["g"]
    operands = [mg.tensor(arrays[name]) for name in ("x", "y") if name in arrays]
    if direction == "forward":
        return lambda: rule(*operands)

    def both() -> Any:
        y = rule(*operands)
        y.backward(g)
        return y.data, *(x.grad for x in operands)

    return both


def chain(arrays: Arrays, length: int, size: int, own_draws: bool) -> Step:
    x, g = mg.tensor(arrays["x"]), arrays["g"]

    def both() -> Any:
        y = x
        for _ in range(length):
            y = mg.sin(y)
        y.backward(g)
        return [x.grad]

    return both


def start(threads: int) -> Backend:
    """Return the programs; NumPy's threads are set by the environment."""
    mg.turn_memory_guarding_off()
    programs: list[Any] = [tutorial, mlp, vae, epoch, operation, chain]
    versions = {"mygrad": mg.__version__, **numpy_versions()}
    return Backend({program.__name__: program for program in programs}, np.asarray, versions)
