"""Einstein's summation: any product of tensors summed over shared indices, with its rule beneath it.

The gradient for one operand is the same sum with the output's letters in its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import define, sum_to
from minigrad.ops.dims import array_of
from minigrad.ops.linalg import _same_type


@define("EinsumBackward0")
def einsum_(*xs: Any, equation: str) -> Any:
    y = np.einsum(equation, *xs, optimize=len(xs) > 2)
    return y.copy() if isinstance(y, np.ndarray) and not y.flags.writeable else y


def _einsum_xs(g: Any, xs: Any, i: int, xs_shapes: Any, equation: str) -> Any:
    """The same sum, with the output's letters in the place of those of operand ``i``."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    wanted, others = terms[i], [t for k, t in enumerate(terms) if k != i]
    operands = [x for k, x in enumerate(xs) if k != i]
    letters = "".join(dict.fromkeys(wanted))
    reachable = set(output).union(*others)
    kept = "".join(c for c in letters if c in reachable)
    part = einsum_(g, *operands, equation=",".join([output, *others]) + "->" + kept)
    own = dict(zip(wanted, xs_shapes[i], strict=True))
    # the sizes in the sum: a dimension of size 1 may have been stretched, and is added up again
    sizes = {
        c: n for term, shape in zip(terms, xs_shapes, strict=True) for c, n in zip(term, shape, strict=True) if n != 1
    }
    part = part.reshape(tuple(sizes.get(c, 1) if c in kept else 1 for c in letters))
    full = tuple(own[c] for c in letters)
    part = sum_to(part, tuple(n if c in kept else 1 for c, n in zip(letters, full, strict=True)))
    part = part + np.zeros(full, array_of(part).dtype) if array_of(part).shape != full else part
    if len(letters) == len(wanted):
        return part
    # a repeated letter reads a diagonal: write it back there
    return _diagonal_back(part, tuple(letters.index(c) for c in wanted), xs_shapes[i])


@define("EinsumBackward0")
def _diagonal_back(x: Any, axes: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype, like=x)
    grid = np.ogrid[tuple(slice(n) for n in x.shape)]
    y[tuple(grid[a] for a in axes)] = x
    return y


@define("EinsumBackward0")
def _diagonal_read(x: Any, axes: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return x[tuple(grid[a] for a in axes)]


_diagonal_back.vjp(x=lambda g, x_shape, axes: _diagonal_read(g, axes, x_shape))
_diagonal_read.vjp(x=lambda g, x_shape, axes: _diagonal_back(g, axes, x_shape))

einsum_.vjp(xs=_einsum_xs)


def einsum(equation: str, *operands: Any) -> Any:
    """The sum that ``equation`` names, as in ``einsum("ij,jk->ik", a, b)``; ``...`` stands for any leading dimensions."""
    xs = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    if not isinstance(equation, str):
        raise NotImplementedError("einsum by lists of indices: write the equation as a string, as in 'ij,jk->ik'")
    for x in xs[1:]:
        _same_type(array_of(xs[0]), array_of(x), "einsum")
    return einsum_(*xs, equation=_explicit(equation.replace(" ", ""), xs))


def _explicit(equation: str, xs: list[Any]) -> str:
    """The equation with its output written out and letters in the place of dots."""
    inputs, arrow, output = equation.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(xs):
        raise RuntimeError(f"einsum(): the equation '{equation}' names {len(terms)} operands, but {len(xs)} were given")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in equation]
    dots = {
        i: array_of(x).ndim - len(t.replace("...", ""))
        for i, (t, x) in enumerate(zip(terms, xs, strict=True))
        if "..." in t
    }
    most = max(dots.values(), default=0)
    names = "".join(spare[:most])
    terms = [t.replace("...", names[most - dots[i] :]) if i in dots else t for i, t in enumerate(terms)]
    for t, x in zip(terms, xs, strict=True):
        if len(t) != array_of(x).ndim:
            raise RuntimeError(
                f"einsum(): the subscripts '{t}' name {len(t)} dimensions, but the operand has {array_of(x).ndim}"
            )
    if not arrow:
        every = "".join(terms)
        output = names + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in names))
    return ",".join(terms) + "->" + output.replace("...", names)
