"""minigrad and PyTorch, eager and compiled: one set of programs for all four."""

import functools
import importlib
from typing import Any

import numpy as np

from benchmarks.engines import calculus, training
from benchmarks.engines.backend import Backend, Program
from benchmarks.engines.blas import numpy_versions

PROGRAMS: dict[str, Program] = {
    "tutorial": training.tutorial,
    "vae": training.vae,
    "mlp": training.mlp,
    "epoch": training.epoch,
    "operation": calculus.operation,
    "chain": calculus.chain,
    "penalty": calculus.penalty,
    "gradcheck": calculus.gradcheck,
    "loading": calculus.loading,
}


def start(package: str, compiled: bool, threads: int) -> Backend:
    """Import the package and return its programs."""
    for module in ("nn", "nn.functional", "optim", "utils.data", "autograd"):
        importlib.import_module(f"{package}.{module}")
    torch = importlib.import_module(package)
    versions = {package: torch.__version__}
    if package == "torch":
        torch.set_num_threads(threads)
        # PyTorch imports a large part of itself with the first optimizer: that is no work's doing.
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        versions["BLAS"] = "MKL" if torch.backends.mkl.is_available() else "not MKL"
    else:
        versions |= numpy_versions()

    def program(build: Program) -> Program:
        def prepare(arrays: Any, own_draws: bool, **parameters: Any) -> Any:
            if compiled and package == "torch":
                # Where results are compared, compiled code must draw as eager code does.
                config: Any = importlib.import_module("torch._inductor.config")
                config.fallback_random = not own_draws
            wrap = torch.compile if compiled else lambda function: function
            return build(torch, wrap, arrays, own_draws=own_draws, **parameters)

        return prepare

    def to_numpy(result: Any) -> np.ndarray:
        return np.asarray(result.detach().numpy() if hasattr(result, "detach") else result)

    return Backend({kind: program(build) for kind, build in PROGRAMS.items()}, to_numpy, versions)


minigrad = functools.partial(start, "minigrad", False)
minigrad_compiled = functools.partial(start, "minigrad", True)
torch_eager = functools.partial(start, "torch", False)
torch_compiled = functools.partial(start, "torch", True)
