"""Plain NumPy on tensors: ``np.exp(t)``, ``np.sum(t, axis=0)`` and ``array @ t`` dispatch to the same primitives.

NumPy asks the tensor (``__array_ufunc__``, ``__array_function__``) before it computes. Arguments and meaning are NumPy's:
``ddof`` is 0, ``axis`` may be a tuple. Element types are a tensor's: integers become the default floating type, and a
number or 0-d operand does not promote. What is not in the tables raises TypeError; nothing is detached in silence.
Source: https://numpy.org/doc/stable/user/basics.interoperability.html
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from minigrad.engine import TensorBase, clone
from minigrad.numpy_functions import linalg as nla
from minigrad.numpy_functions import reduce as nr
from minigrad.numpy_functions import shape as ns
from minigrad.numpy_functions.operands import arrays, axes_of, operand
from minigrad.ops import comparison as c
from minigrad.ops import elementwise as e
from minigrad.ops import exponential as ex
from minigrad.ops import kinks as k
from minigrad.ops import reduce as r
from minigrad.ops import trigonometry as tr
from minigrad.ops.dims import array_of
from minigrad.ops.shape import _reshape

UFUNCS: dict[Any, Any] = {
    # arithmetic
    np.add: e.add, np.subtract: e.sub, np.multiply: e.mul, np.divide: e._div, np.negative: e.neg, np.positive: clone,
    np.power: e.pow, np.square: e.square, np.sqrt: e.sqrt, np.cbrt: e.cbrt, np.reciprocal: e.reciprocal,
    np.floor_divide: e.floor_divide, np.remainder: e.remainder, np.matmul: nla.matmul, np.conjugate: clone,
    # exponentials and logarithms
    np.exp: ex.exp, np.exp2: lambda x: e.pow(2.0, x), np.expm1: ex.expm1, np.log: ex.log, np.log2: ex.log2,
    np.log10: ex.log10, np.log1p: ex.log1p, np.logaddexp: ex.logaddexp,
    np.logaddexp2: lambda x, y: ex.logaddexp(x * math.log(2), y * math.log(2)) / math.log(2),
    # trigonometry
    np.sin: tr.sin, np.cos: tr.cos, np.tan: tr.tan, np.arcsin: tr.asin, np.arccos: tr.acos, np.arctan: tr.atan,
    np.arctan2: lambda y, x: tr.atan2(*arrays(y, x)), np.hypot: tr.hypot, np.sinh: tr.sinh, np.cosh: tr.cosh,
    np.tanh: tr.tanh, np.arcsinh: tr.asinh, np.arccosh: tr.acosh, np.arctanh: tr.atanh,
    np.deg2rad: lambda x: x * (math.pi / 180), np.radians: lambda x: x * (math.pi / 180),
    np.rad2deg: lambda x: x * (180 / math.pi), np.degrees: lambda x: x * (180 / math.pi),
    # kinks and steps
    np.absolute: k.abs, np.fabs: k.abs, np.maximum: k.maximum, np.minimum: k.minimum, np.fmax: k.fmax,
    np.fmin: lambda x, y: -k.fmax(-x, -y), np.sign: k.sign, np.copysign: k.copysign, np.floor: k.floor,
    np.ceil: k.ceil, np.trunc: k.trunc, np.rint: k.round,
    np.divmod: lambda x, y: (e.floor_divide(x, y), e.remainder(x, y)),
    # comparisons and truth
    np.equal: c.eq, np.not_equal: c.ne, np.less: c.lt, np.less_equal: c.le, np.greater: c.gt, np.greater_equal: c.ge,
    np.isnan: c.isnan, np.isinf: c.isinf, np.isfinite: c.isfinite, np.logical_not: c.logical_not,
    np.logical_and: c.logical_and, np.logical_or: c.logical_or, np.logical_xor: c.logical_xor,
    np.bitwise_and: c.bitwise_and, np.bitwise_or: c.bitwise_or, np.bitwise_xor: c.bitwise_xor, np.invert: c.bitwise_not,
}  # fmt: skip

REDUCTIONS: dict[Any, Any] = {
    np.add: nr.sum, np.multiply: nr.prod, np.maximum: nr.max, np.minimum: nr.min,
    np.logical_and: lambda a, axis=None, *, keepdims=False: r._all(a, axes_of(a, axis), keepdims),
    np.logical_or: lambda a, axis=None, *, keepdims=False: r._any(a, axes_of(a, axis), keepdims),
}  # fmt: skip
ACCUMULATIONS: dict[Any, Any] = {np.add: nr.cumsum, np.multiply: nr.cumprod}

FUNCTIONS: dict[Any, Any] = {
    # reductions and order
    np.sum: nr.sum, np.mean: nr.mean, np.prod: nr.prod, np.max: nr.max, np.amax: nr.max, np.min: nr.min, np.amin: nr.min,
    np.ptp: nr.ptp, np.var: nr.var, np.std: nr.std, np.average: nr.average, np.cumsum: nr.cumsum, np.cumprod: nr.cumprod,
    np.diff: nr.diff, np.sort: nr.sort, np.median: nr.median, np.trapezoid: nr.trapezoid,
    # each element
    np.where: nr.where, np.clip: nr.clip, np.sinc: tr.sinc, np.round: nr.round, np.around: nr.round, np.fix: k.trunc,
    np.nan_to_num: nr.nan_to_num,
    # shapes
    np.reshape: ns.reshape, np.ravel: ns.ravel, np.transpose: ns.transpose, np.matrix_transpose: ns.matrix_transpose,
    np.swapaxes: ns.swapaxes, np.moveaxis: ns.moveaxis, np.squeeze: ns.squeeze, np.expand_dims: ns.expand_dims,
    np.broadcast_to: ns.broadcast_to, np.broadcast_arrays: ns.broadcast_arrays, np.meshgrid: ns.meshgrid,
    np.atleast_1d: ns.atleast_1d, np.atleast_2d: ns.atleast_2d, np.atleast_3d: ns.atleast_3d,
    # joining, splitting, repeating
    np.concatenate: ns.concatenate, np.stack: ns.stack, np.vstack: ns.vstack, np.hstack: ns.hstack, np.dstack: ns.dstack,
    np.column_stack: ns.column_stack, np.append: ns.append, np.split: ns.split, np.array_split: ns.array_split,
    np.vsplit: ns.vsplit, np.hsplit: ns.hsplit, np.repeat: ns.repeat, np.tile: ns.tile, np.roll: ns.roll, np.flip: ns.flip,
    np.fliplr: ns.fliplr, np.flipud: ns.flipud, np.rot90: ns.rot90, np.pad: ns.pad,
    # picking, triangles, copies
    np.take: ns.take, np.take_along_axis: ns.take_along_axis, np.diag: ns.diag, np.diagflat: ns.diagflat,
    np.diagonal: ns.diagonal, np.trace: ns.trace, np.triu: ns.triu, np.tril: ns.tril, np.copy: ns.copy,
    np.zeros_like: ns.zeros_like, np.ones_like: ns.ones_like, np.full_like: ns.full_like, np.empty_like: ns.empty_like,
    # linear algebra
    np.dot: nla.dot, np.vdot: nla.vdot, np.inner: nla.inner, np.outer: nla.outer, np.kron: nla.kron, np.cross: nla.cross,
    np.tensordot: nla.tensordot, np.einsum: nla.einsum, np.linalg.norm: nla.norm, np.linalg.inv: nla.inv,
    np.linalg.det: nla.det, np.linalg.slogdet: nla.slogdet, np.linalg.solve: nla.solve,
    np.linalg.vector_norm: nla.vector_norm, np.linalg.matrix_norm: nla.matrix_norm,
    np.linalg.matrix_power: nla.matrix_power,
}  # fmt: skip

# Functions whose results are indices, counts, truth or text: no gradient could flow, so NumPy itself computes them.
CONSTANT = frozenset({
    np.all, np.any, np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero,
    np.searchsorted, np.digitize, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.shape, np.ndim, np.size,
    np.isposinf, np.isneginf, np.iscomplexobj, np.isrealobj, np.result_type, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.array2string,
})  # fmt: skip


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``Tensor.__array_ufunc__``: what NumPy calls for ``np.exp(t)``, ``np.add.reduce(t)`` and ``array + t``."""
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    _refuse_out(name, kwargs)
    if method == "reduce" and ufunc in REDUCTIONS:
        return _call(name, REDUCTIONS[ufunc], self, inputs, {"axis": 0, **kwargs})
    if method == "accumulate" and ufunc in ACCUMULATIONS:
        return _call(name, ACCUMULATIONS[ufunc], self, inputs, {"axis": 0, **kwargs})
    if ufunc not in UFUNCS or method not in ("__call__", "outer"):
        raise _unsupported(name)
    if kwargs:
        raise _unsupported(f"{name} with {', '.join(kwargs)}")
    operands = [operand(x) for x in inputs]
    if method == "outer":
        x, y = operands
        operands = [_reshape(x, (*np.shape(array_of(x)), *(1,) * array_of(y).ndim)), y]
    return UFUNCS[ufunc](*operands)


