"""Products of vectors and matrices, and a few decompositions' determinants, each with its rule beneath it.

Every product here is a sum over a shared index, so every rule is the same sum with another index left out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import promote
from minigrad.engine import TensorBase, define, sum_to
from minigrad.ops.dims import array_of, takes_out
from minigrad.ops.shape import _swapaxes, _t, permute, reshape


def _same_type(x: Any, other: Any, name: str) -> None:
    if x.dtype != other.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {x.dtype} != {other.dtype} in {name}: convert one, as in "
            f".to(other.dtype)"
        )


@define("MmBackward0")
def _mm(x: Any, other: Any) -> Any:
    return np.dot(x, other)  # for two matrices the same as matmul, and quicker to start


# y_ij = sum_k x_ik o_kj, so dx = g o^T and do = x^T g
_mm.vjp(x=lambda g, other: _mm(g, other.T), other=lambda g, x: _mm(x.T, g))


@define("BmmBackward0")
def _bmm(x: Any, other: Any) -> Any:
    return np.matmul(x, other)


# the same for each matrix of a stack; stacks that were broadcast are summed by the engine
_bmm.vjp(x=lambda g, other: _bmm(g, _swapaxes(other, -1, -2)), other=lambda g, x: _bmm(_swapaxes(x, -1, -2), g))


@define("MvBackward0")
def _mv(x: Any, vec: Any) -> Any:
    return np.matmul(x, vec)


# y_i = sum_k x_ik v_k
_mv.vjp(x=lambda g, vec: outer(g, vec), vec=lambda g, x: _mv(_t(x), g))


@define("DotBackward0")
def _dot(x: Any, other: Any) -> Any:
    return np.dot(x, other)


_dot.vjp(x=lambda g, other: g * other, other=lambda g, x: g * x)


def _no_match(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    rows = "x".join(map(str, a)), "x".join(map(str, b))
    return RuntimeError(
        f"{name}: mat1 and mat2 shapes cannot be multiplied ({rows[0]} and {rows[1]}): the last dimension of the first "
        f"({a[-1] if a else 'none'}) must equal the {'first' if len(b) < 2 else 'second to last'} dimension of the second "
        f"({b[-2] if len(b) > 1 else b[0] if b else 'none'})"
    )


@takes_out
def matmul(input: Any, other: Any) -> Any:
    """``input @ other``: of vectors their dot product, of matrices ``sum_k x_ik o_kj``, of stacks each by each."""
    x, o = array_of(input), array_of(other)
    a, b = x.shape, o.shape
    if not a or not b:
        if not all(isinstance(v, (TensorBase, np.ndarray)) for v in (input, other)):
            raise TypeError("matmul(): both arguments must be tensors; multiply by a number with *")
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D: use *"
        )
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        if len(a) == len(b) == 1:
            raise RuntimeError(
                f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same number of elements"
            )
        raise _no_match("matmul", a, b)
    _same_type(x, o, "matmul")
    if len(a) == 2 and len(b) == 2:
        return _mm(input, other)
    if len(a) == 1 and len(b) == 1:
        return _dot(input, other)
    if len(a) == 2 and len(b) == 1:
        return _mv(input, other)
    if len(a) == 1:
        return _bmm(input.reshape((1, a[0])), other).squeeze(-2)
    if len(b) == 1:
        return _bmm(input, other.reshape((b[0], 1))).squeeze(-1)
    return _bmm(input, other)


def _dims(name: str, x: Any, n: int, which: str) -> None:
    if array_of(x).ndim != n:
        raise RuntimeError(
            f"{name}: {which} must be a {('vector', 'matrix', 'stack of matrices')[n - 1]} ({n}D), got {array_of(x).ndim}D"
        )


@takes_out
def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices."""
    _dims("mm", input, 2, "self")
    _dims("mm", mat2, 2, "mat2")
    return matmul(input, mat2)


@takes_out
def bmm(input: Any, mat2: Any) -> Any:
    """The products of two stacks of matrices, ``(b, n, m) @ (b, m, p)``, without broadcasting."""
    _dims("bmm", input, 3, "batch1")
    _dims("bmm", mat2, 3, "batch2")
    if array_of(input).shape[0] != array_of(mat2).shape[0]:
        raise _no_match("bmm", array_of(input).shape, array_of(mat2).shape)
    return matmul(input, mat2)


@takes_out
def mv(input: Any, vec: Any) -> Any:
    """A matrix times a vector."""
    _dims("mv", input, 2, "self")
    _dims("mv", vec, 1, "vec")
    return matmul(input, vec)


@takes_out
def dot(input: Any, tensor: Any) -> Any:
    """``sum_i input_i tensor_i`` of two vectors."""
    if array_of(input).ndim != 1 or array_of(tensor).ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {array_of(input).ndim}D and {array_of(tensor).ndim}D tensors")
    return matmul(input, tensor)


@define("AddmmBackward0")
def _addmm(x: Any, mat1: Any, mat2: Any, beta: float, alpha: float) -> Any:
    y = np.matmul(mat1, mat2)
    return np.add(y if alpha == 1 else y * alpha, x if beta == 1 else x * beta)


_addmm.vjp(
    x=lambda g, beta: g * beta,
    mat1=lambda g, mat2, alpha: _mm(g, _t(mat2)) * alpha,
    mat2=lambda g, mat1, alpha: _mm(_t(mat1), g) * alpha,
)


