"""Python's operators, and the methods that are operations of the same name: one line each.

What an operation computes, and its gradient, is in ``minigrad/ops``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.attributes import contiguous_format
from minigrad.engine import Primitive, TensorBase, clone
from minigrad.ops import activation as a
from minigrad.ops import choosing as ch
from minigrad.ops import comparison as c
from minigrad.ops import diagonal as di
from minigrad.ops import elementwise as e
from minigrad.ops import exponential as ex
from minigrad.ops import extremes as xt
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
from minigrad.ops.dims import array_of, takes_out

_NUMBERS = (TensorBase, np.ndarray, np.generic, int, float)


def _floating(x: Any) -> bool:
    return isinstance(x, float) or (not isinstance(x, int) and array_of(x).dtype.kind == "f")


def _scaled(operation: Primitive) -> Callable[..., Any]:
    def method(input: Any, other: Any, *, alpha: Any = 1) -> Any:
        if alpha == 1:
            return operation(input, other)
        if isinstance(alpha, float) and not any(_floating(x) for x in (input, other)):
            raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
        return operation(input, other * alpha)

    method.__name__ = operation.__name__
    method.__doc__ = f"``{operation.__name__}`` of the tensor and ``alpha * other``."
    return takes_out(method)


add, sub = _scaled(e.add), _scaled(e.sub)


class Operators(TensorBase):
    """A tensor that can be computed with."""

    __add__ = __radd__ = e.add
    __sub__, __rsub__ = e.sub, e.rsub
    __mul__ = __rmul__ = e.mul
    __truediv__ = e._div
    __floordiv__ = e.floor_divide
    __mod__ = e.remainder
    __neg__ = e.neg
    __abs__ = k.abs
    __lt__, __le__, __gt__, __ge__ = c.lt, c.le, c.gt, c.ge
    __and__ = __rand__ = c.bitwise_and
    __or__ = __ror__ = c.bitwise_or
    __xor__ = __rxor__ = c.bitwise_xor
    __invert__ = c.bitwise_not
    __lshift__, __rshift__ = c.bitwise_left_shift, c.bitwise_right_shift
    __matmul__ = la.matmul
    __pow__, __rpow__ = e.pow, e.rpow
    __getitem__ = i.getitem
    __hash__ = object.__hash__

    def __eq__(self, other: Any) -> Any:
        return c.eq(self, other) if isinstance(other, _NUMBERS) else NotImplemented  # x == None is False

    def __ne__(self, other: Any) -> Any:
        return c.ne(self, other) if isinstance(other, _NUMBERS) else NotImplemented

    def __pos__(self) -> Any:
        return self

    def __rtruediv__(self, other: Any) -> Any:
        return e.mul(e.reciprocal(self), other)  # as in PyTorch, to the last digit

    def __rfloordiv__(self, other: Any) -> Any:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return e.remainder(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return la.matmul(other, self)

    def clone(self, *, memory_format: Any = None) -> Any:
        return s.contiguous_copy(self) if memory_format == contiguous_format else clone(self)

    # Methods that are the operations of the same name

    abs = absolute = k.abs
    acos, asin, atan, atan2 = tr.acos, tr.asin, tr.atan, tr.atan2
    arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
    acosh, asinh, atanh = tr.acosh, tr.asinh, tr.atanh
    arccosh, arcsinh, arctanh = acosh, asinh, atanh
    deg2rad, rad2deg = tr.deg2rad, tr.rad2deg
    add, sub = add, sub
    subtract = sub
    mul = multiply = e.mul
    div = divide = true_divide = e.div
    neg = negative = e.neg
    ceil, floor, round, trunc, sign, sgn = k.ceil, k.floor, k.round, k.trunc, k.sign, k.sign
    cos, cosh, sin, sinh, tan, tanh = tr.cos, tr.cosh, tr.sin, tr.sinh, tr.tan, tr.tanh
    erf, erfc, exp, exp2, expm1, logit = ex.erf, ex.erfc, ex.exp, ex.exp2, ex.expm1, ex.logit
    log, log10, log1p, log2, logaddexp, xlogy = ex.log, ex.log10, ex.log1p, ex.log2, ex.logaddexp, ex.xlogy
    sqrt, rsqrt, square, reciprocal, pow = e.sqrt, e.rsqrt, e.square, e.reciprocal, e.pow
    relu, sigmoid, lerp, addcmul, addcdiv = a.relu, a.sigmoid, e.lerp, e.addcmul, e.addcdiv
    maximum, minimum, fmax, fmin = k.maximum, k.minimum, k.fmax, k.fmin
    clamp, clip, clamp_min, clamp_max, nan_to_num = k.clamp, k.clamp, k.clamp_min, k.clamp_max, k.nan_to_num
    floor_divide, remainder, fmod, frac, fix = e.floor_divide, e.remainder, e.fmod, k.frac, k.trunc
    copysign, hypot, sinc = k.copysign, tr.hypot, tr.sinc
    eq, ne, lt, le, gt, ge = c.eq, c.ne, c.lt, c.le, c.gt, c.ge
    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
    isnan, isinf, isfinite = c.isnan, c.isinf, c.isfinite
    logical_and, logical_or, logical_xor, logical_not = c.logical_and, c.logical_or, c.logical_xor, c.logical_not
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not = c.bitwise_and, c.bitwise_or, c.bitwise_xor, c.bitwise_not
    bitwise_left_shift, bitwise_right_shift = c.bitwise_left_shift, c.bitwise_right_shift
    sum, mean, var, std, prod, cumsum, cumprod = r.sum, r.mean, st.var, st.std, r.prod, r.cumsum, r.cumprod
    nansum, nanmean, diff, dist, cov, corrcoef = r.nansum, r.nanmean, r.diff, st.dist, st.cov, st.corrcoef
    max, min, amax, amin, argmax, argmin = xt.max, xt.min, xt.amax, xt.amin, xt.argmax, xt.argmin
    aminmax, cummax, cummin = xt.aminmax, xt.cummax, xt.cummin
    median, quantile, kthvalue, msort = o.median, o.quantile, o.kthvalue, o.msort
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
    expand, broadcast_to, repeat, tile, flip, roll = s.expand_, s.expand_, s.repeat, s.tile, s.flip, s.roll
    narrow, chunk, tensor_split, split_with_sizes = j.narrow, j.chunk, j.tensor_split, j.split_with_sizes
    swapdims, moveaxis, fliplr, flipud, rot90 = s.transpose, s.movedim, s.fliplr, s.flipud, s.rot90
    select, unbind, gather, take_along_dim = i.select, i.unbind, ga.gather, ga.take_along_dim
    scatter, scatter_add, index_select, index_add = ga.scatter, ga.scatter_add, ga.index_select, ga.index_add
    index_put, index_fill, index_copy, take = ga.index_put, ga.index_fill, ga.index_copy, ga.take
    repeat_interleave = ga.repeat_interleave
    masked_fill, masked_select, triu, tril = i.masked_fill, i.masked_select, di.triu, di.tril
    isclose, allclose, equal = q.isclose, q.allclose, q.equal
    nonzero, argwhere, unique, bincount, histc, ravel = q.nonzero, q.argwhere, q.unique, q.bincount, q.histc, s.ravel
    diag, diagonal, trace, diagflat, diag_embed = di.diag, di.diagonal, di.trace, di.diagflat, di.diag_embed
    matmul, mm, bmm, mv, dot, addmm, outer = la.matmul, la.mm, la.bmm, la.mv, la.dot, la.addmm, la.outer
    inverse, det = la.inv, la.det
    vdot, inner, addmv, baddbmm = la.vdot, la.inner, la.addmv, la.baddbmm

    def split(self, split_size: Any, dim: int = 0) -> Any:
        return j.split(self, split_size, dim)

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
        return s._permute(self, tuple(reversed(range(self.array.ndim))))

    @property
    def mT(self) -> Any:
        if self.array.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.array.ndim}-D tensor."
            )
        return s.transpose(self, -2, -1)
