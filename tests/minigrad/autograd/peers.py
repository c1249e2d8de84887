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


def printed(m: Any, operation: Operation, rule: Any) -> str:
    """What ``gradcheck`` of the package says; "" if it passes the mistake."""
    call, leaves = function(m, operation, rule)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m.autograd.gradcheck(call, leaves)
    except Exception as error:  # of whatever type: it is what the user sees
        return f"{error}" or type(error).__name__
    return ""


def line_of(text: str) -> str:
    """A message in one line, numbers of tensors left out."""
    text = re.sub(r"tensor\(.*", "(two matrices)", text, flags=re.S)
    return " ".join(text.split()).replace("|", "\\|")[:180] or "passes"


def told(text: str) -> str:
    """The sentence of the diagnosis and its code, out of a report."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if line.startswith("[") and "confidence" in line), None)
    return (
        line_of(text) if at is None else f"`{lines[at].split(',')[0].strip('[')}` {lines[at - 1]}".replace("|", "\\|")
    )


def main() -> None:
    rows, kinds = [], Counter[str]()
    for operation, label, rule in mistakes():
        theirs, ours = printed(torch, operation, rule), printed(minigrad, operation, rule)
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
