"""Calls by position, by keyword and at the edges: each gives the same in both libraries, or raises the same type of error.

The calls stand in ``signatures/*.txt``, one a line. ``x`` is a vector of three, ``xg`` the same with ``requires_grad``;
before each line the stream starts from one seed.
"""

from pathlib import Path

import pytest
import torch

import minigrad

CALLS = [
    pytest.param(line, id=f"{path.stem}: {line}")
    for path in sorted((Path(__file__).parent / "signatures").glob("*.txt"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def outcome(m, call):
    m.manual_seed(0)
    x = m.tensor([0.5, -1.5, 2.0])
    names = {"m": m, "nn": m.nn, "F": m.nn.functional, "x": x, "xg": x.clone().requires_grad_()}
    try:
        return repr(eval(call, names))
    except Exception as error:
        kinds = (
            AttributeError,
            IndexError,
            NotImplementedError,
            TypeError,
            ValueError,
            RuntimeError,
            AssertionError,
            OSError,
        )
        return next(kind for kind in kinds if isinstance(error, kind))


@pytest.mark.filterwarnings("ignore")  # PyTorch's advice
@pytest.mark.parametrize("call", CALLS)
def test_a_call_has_the_same_outcome(call):
    assert outcome(minigrad, call) == outcome(torch, call)
