"""Who takes part: each engine with what it needs, what it can do, and the file of `engines` that holds its programs.

Nothing here imports an engine: that happens in the process that runs it.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import minigrad
from benchmarks.catalogue import Work

TRAINING = frozenset({"tutorial", "vae", "mlp", "epoch"})
CALCULUS = frozenset({"operation", "chain"})
SHARED = TRAINING | CALCULUS
EVERYTHING = SHARED | {"penalty", "gradcheck", "loading"}


@dataclass(frozen=True)
class Engine:
    """One contestant; `start`, a function of the module, imports it and returns its programs."""

    name: str
    package: str
    module: str
    start: str
    kinds: frozenset[str]
    needs: Callable[[], str] = lambda: ""
    limit: bool = False

    def missing(self) -> str:
        """Return what is to be done before this engine can take part here, or nothing."""
        if importlib.util.find_spec(self.package) is None:
            return f"not installed: pip install {self.package}"
        return self.needs()

    def can(self, work: Work) -> bool:
        """Return whether this engine can do the work."""
        kind, parameters = work.kind, work.parameters
        if self.name == "bare products" and kind == "operation":
            return parameters["operation"] == "matmul"
        if self.name == "bare traffic" and kind == "operation":
            return parameters["operation"] != "matmul"
        if self.name == "torch compiled" and kind == "chain":
            return parameters["length"] <= 1000  # each operation of the chain is compiled by itself
        if self.name == "minigrad" and kind == "gradcheck":
            return hasattr(minigrad.autograd, "gradcheck")
        return kind in self.kinds


def _compile_of_minigrad() -> str:
    return "" if callable(getattr(minigrad, "compile", None)) else "this version of minigrad has no compile"


def _compiler(variable: str, default: str) -> Callable[[], str]:
    def needs() -> str:
        command = os.environ.get(variable, default)
        return "" if shutil.which(command) else f"no compiler {command!r}: install one, or name it in {variable}"

    return needs


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("minigrad", "minigrad", "benchmarks.engines.torchlike", "minigrad", EVERYTHING),
        Engine(
            "minigrad compiled",
            "minigrad",
            "benchmarks.engines.torchlike",
            "minigrad_compiled",
            SHARED | {"penalty"},
            _compile_of_minigrad,
        ),
        Engine("torch", "torch", "benchmarks.engines.torchlike", "torch_eager", EVERYTHING),
        Engine(
            "torch compiled", "torch", "benchmarks.engines.torchlike", "torch_compiled", SHARED, _compiler("CXX", "g++")
        ),
        Engine("jax", "jax", "benchmarks.engines.jax", "start", SHARED | {"penalty"}),
        Engine("autograd", "autograd", "benchmarks.engines.hips", "start", SHARED | {"penalty"}),
        Engine("mygrad", "mygrad", "benchmarks.engines.mygrad", "start", SHARED),
        Engine("micrograd", "micrograd", "benchmarks.engines.micrograd", "start", frozenset({"tutorial"})),
        Engine(
            "tinygrad",
            "tinygrad",
            "benchmarks.engines.tinygrad",
            "start",
            frozenset({"tutorial", "vae", "mlp", "operation"}),
            _compiler("CC", "clang"),
        ),
        Engine(
            "bare products", "numpy", "benchmarks.engines.bare", "start_products", TRAINING | {"operation"}, limit=True
        ),
        Engine("bare traffic", "numpy", "benchmarks.engines.bare", "start_traffic", SHARED | {"loading"}, limit=True),
    )
}

DEFAULT = ("minigrad", "minigrad compiled", "torch", "bare products")
REFERENCE = "torch"


def select(names: str) -> list[Engine]:
    """Return the engines of a list such as `minigrad,torch`; `all` is every one.

    Raises ValueError for a name that is no engine's.
    """
    wanted = list(ENGINES) if names.strip() == "all" else [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in ENGINES:
            raise ValueError(f"no engine is called {name!r}; there are {', '.join(ENGINES)}, and `all`")
    if not wanted:
        raise ValueError(f"no engine is named; there are {', '.join(ENGINES)}, and `all`")
    return [ENGINES[name] for name in dict.fromkeys(wanted)]
