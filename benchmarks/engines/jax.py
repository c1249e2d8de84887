"""JAX: every step one compiled function, with SGD and Adam written out and the old state's memory handed over."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.catalogue import SEED
from benchmarks.engines.backend import Arrays, Backend, Step, weights

RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
TINY = 1e-38  # the smallest probability whose logarithm is taken: PyTorch cuts the logarithm at -100 instead

Parameters = list[Any]


def _linear(x: Any, parameters: Parameters, i: int) -> Any:
    return x @ parameters[2 * i].T + parameters[2 * i + 1]


def _cross_entropy(p: Any, target: Any) -> Any:
    return -(target * jnp.log(jnp.maximum(p, TINY)) + (1 - target) * jnp.log(jnp.maximum(1 - p, TINY)))


def _vae_loss(parameters: Parameters, images: Any, noise: Any) -> Any:
    features = jax.nn.relu(_linear(images, parameters, 0))
    mu, logvar = _linear(features, parameters, 1), _linear(features, parameters, 2)
    codes = mu + jnp.exp(0.5 * logvar) * noise
    copies = jax.nn.sigmoid(_linear(jax.nn.relu(_linear(codes, parameters, 3)), parameters, 4))
    kl = 0.5 * jnp.sum(jnp.square(mu) + jnp.exp(logvar) - 1 - logvar)
    return (jnp.sum(_cross_entropy(copies, images)) + kl) / images.shape[0]


def _adam(state: Any, gradients: Parameters) -> Any:
    parameters, first, second, count = state
    count = count + 1
    first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradients, strict=True)]
    second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradients, strict=True)]
    rate, root = RATE / (1 - BETA1**count), jnp.sqrt(1 - BETA2**count)
    moved = zip(parameters, first, second, strict=True)
    parameters = [p - rate * m / (jnp.sqrt(v) / root + EPS) for p, m, v in moved]
    return parameters, first, second, count


def _adam_state(arrays: Arrays) -> Any:
    # Three lists of different arrays: memory that is handed over must not be shared.
    lists = [[jnp.array(w) * factor for w in weights(arrays)] for factor in (1, 0, 0)]
    return (*lists, jnp.zeros((), jnp.float32))


class _Trainer:
    """Holds the state between the calls of a compiled step `(state, *inputs) -> (state, loss)`."""

    def __init__(self, state: Any, step: Callable) -> None:
        self.state = state
        self.step = jax.jit(step, donate_argnums=0)

    def __call__(self, *inputs: Any) -> float:
        self.state, loss = self.step(self.state, *inputs)
        return float(loss)


def tutorial(arrays: Arrays, own_draws: bool, **sizes: int) -> Step:
    def loss(parameters: Parameters, image: Any) -> Any:
        copy = jax.nn.sigmoid(_linear(jax.nn.relu(_linear(image, parameters, 0)), parameters, 1))
        return jnp.mean(_cross_entropy(copy, image))

    def step(parameters: Parameters, image: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(parameters, image)
        return [p - 0.1 * g for p, g in zip(parameters, gradients, strict=True)], value

    trainer = _Trainer([jnp.array(w) for w in weights(arrays)], step)
    return functools.partial(trainer, jnp.array(arrays["image"]))


def mlp(arrays: Arrays, widths: list[int], batch: int, activation: str, activate_last: bool, own_draws: bool) -> Step:
    function = {"Tanh": jnp.tanh, "ReLU": jax.nn.relu}[activation]
    layers = len(widths) - 1

    def loss(parameters: Parameters, rows: Any) -> Any:
        x = rows
        for i in range(layers):
            x = _linear(x, parameters, i)
            x = function(x) if activate_last or i < layers - 1 else x
        return jnp.mean(jnp.square(x - rows))

    def step(state: Any, rows: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(state[0], rows)
        return _adam(state, gradients), value

    return functools.partial(_Trainer(_adam_state(arrays), step), jnp.array(arrays["rows"]))


def _vae_trainer(arrays: Arrays, latent: int, own_draws: bool) -> Callable:
    """Return `step(images, noise)`; if the engine draws, the noise is ignored and drawn inside the compiled step."""

    def step(state: Any, images: Any, noise: Any) -> Any:
        adam, key = state
        if own_draws:
            key, drawing = jax.random.split(key)
            noise = jax.random.normal(drawing, (images.shape[0], latent))
        value, gradients = jax.value_and_grad(_vae_loss)(adam[0], images, noise)
        return (_adam(adam, gradients), key), value

    return _Trainer((_adam_state(arrays), jax.random.key(SEED)), step)


def vae(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, own_draws: bool) -> Step:
    step = _vae_trainer(arrays, latent, own_draws)
    images = jnp.array(arrays["images"])
    given = iter(arrays["noise"].reshape(-1, batch, latent))
    return lambda: step(images, None if own_draws else next(given))


def epoch(arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, images: int, own_draws: bool) -> Step:
    step = _vae_trainer(arrays, latent, own_draws)
    pictures, generator = arrays["images"], np.random.default_rng(SEED)

    def run() -> float:
        order = generator.permutation(images) if own_draws else arrays["order"]
        losses = []
        for i in range(0, images, batch):
            losses.append(step(pictures[order[i : i + batch]], None if own_draws else arrays["noise"][i : i + batch]))
        return sum(losses) / len(losses)

    return run


_OPERATIONS: dict[str, Callable] = {
    "add": jnp.add,
    "multiply": jnp.multiply,
    "exp": jnp.exp,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sum": jnp.sum,
    "log_softmax": lambda x: jax.nn.log_softmax(x, axis=1),
    "matmul": jnp.matmul,
}


def operation(arrays: Arrays, operation: str, direction: str, size: int, own_draws: bool) -> Step:
    rule = _OPERATIONS[operation]
    operands = [jnp.array(arrays[name]) for name in ("x", "y") if name in arrays]
    g = jnp.array(arrays["g"])
    if direction == "forward":
        forward = jax.jit(rule)
        return lambda: forward(*operands).block_until_ready()

    @jax.jit
    def both(g: Any, *xs: Any) -> Any:
        y, pull = jax.vjp(rule, *xs)
        return y, *pull(g)

    return lambda: jax.block_until_ready(both(g, *operands))


def chain(arrays: Arrays, length: int, size: int, own_draws: bool) -> Step:
    """The chain is a loop to JAX too, not `length` operations to be compiled one by one."""

    @jax.jit
    def both(x: Any, g: Any) -> Any:
        _, pull = jax.vjp(lambda x: jax.lax.scan(lambda y, _: (jnp.sin(y), None), x, length=length)[0], x)
        return pull(g)

    x, g = jnp.array(arrays["x"]), jnp.array(arrays["g"])
    return lambda: jax.block_until_ready(both(x, g))


def penalty(arrays: Arrays, width: int, batch: int, own_draws: bool) -> Step:
    def loss(parameters: Parameters, rows: Any) -> Any:
        x = jnp.tanh(_linear(jnp.tanh(_linear(rows, parameters, 0)), parameters, 1))
        return jnp.mean(jnp.square(x - rows))

    def squares(parameters: Parameters, rows: Any) -> Any:
        return sum(jnp.sum(jnp.square(g)) for g in jax.grad(loss)(parameters, rows))

    both = jax.jit(jax.grad(squares))
    parameters, rows = [jnp.array(w) for w in weights(arrays)], jnp.array(arrays["rows"])
    return lambda: jax.block_until_ready(both(parameters, rows))


def start(threads: int) -> Backend:
    """Return the programs; JAX takes its threads from the processors this process may use."""
    programs: list[Any] = [tutorial, mlp, vae, epoch, operation, chain, penalty]
    versions = {"jax": jax.__version__, "BLAS": "XLA's own"}
    return Backend({program.__name__: program for program in programs}, np.asarray, versions)
