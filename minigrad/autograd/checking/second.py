"""Second order: the gradient as a function of its own, whose slopes are compared in turn, and the symmetry of the Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import LOW, Evidence, Tolerance
from minigrad.autograd.checking.report import HIGH, Diagnosis
from minigrad.autograd.checking.tensors import TensorProblem
from minigrad.backward import grad
from minigrad.engine import TensorBase
from minigrad.grad_mode import enable_grad
from minigrad.tensor import Tensor


class Gradients:
    """``func``'s gradients as a function of its inputs and of the gradients of its outputs."""

    def __init__(self, func: Callable[..., Any], inputs: Any, grad_outputs: Any, strided: bool) -> None:
        self.func = func
        self.given = [inputs] if isinstance(inputs, (TensorBase, np.ndarray)) else list(inputs)
        if not any(isinstance(x, TensorBase) and x.needs_grad for x in self.given):
            self.given = [_leaf(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in self.given]
        first = TensorProblem(func, self.given)
        outputs = first.forward(first.xs)
        if grad_outputs is None:
            rng = np.random.default_rng(0)
            gs = [_leaf(_upstream(rng, y.shape, strided).astype(y.dtype)) for y in outputs]
        else:
            gs = [
                g
                for g in ([grad_outputs] if isinstance(grad_outputs, TensorBase) else list(grad_outputs))
                if g is not None
            ]
        if len(gs) != len(outputs):
            raise ValueError(
                f"gradgradcheck got {len(gs)} grad_outputs for {len(outputs)} outputs with a gradient: give one for each"
            )
        self.inputs = [*self.given, *gs]
        self.input_names = [f"input {i}" for i in range(len(self.given))]
        self.input_names += [f"gradient of output {i}" for i in range(len(gs))]
        self.output_names = [f"the gradient of {name}" for name in first.names]
        module = getattr(func, "named_parameters", None)
        if module is not None:  # so that the checker sees the parameters of a module in its gradient, too
            self.named_parameters = module
            self.named_buffers = getattr(func, "named_buffers", lambda: ())

    def outputs(self, given: list[Any]) -> list[Any]:
        result = self.func(*given)
        found = list(result) if isinstance(result, (tuple, list)) else [result]
        return [o for o in found if isinstance(o, TensorBase) and o.needs_grad]

    def __call__(self, *values: Any) -> Any:
        given, gs = list(values[: len(self.given)]), list(values[len(self.given) :])
        inner = [p for _, p in self.named_parameters()] if hasattr(self, "named_parameters") else []
        wanted = [x for x in [*given, *inner] if isinstance(x, TensorBase) and x.needs_grad]
        with enable_grad():
            found = grad(self.outputs(given), wanted, gs, create_graph=True, allow_unused=True)
        return tuple(
            Tensor.wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, wanted, strict=True)
        )


def _leaf(array: np.ndarray) -> Any:
    return Tensor.wrap(array.copy(order="K")).requires_grad_()


def _upstream(rng: np.random.Generator, shape: tuple[int, ...], strided: bool) -> np.ndarray:
    if not strided or not shape:
        return np.asarray(rng.standard_normal(shape))
    return rng.standard_normal((*shape[:-1], 2 * shape[-1]))[..., ::2]


def asymmetry(problem: TensorProblem, count: int, asked: Tolerance) -> Diagnosis | None:
    """``u' H v - v' H u`` for random u and v, where H is the Hessian of the outputs' random sum in the inputs."""
    rng = np.random.default_rng(2)
    xs = [x.copy() for x in problem.xs]
    evidence = Evidence(problem, xs, asked, rng)
    own = [k for k in range(len(problem.names)) if k >= len(problem.where) or problem.where[k] < count]
    if len(own) != len(evidence.ys) or [xs[k].shape for k in own] != [y.shape for y in evidence.ys]:
        return None

    def product(u: list[np.ndarray]) -> list[np.ndarray]:
        found = problem.pull([x.copy() for x in xs], [u])[0]
        return [np.zeros(xs[k].shape) if found[k] is None else np.asarray(found[k], np.float64) for k in own]

    u, v = ([rng.standard_normal(xs[k].shape) for k in own] for _ in range(2))
    hu, hv = product(u), product(v)
    one = sum(float(np.sum(a * b)) for a, b in zip(v, hu, strict=True))
    two = sum(float(np.sum(a * b)) for a, b in zip(u, hv, strict=True))
    size = sum(float(np.sum(np.abs(a * b))) for a, b in zip([*v, *u], [*hu, *hv], strict=True))
    coarse = 200 * evidence.machine if evidence.machine > LOW else 0.0
    tolerance = (1e-9 + coarse) * size if asked.rtol is None else (asked.atol or 0.0) + asked.rtol * size
    tolerance += 1e-12 * float(np.abs(evidence.y).max(initial=0.0)) * evidence.y.size  # rounding, where H is 0
    if abs(one - two) <= tolerance or not np.isfinite(one - two):
        return None
    return Diagnosis(
        "asymmetric",
        f"The second derivative is not symmetric: v'Hu = {one:.9g} and u'Hv = {two:.9g}, |difference| > "
        f"{tolerance:.3g}. The first gradient is the "
        f"derivative of no function: check it with gradcheck first.",
        HIGH,
        tier="B",
    )
