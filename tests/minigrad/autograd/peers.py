"""The same forty mistakes given to PyTorch's gradcheck and to minigrad's, and what each prints.

    python -m tests.minigrad.autograd.peers    # rewrites minigrad/autograd/PEERS.md

Each mistake is an ``autograd.Function`` whose forward and backward compute with NumPy, so that both packages run the same rule.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import minigrad
from minigrad.autograd import GradcheckError
from minigrad.autograd.checking.problem import RuleProblem
from tests.minigrad.autograd.catalogue import OPERATIONS, Operation
from tests.minigrad.autograd.confusion import PARTS, inputs_of

FILE = Path(__file__).parents[3] / "minigrad" / "autograd" / "PEERS.md"
COUNT = 40


def mistakes() -> list[tuple[Operation, str, Any]]:
    """Forty of the catalogue, evenly spread."""
    assert PARTS  # the catalogue is full
    every = [(op, label, rule) for op in OPERATIONS for label, rule in op.wrong]
    return [every[i * len(every) // COUNT] for i in range(COUNT)]


def function(m: Any, operation: Operation, rule: Any) -> tuple[Callable[..., Any], list[Any]]:
    """The operation with the wrong rule as a Function of the package ``m``, and its inputs."""
    given = inputs_of(operation)[0]
    wrt = list(operation.right) if isinstance(operation.right, dict) else None
    names = RuleProblem(operation.forward, rule, given, wrt).where

    def arrays(xs: Any) -> list[Any]:
        values = list(given)
        for i, x in zip(names, xs, strict=True):
            values[i] = x.detach().numpy()
        return values

    class Wrong(m.autograd.Function):  # type: ignore[name-defined, misc]  # the package is an argument
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*xs)
            return m.from_numpy(np.array(operation.forward(*arrays(xs)), np.float64))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            problem = RuleProblem(operation.forward, rule, arrays(ctx.saved_tensors), wrt)
            found = problem._one(problem.arguments, problem.outputs(problem.xs), g.detach().numpy())
            return tuple(None if v is None else m.from_numpy(np.array(v)) for v in found)

    leaves = [m.from_numpy(np.array(given[i], np.float64)).requires_grad_() for i in names]
    return Wrong.apply, leaves


def raised(m: Any, operation: Operation, rule: Any) -> Exception | None:
    """What ``gradcheck`` of the package raises; None if it passes the mistake."""
    call, leaves = function(m, operation, rule)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m.autograd.gradcheck(call, leaves)
    except Exception as error:  # of whatever type: it is what the user sees
        return error
    return None


def line_of(error: Exception | None) -> str:
    """A message in one line, the numbers of matrices left out."""
    text = re.sub(r"tensor\(.*", "(two matrices)", str(error), flags=re.S)
    return "passes" if error is None else " ".join(text.split()).replace("|", "\\|")[:180]


def told(error: Exception | None) -> str:
    """The code and the sentence of the diagnosis."""
    if not isinstance(error, GradcheckError) or error.diagnosis is None:
        return line_of(error)
    return f"`{error.diagnosis.code}` {error.diagnosis.sentence}".replace("|", "\\|")


def main() -> None:
    rows, kinds = [], Counter[str]()
    for operation, label, rule in mistakes():
        theirs, ours = raised(torch, operation, rule), raised(minigrad, operation, rule)
        kinds[line_of(theirs).split(",")[0][:60]] += 1
        rows.append(f"| {operation.name} | {label} | {line_of(theirs)} | {told(ours)} |")
    head = [
        "# The same forty mistakes given to PyTorch's gradcheck and to minigrad's",
        "",
        f"Made by `python -m tests.minigrad.autograd.peers` with PyTorch {torch.__version__.split('+')[0]}; do not edit.",
        "PyTorch's two matrices are left out here; minigrad's report goes on with the worst entry, the inequality that fails",
        "and a table of entries.",
        "",
        "PyTorch begins its messages in these ways: " + "; ".join(f"{k} ({n})" for k, n in kinds.most_common()) + ".",
        "",
        "| operation | mistake | PyTorch prints | minigrad prints |",
        "|---|---|---|---|",
    ]
    FILE.write_text("\n".join(head + rows) + "\n", encoding="utf-8")
    print("\n".join(head + rows))


if __name__ == "__main__":
    main()
