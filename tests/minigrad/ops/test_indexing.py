"""Indexing by every combination of up to four parts: shapes, values, gradients and assignment as in PyTorch."""

import itertools

import numpy as np
import pytest
import torch

import minigrad

PARTS = [
    "1",
    "-1",
    ":",
    "1:",
    "None",
    "...",
    "[0, 1]",
    "m.tensor(1)",
    "m.tensor([[1], [0]])",
    "m.tensor([True, False])",
]
FEWER = ["0", ":", "None", "...", "[0, 1]"]


def combinations() -> list[tuple[str, ...]]:
    found = [c for n in (1, 2) for c in itertools.product(PARTS, repeat=n)]
    found += [c for n in (3, 4) for c in itertools.product(FEWER, repeat=n)]
    return [c for c in found if c.count("...") < 2]


def read(m, parts: tuple[str, ...]):
    x = m.arange(24.0, dtype=m.float64).reshape(2, 3, 4).requires_grad_()
    y = eval(f"x[{', '.join(parts)}]", {"m": m, "x": x})
    (y * m.arange(1.0, y.numel() + 1, dtype=m.float64).reshape(y.shape)).sum().backward()
    return y.detach().numpy(), x.grad.numpy()


def written(m, parts: tuple[str, ...]):
    x = m.zeros(2, 3, 4)
    index = eval(f"here[{', '.join(parts)}]", {"m": m, "here": np.s_})
    value = m.arange(1.0, x[index].numel() + 1).reshape(x[index].shape)
    x[index] = value
    return (x.numpy(),)


@pytest.mark.parametrize("act", [read, written])
@pytest.mark.parametrize("first", PARTS)
def test_every_combination_of_parts_means_the_same(first, act):
    for parts in combinations():
        if parts[0] != first:
            continue
        try:
            theirs = act(torch, parts)
        except (IndexError, RuntimeError) as error:
            with pytest.raises(type(error)):
                act(minigrad, parts)
            continue
        for a, b in zip(act(minigrad, parts), theirs, strict=True):
            np.testing.assert_array_equal(a, b, str(parts))
