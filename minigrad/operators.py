"""Python's operators, and the methods that are operations of the same name: one line each.

What an operation computes, and its gradient, is in ``minigrad/ops``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import Primitive, TensorBase, clone
from minigrad.ops import activation as a
from minigrad.ops import choosing as ch
from minigrad.ops import comparison as c
from minigrad.ops import diagonal as di
from minigrad.ops import elementwise as e
from minigrad.ops import gather as ga
from minigrad.ops import index as i
from minigrad.ops import inspect as q
from minigrad.ops import joining as j
from minigrad.ops import kinks as k
from minigrad.ops import linalg as la
from minigrad.ops import order as o
from minigrad.ops import reduce as r
from minigrad.ops import shape as s
from minigrad.ops import softmax as sm
from minigrad.ops import statistics as st
from minigrad.ops import trigonometry as tr


def _scaled(operation: Primitive) -> Callable[..., Any]:
    def method(input: Any, other: Any, *, alpha: Any = 1) -> Any:
        return operation(input, other if alpha == 1 else other * alpha)

    method.__name__ = operation.__name__
    method.__doc__ = f"``{operation.__name__}`` of the tensor and ``alpha * other``."
    return method


add, sub = _scaled(e.add), _scaled(e.sub)


class Operators(TensorBase):
    """A tensor that can be computed with."""

    __add__ = __radd__ = e.add
    __sub__ = e.sub
    __mul__ = __rmul__ = e.mul
    __truediv__ = e._div
    __floordiv__ = e.floor_divide
    __mod__ = e.remainder
    __neg__ = e.neg
    __abs__ = k.abs
    __eq__ = c.eq
    __ne__ = c.ne
    __lt__, __le__, __gt__, __ge__ = c.lt, c.le, c.gt, c.ge
    __and__ = __rand__ = c.bitwise_and
    __or__ = __ror__ = c.bitwise_or
    __xor__ = __rxor__ = c.bitwise_xor
    __invert__ = c.bitwise_not
    __matmul__ = la.matmul
    __pow__ = e.pow
    __getitem__ = i.getitem
    __hash__ = object.__hash__

    def __pos__(self) -> Any:
        return self

    def __rsub__(self, other: Any) -> Any:
        return e.sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return e._div(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return e.remainder(other, self)

    def __rpow__(self, other: Any) -> Any:
        return e._pow(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return la.matmul(other, self)

    clone = clone

    # Methods that are the operations of the same name

    abs = absolute = k.abs
    acos, asin, atan, atan2 = tr.acos, tr.asin, tr.atan, tr.atan2
    add, sub = add, sub
    subtract = sub
    mul = multiply = e.mul
    div = divide = true_divide = e.div
    neg = negative = e.neg
    ceil, floor, round, trunc, sign = k.ceil, k.floor, k.round, k.trunc, k.sign
    cos, cosh, sin, sinh, tan, tanh = tr.cos, tr.cosh, tr.sin, tr.sinh, tr.tan, tr.tanh
    erf, exp, expm1 = e.erf, e.exp, e.expm1
    log, log10, log1p, log2, logaddexp, xlogy = e.log, e.log10, e.log1p, e.log2, e.logaddexp, e.xlogy
    sqrt, rsqrt, square, reciprocal, pow = e.sqrt, e.rsqrt, e.square, e.reciprocal, e.pow
    relu, sigmoid, lerp = a.relu, a.sigmoid, e.lerp
    maximum, minimum, fmax, clamp, clip = k.maximum, k.minimum, k.fmax, k.clamp, k.clamp
    floor_divide, remainder, copysign, hypot, sinc = e.floor_divide, e.remainder, k.copysign, tr.hypot, tr.sinc
    eq, ne, lt, le, gt, ge = c.eq, c.ne, c.lt, c.le, c.gt, c.ge
    isnan, isinf, isfinite = c.isnan, c.isinf, c.isfinite
    logical_and, logical_or, logical_xor, logical_not = c.logical_and, c.logical_or, c.logical_xor, c.logical_not
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not = c.bitwise_and, c.bitwise_or, c.bitwise_xor, c.bitwise_not
    sum, mean, var, std, prod, cumsum, cumprod = r.sum, r.mean, st.var, st.std, r.prod, r.cumsum, r.cumprod
    max, min, amax, amin, argmax, argmin = o.max, o.min, o.amax, o.amin, o.argmax, o.argmin
    all, any, sort, argsort, topk, count_nonzero = r.all, r.any, o.sort, o.argsort, o.topk, r.count_nonzero
    logsumexp, softmax, log_softmax, norm = sm.logsumexp, sm.softmax, sm.log_softmax, st.norm
    reshape, view, flatten, unflatten, permute = s.reshape, s.view, s.flatten, s.unflatten, s.permute
    transpose, swapaxes, t, movedim, unsqueeze, squeeze = (
        s.transpose,
        s.transpose,
        s.t,
        s.movedim,
        s.unsqueeze,
        s.squeeze,
    )
    expand, broadcast_to, repeat, tile, flip, roll = s.expand_, s.broadcast_to, s.repeat, s.tile, s.flip, s.roll
    narrow, split, chunk = j.narrow, j.split, j.chunk
    select, unbind, gather, take_along_dim = i.select, i.unbind, ga.gather, ga.take_along_dim
    scatter_add, index_select, index_add = ga.scatter_add, ga.index_select, ga.index_add
    masked_fill, masked_select, triu, tril = i.masked_fill, i.masked_select, di.triu, di.tril
    isclose, allclose, equal = q.isclose, q.allclose, q.equal
    nonzero, unique, bincount, ravel = q.nonzero, q.unique, q.bincount, s.ravel
    diag, diagonal, trace = di.diag, di.diagonal, di.trace
    matmul, mm, bmm, mv, dot, addmm, outer = la.matmul, la.mm, la.bmm, la.mv, la.dot, la.addmm, la.outer
    inverse, det = la.inv, la.det

    def where(self, condition: Any, other: Any) -> Any:
        return ch.where(condition, self, other)

    def view_as(self, other: Any) -> Any:
        return self.view(*other.shape)

    def reshape_as(self, other: Any) -> Any:
        return self.reshape(*other.shape)

    def expand_as(self, other: Any) -> Any:
        return self.expand(*other.shape)

    @property
    def T(self) -> Any:
        return s.permute(self, *reversed(range(self.array.ndim))) if self.array.ndim != 2 else s.t(self)

    @property
    def mT(self) -> Any:
        if self.array.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.array.ndim}-D tensor."
            )
        return s.transpose(self, -2, -1)