@takes_out
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    _dims("addmm", mat1, 2, "mat1")
    _dims("addmm", mat2, 2, "mat2")
    a, b = array_of(mat1), array_of(mat2)
    if a.shape[1] != b.shape[0]:
        raise _no_match("addmm", a.shape, b.shape)
    for other in (b, array_of(input)):
        _same_type(a, other, "addmm")
    return _addmm(input, mat1, mat2, beta, alpha)


@takes_out
def outer(input: Any, vec2: Any) -> Any:
    """``y_ij = input_i vec2_j``."""
    _dims("outer", input, 1, "self")
    _dims("outer", vec2, 1, "vec2")
    return input.reshape((-1, 1)) * vec2.reshape((1, -1))


@takes_out
def vdot(input: Any, other: Any) -> Any:
    """``dot`` of vectors."""
    return dot(input, other)


@takes_out
def inner(input: Any, other: Any) -> Any:
    """``y_..._... = sum_k input_...k other_...k``: the products of all rows with all rows; of numbers, their product."""
    x, o = array_of(input), array_of(other)
    if not x.ndim or not o.ndim:
        return input * other
    if x.shape[-1] != o.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(x.shape)} and {list(o.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@takes_out
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The products of ``a`` and ``b`` summed over some dimensions: the last ``dims`` of a with the first of b, or two lists."""
    x, o = array_of(a), array_of(b)
    if isinstance(dims, int):
        dims = (range(x.ndim - dims, x.ndim), range(dims))
    left, right = ([d % n.ndim for d in found] for found, n in zip(dims, (x, o), strict=True))
    if [x.shape[d] for d in left] != [o.shape[d] for d in right]:
        raise RuntimeError(
            f"contracted dimensions need to match, but {[x.shape[d] for d in left]} and {[o.shape[d] for d in right]} differ"
        )
    kept_a, kept_b = ([d for d in range(n.ndim) if d not in found] for found, n in ((left, x), (right, o)))
    size = math.prod(x.shape[d] for d in left)
    shape = tuple(x.shape[d] for d in kept_a) + tuple(o.shape[d] for d in kept_b)
    rows = reshape(permute(a, *kept_a, *left), (math.prod(x.shape[d] for d in kept_a), size))
    columns = reshape(permute(b, *right, *kept_b), (size, math.prod(o.shape[d] for d in kept_b)))
    return reshape(matmul(rows, columns), shape)


@takes_out
def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)``."""
    return _added(input, mv(mat, vec), beta, alpha)


@takes_out
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """``beta * input + alpha * (batch1 @ batch2)``, for stacks of matrices."""
    return _added(input, bmm(batch1, batch2), beta, alpha)


def _added(input: Any, product: Any, beta: float, alpha: float) -> Any:
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


# Square matrices


@define("LinalgInvExBackward0")
def inv(x: Any) -> Any:
    return np.linalg.inv(x)


# d(A^-1) = -A^-1 dA A^-1
inv.vjp(x=lambda g, y: -_bmm(_bmm(_swapaxes(y, -1, -2), g), _swapaxes(y, -1, -2)))


@define("LinalgDetBackward0")
def det(x: Any) -> Any:
    return np.linalg.det(x)


@define("LinalgCofactorsBackward0")
def cofactors(x: Any) -> Any:
    """``det(A) A^-T``, which a singular A has, too: with A = U S V', det(U V') U S~ V', S~_i the product of the other s_j."""
    u, s, vt = np.linalg.svd(x)
    others = np.repeat(s[..., None, :], s.shape[-1], axis=-2)
    others[..., np.eye(s.shape[-1], dtype=bool)] = 1
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return sign[..., None, None] * np.matmul(u * np.prod(others, axis=-1)[..., None, :], vt)


# Jacobi: d det A = sum_ij C_ij dA_ij with the cofactors C
det.vjp(x=lambda g, x: g[..., None, None] * cofactors(x))


def _cofactors_x(g: Any, x: Any, y: Any, x_shape: Any) -> Any:
    # with B = A^-T: dC = C sum(B dA) - det(A) B dA' B, so dL/dA = (sum(G C) B - C G' B)
    b = _swapaxes(inv(x), -1, -2)
    return sum_to(g * y, (*x_shape[:-2], 1, 1)) * b - _bmm(_bmm(y, _swapaxes(g, -1, -2)), b)


cofactors.vjp(x=_cofactors_x)


@define("LinalgSlogdetBackward0")
def logabsdet(x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


logabsdet.vjp(x=lambda g, x: g[..., None, None] * _swapaxes(inv(x), -1, -2))


@define("LinalgSolveExBackward0")
def solve(x: Any, other: Any) -> Any:
    x, other = promote(x, other)
    return np.linalg.solve(x, other)


def _solve_other(g: Any, x: Any) -> Any:
    return solve(_swapaxes(x, -1, -2), g)


def _solve_x(g: Any, x: Any, y: Any) -> Any:
    # A y = b: dA gives dy = -A^-1 dA y, so dL/dA = -(A^-T g) y^T
    w = _solve_other(g, x)
    vector = array_of(y).ndim == 1
    return -(outer(w, y) if vector else _bmm(w, _swapaxes(y, -1, -2)))


solve.vjp(x=_solve_x, other=_solve_other)
