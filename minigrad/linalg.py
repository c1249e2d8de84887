"""Linear algebra under PyTorch's module name. The decompositions give values only: their inputs must be detached."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine import TensorBase
from minigrad.grad_mode import mode
from minigrad.ops.choosing import where
from minigrad.ops.dims import array_of
from minigrad.ops.extremes import amax, amin
from minigrad.ops.kinks import abs, sign
from minigrad.ops.linalg import det, inv, logabsdet, matmul, solve
from minigrad.ops.statistics import norm as _norm
from minigrad.signature import LinAlgError

__all__ = [
    "LinAlgError",
    "cholesky",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "logabsdet",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "vector_norm",
]


def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """``(sum |x|^ord)^(1/ord)`` over ``dim``, or of all elements; ``inf`` and ``-inf`` take the extreme."""
    return _norm(x, math.inf if ord == math.inf else ord, dim, keepdim, dtype)


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of matrices: "fro", or the largest (1, inf) or smallest (-1, -inf) sum of a column or a row."""
    rows, columns = (d % array_of(A).ndim for d in dim)
    if ord == "fro":
        return _norm(A, 2, (rows, columns), keepdim, dtype)
    if ord not in (1, -1, math.inf, -math.inf):
        raise NotImplementedError(f"matrix_norm of order {ord!r}: minigrad has 'fro', 1, -1, inf and -inf")
    first, second = (rows, columns) if ord in (1, -1) else (columns, rows)
    sums = abs(A).sum(first, keepdim=True)
    found = (amax if ord > 0 else amin)(sums, second, True)
    return found if keepdim else found.squeeze((rows, columns))


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of all elements as one vector; with ``ord``, of a matrix as a matrix; with ``dim``, along it."""
    if ord is not None and (isinstance(dim, (tuple, list)) or (dim is None and array_of(A).ndim == 2)):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord in (None, "fro") else ord, dim, keepdim, dtype=dtype)


def matrix_power(A: Any, n: int) -> Any:
    """``A @ A @ ... @ A``, ``n`` times; of the inverse for a negative n."""
    base, found = (inv(A) if n < 0 else A), None
    for digit in bin(n).split("b")[1][::-1]:  # by repeated squaring
        if digit == "1":
            found = base if found is None else matmul(base, found)
        base = matmul(base, base)
    if found is None:
        x = array_of(A)
        found = where(np.zeros(x.shape, bool), A, np.eye(x.shape[-1], dtype=x.dtype))
    return found


def multi_dot(tensors: Any) -> Any:
    """The product of several matrices, from the left."""
    return functools.reduce(matmul, tensors)


class _Slogdet(NamedTuple):
    sign: Any
    logabsdet: Any


class slogdet_result(_Slogdet):
    """What ``slogdet`` returns."""

    def __repr__(self) -> str:
        return f"torch.return_types.linalg_slogdet(\nsign={self.sign!r},\nlogabsdet={self.logabsdet!r})"


def slogdet(A: Any) -> slogdet_result:
    """The sign of the determinant and the logarithm of its size."""
    return slogdet_result(sign(det(A)), logabsdet(A))


# Decompositions


class svd_result(NamedTuple):
    """What ``svd`` returns: ``A = U diag(S) Vh``."""

    U: Any
    S: Any
    Vh: Any


class eigh_result(NamedTuple):
    """What ``eigh`` returns: ``A = Q diag(L) Q^T``."""

    eigenvalues: Any
    eigenvectors: Any


class qr_result(NamedTuple):
    """What ``qr`` returns: ``A = Q R``."""

    Q: Any
    R: Any


def _values(function: Callable[..., Any], A: Any, *args: Any, **options: Any) -> Any:
    """NumPy's decomposition of a matrix that needs no gradient."""
    if isinstance(A, TensorBase) and A.needs_grad and mode.enabled:
        raise NotImplementedError(
            f"the derivative for '{function.__name__}' is not implemented: decompose A.detach(), or use no_grad()"
        )
    try:
        found = function(array_of(A), *args, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{function.__name__}: {error}") from None
    wrap = A.wrap if isinstance(A, TensorBase) else np.asarray
    return tuple(wrap(np.asarray(part)) for part in found) if isinstance(found, tuple) else wrap(np.asarray(found))


def svd(A: Any, full_matrices: bool = True) -> svd_result:
    """Singular values, largest first, and their vectors, whose signs are NumPy's."""
    return svd_result(*_values(np.linalg.svd, A, full_matrices))


def svdvals(A: Any) -> Any:
    """Singular values, largest first."""
    return _values(np.linalg.svd, A, compute_uv=False)


def eigh(A: Any, UPLO: str = "L") -> eigh_result:
    """Eigenvalues of symmetric matrices, smallest first, and their vectors, whose signs are NumPy's."""
    return eigh_result(*_values(np.linalg.eigh, A, UPLO))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices, smallest first."""
    return _values(np.linalg.eigvalsh, A, UPLO)


def qr(A: Any, mode: str = "reduced") -> qr_result:
    """An orthogonal matrix times an upper triangle."""
    return qr_result(*_values(np.linalg.qr, A, mode))


def cholesky(A: Any) -> Any:
    """The lower triangle L of ``A = L L^T``. Raises RuntimeError unless A is positive definite."""
    return _values(np.linalg.cholesky, A)


def pinv(A: Any) -> Any:
    """The pseudo-inverse."""
    return _values(np.linalg.pinv, A)


def matrix_rank(A: Any) -> Any:
    """The number of singular values that are not 0."""
    return _values(np.linalg.matrix_rank, A)
