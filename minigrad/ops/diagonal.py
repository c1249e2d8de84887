"""Triangles and diagonals of matrices. Reading a diagonal and writing one are each other's rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import define, expand
from minigrad.ops.dims import array_of, one_axis, takes_out
from minigrad.ops.shape import _permute, movedim, reshape


@define("TriuBackward0")
def triu(x: Any, diagonal: int = 0) -> Any:
    return np.triu(x, diagonal)


@define("TrilBackward0")
def tril(x: Any, diagonal: int = 0) -> Any:
    return np.tril(x, diagonal)


triu.vjp(x=lambda g, diagonal: triu(g, diagonal))
tril.vjp(x=lambda g, diagonal: tril(g, diagonal))


@define("DiagonalBackward0", view=True)
def _diagonal(x: Any, offset: int) -> Any:
    y = np.diagonal(x, offset, -2, -1)
    y.flags.writeable = x.flags.writeable  # NumPy gives it out for reading only
    return y


@define("DiagonalBackward0_copy")
def _diagonal_copy(x: Any, offset: int) -> Any:
    return np.diagonal(x, offset, -2, -1).copy()


@define("DiagEmbedBackward0")
def _diagonal_put(x: Any, offset: int, rows: int, columns: int) -> Any:
    y = np.zeros((*x.shape[:-1], rows, columns), x.dtype, like=x)
    i = np.arange(x.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return y


for _read in (_diagonal, _diagonal_copy):
    _read.vjp(x=lambda g, x_shape, offset: _diagonal_put(g, offset, *x_shape[-2:]))
_diagonal_put.vjp(x=lambda g, offset: _diagonal(g, offset))


@takes_out
def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal."""
    ndim = array_of(input).ndim
    if ndim == 1:
        n = array_of(input).shape[0] + abs(diagonal)
        return _diagonal_put(input, diagonal, n, n)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return _diagonal_copy(input, diagonal)


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with the elements of ``input`` on its diagonal."""
    return diag(reshape(input, (-1,)), offset)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices in ``dim1`` and ``dim2`` with the last dimension of ``input`` on their diagonals."""
    ndim = array_of(input).ndim + 1
    n = array_of(input).shape[-1] + abs(offset)
    return movedim(
        _diagonal_put(input, offset, n, n), (ndim - 2, ndim - 1), (one_axis(ndim, dim1), one_axis(ndim, dim2))
    )


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonals of the matrices in ``dim1`` and ``dim2``, as the last dimension: a view."""
    ndim = array_of(input).ndim
    a, b = one_axis(ndim, dim1), one_axis(ndim, dim2)
    if (a, b) == (ndim - 2, ndim - 1):
        return _diagonal(input, offset)
    return _diagonal(_permute(input, (*(i for i in range(ndim) if i not in (a, b)), a, b)), offset)


@define("TraceBackward0")
def _trace(x: Any) -> Any:
    return np.trace(x, dtype=np.int64 if x.dtype.kind in "iub" else None)


_trace.vjp(x=lambda g, x_shape: _diagonal_put(expand(g, (min(x_shape),)), 0, *x_shape))


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if array_of(input).ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got input with dim {array_of(input).ndim}")
    return _trace(input)
