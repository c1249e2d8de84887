"""NumPy's products of arrays and ``np.linalg`` on tensors, in the words of ``minigrad/ops``.

Operands of different types meet in their common type.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.numpy_functions.operands import arrays, axes_of, floating, operand
from minigrad.numpy_functions.reduce import max as amax
from minigrad.numpy_functions.reduce import min as amin
from minigrad.ops import elementwise as e
from minigrad.ops import kinks as k
from minigrad.ops import linalg as la
from minigrad.ops import reduce as r
from minigrad.ops import shape as s
from minigrad.ops import statistics as st
from minigrad.ops.dims import array_of
from minigrad.ops.einsum import einsum as einsum_of

# Products


def matmul(x1: Any, x2: Any, /) -> Any:
    return la.matmul(*arrays(x1, x2))


def dot(a: Any, b: Any) -> Any:
    a, b = arrays(a, b)
    if not a.ndim or not b.ndim:
        return e.mul(a, b)
    if b.ndim <= 2:
        return la.matmul(a, b)
    return tensordot(a, b, ((-1,), (-2,)))


def vdot(a: Any, b: Any, /) -> Any:
    a, b = arrays(a, b)
    return la.matmul(s.reshape(a, -1), s.reshape(b, -1))


def inner(a: Any, b: Any, /) -> Any:
    a, b = arrays(a, b)
    return tensordot(a, b, ((-1,), (-1,))) if a.ndim and b.ndim else e.mul(a, b)


def outer(a: Any, b: Any) -> Any:
    a, b = arrays(a, b)
    return e.mul(s.reshape(a, (-1, 1)), s.reshape(b, (1, -1)))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = arrays(a, b)
    if isinstance(axes, (int, np.integer)):
        axes = tuple(range(a.ndim - int(axes), a.ndim)), tuple(range(int(axes)))
    a_axes, b_axes = normalize_axis_tuple(axes[0], a.ndim), normalize_axis_tuple(axes[1], b.ndim)
    if [a.shape[k] for k in a_axes] != [b.shape[k] for k in b_axes]:
        raise ValueError(f"tensordot: shapes {tuple(a.shape)} and {tuple(b.shape)} do not match along axes {axes}")
    # as one product of matrices, with the axes that are summed brought together
    a_kept, b_kept = ([k for k in range(x.ndim) if k not in used] for x, used in ((a, a_axes), (b, b_axes)))
    rows, columns = [a.shape[k] for k in a_kept], [b.shape[k] for k in b_kept]
    shared = math.prod(a.shape[k] for k in a_axes)
    left = s.reshape(s.permute(a, *a_kept, *a_axes), (math.prod(rows), shared))
    right = s.reshape(s.permute(b, *b_axes, *b_kept), (shared, math.prod(columns)))
    return s.reshape(la.matmul(left, right), (*rows, *columns))


def kron(a: Any, b: Any) -> Any:
    a, b = arrays(a, b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (a, b))
    # y[i * m + j] = a[i] b[j] along each axis: i and j as axes of their own, side by side
    product = e.mul(
        s.reshape(a, tuple(size for n in a_shape for size in (n, 1))),
        s.reshape(b, tuple(size for n in b_shape for size in (1, n))),
    )
    return s.reshape(product, tuple(n * m for n, m in zip(a_shape, b_shape, strict=True)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    a, b = arrays(a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = s.movedim(a, axisa, -1), s.movedim(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross: both must be (arrays of) 3-dimensional vectors, got {a.shape[-1]} and {b.shape[-1]}")
    following, last = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., last] - a[..., last] * b[..., following]
    return s.movedim(product, -1, axisc)


def einsum(*operands: Any, optimize: Any = False) -> Any:
    """``optimize`` changes the order of the work, not the result."""
    equation, *xs = operands
    if not isinstance(equation, str):
        raise TypeError("np.einsum of tensors by lists of indices: write the equation as a string, as in 'ij,jk->ik'")
    return einsum_of(equation, *arrays(*xs))


# np.linalg


def _vector_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return st._norm(x, float(ord), axes, keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = floating(operand(x))
    if axis is None and ord is not None and x.ndim > 2:
        raise ValueError("Improper number of dimensions to norm: name one axis, or two for matrices")
    axes = axes_of(x, axis)
    if ord is None or (len(axes) == 2 and ord in ("fro", "f")):
        return _vector_norm(x, 2, axes, keepdims)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"Invalid norm order {ord!r} for vectors")
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm: name one axis, or two for matrices")
    if ord not in (1, -1, np.inf, -np.inf):
        raise TypeError(
            f"np.linalg.norm of order {ord!r} needs singular values, of which minigrad has no gradient: take order "
            f"'fro', 1, -1, inf or -inf, or leave the graph with tensor.detach().numpy()"
        )
    rows, columns = axes
    summed, over = (rows, columns) if abs(ord) == 1 else (columns, rows)  # the sums of columns, or of rows
    extreme = (amax if ord > 0 else amin)(r._sum(k.abs(x), (summed,), True), over, keepdims=True)
    return extreme if keepdims else s.squeeze(extreme, axes)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = floating(x)
    return _vector_norm(x, ord, axes_of(x, axis), keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return norm(x, ord, (-2, -1), keepdims)


def matrix_power(a: Any, n: int) -> Any:
    if n == 0:
        return np.linalg.matrix_power(array_of(a), 0)  # a constant
    a, power = (inv(a) if n < 0 else a), None
    for bit in reversed(bin(abs(n))[2:]):  # a, a^2, a^4, ...: those whose binary digit of n is 1, multiplied
        if bit == "1":
            power = a if power is None else la.matmul(power, a)
        a = la.matmul(a, a)
    return power


def inv(a: Any) -> Any:
    return la.inv(floating(a))


def det(a: Any) -> Any:
    return la.det(floating(a))


class SlogdetResult(NamedTuple):
    """What ``np.linalg.slogdet`` returns: nothing flows through the sign."""

    sign: Any
    logabsdet: Any


def slogdet(a: Any) -> SlogdetResult:
    a = floating(a)
    return SlogdetResult(a.wrap(np.asarray(np.linalg.slogdet(array_of(a))[0])), la.logabsdet(a))


def solve(a: Any, b: Any) -> Any:
    return la.solve(*(floating(x) for x in arrays(a, b)))