def array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """``Tensor.__array_function__``: what NumPy calls for ``np.sum(t)`` and all other functions."""
    if not all(issubclass(kind, (TensorBase, np.ndarray)) for kind in types):
        return NotImplemented
    name = f"{function.__module__.replace('numpy', 'np', 1)}.{function.__name__}"
    _refuse_out(name, kwargs)
    if function in CONSTANT:
        return _wrapped(function(*_opened(args), **_opened(kwargs)), self)
    if function not in FUNCTIONS:
        raise _unsupported(name)
    return _call(name, FUNCTIONS[function], self, args, kwargs)


def _call(name: str, function: Any, tensor: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    try:
        return _wrapped(function(*args, **kwargs), tensor)
    except TypeError:
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            takes = ", ".join(inspect.signature(function).parameters)
            raise TypeError(f"{name} of a tensor: {error}; it takes {takes}. {_WAY_OUT}") from None
        raise


_WAY_OUT = "For plain NumPy, outside the graph, give it tensor.detach().numpy()"


def _unsupported(name: str) -> TypeError:
    return TypeError(
        f"{name} of a tensor is not supported. Compose it of functions that are; minigrad.numpy_protocol lists them. "
        f"{_WAY_OUT}"
    )


def _refuse_out(name: str, kwargs: dict[str, Any]) -> None:
    """No writing into arrays or tensors: ``array += t`` would lose the history, ``out=t`` rewrite it."""
    out = kwargs.pop("out", None)
    if any(x is not None for x in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"{name} with a tensor cannot write its result in place (out=..., or an array on the left of +=): "
            f"write y = y + x, or x.add_(y) and x[...] = y to change a tensor"
        )


def _opened(x: Any) -> Any:
    """The tensors in ``x`` as arrays."""
    if isinstance(x, (tuple, list)):
        return type(x)([_opened(v) for v in x])
    if isinstance(x, dict):
        return {k: _opened(v) for k, v in x.items()}
    return array_of(x) if isinstance(x, TensorBase) else x


def _wrapped(x: Any, tensor: Any) -> Any:
    """The arrays and NumPy scalars in ``x`` as tensors like ``tensor``."""
    if type(x) in (tuple, list):
        return type(x)([_wrapped(v, tensor) for v in x])
    return tensor.wrap(np.asarray(x)) if isinstance(x, (np.ndarray, np.generic)) else x
