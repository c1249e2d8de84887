"""The tensor that a user holds: operators and methods, one line each, that call the operations.

``Tensor`` adds PyTorch's face to ``TensorBase``. What a method computes, and its gradient, is in ``minigrad/ops``.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.backward import backward
from minigrad.dtypes import dtype as dtype_type
from minigrad.engine import Node, Primitive, TensorBase, Version, accumulate, cast, clone
from minigrad.generator import default_generator
from minigrad.grad_mode import mode
from minigrad.mutation import assign_index, change
from minigrad.numpy_protocol import array_function, array_ufunc
from minigrad.ops import activation as a
from minigrad.ops import choosing as ch
from minigrad.ops import comparison as c
from minigrad.ops import elementwise as e
from minigrad.ops import index as i
from minigrad.ops import inspect as q
from minigrad.ops import kinks as k
from minigrad.ops import linalg as la
from minigrad.ops import order as o
from minigrad.ops import reduce as r
from minigrad.ops import shape as s
from minigrad.ops import softmax as sm
from minigrad.ops import statistics as st
from minigrad.ops import trigonometry as tr
from minigrad.ops.dims import one_axis
from minigrad.printing import tensor_repr


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of sizes."""

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, item: Any) -> Any:
        found = super().__getitem__(item)
        return Size(found) if isinstance(item, slice) else found


class device:
    """Where a tensor lives: always the CPU."""

    type, index = "cpu", None

    def __init__(self, name: Any = "cpu", index: int | None = None) -> None:
        check_device(name)

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device)

    def __hash__(self) -> int:
        return hash("cpu")


def check_device(name: Any) -> None:
    """Raises NotImplementedError for any device but the CPU."""
    if name is not None and str(name).split(":")[0] != "cpu":
        raise NotImplementedError(
            f"device {str(name)!r}: minigrad computes with NumPy, on device 'cpu' only; leave .to(...) out"
        )


class RemovableHandle:
    """What ``register_hook`` returns: ``remove()`` takes the hook away."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place form of an operation: ``x.mul_(2)`` for ``x * 2``."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return change(self, operation(self, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"``{name.strip('_')}`` in place: the tensor itself gets the result."
    return method


def _scaled(operation: Primitive) -> Callable[..., Any]:
    def method(input: Any, other: Any, *, alpha: Any = 1) -> Any:
        return operation(input, other if alpha == 1 else other * alpha)

    method.__name__ = operation.__name__
    method.__doc__ = f"``{operation.__name__}`` of the tensor and ``alpha * other``."
    return method


add, sub = _scaled(e.add), _scaled(e.sub)


class Tensor(TensorBase):
    """An array of numbers that remembers how it was computed.

    Source: https://docs.pytorch.org/docs/stable/tensors.html
    """

    __array_priority__ = 1000
    _retains_grad = False

    def __init__(self, data: Any = ()) -> None:
        self.array = np.array(data.array if isinstance(data, Tensor) else data, dtypes.default.numpy)
        self.version = Version()

    @staticmethod
    def wrap(array: np.ndarray) -> Tensor:
        tensor = object.__new__(Tensor)
        tensor.array = array
        tensor.version = Version()
        if mode.inference:
            tensor._inference = True
        return tensor

    _inference = False
    _prefix = "tensor"  # what repr opens with; a subclass shows its own name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._prefix = cls.__dict__.get("_prefix", cls.__name__)

    # What it is

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    @property
    def dtype(self) -> dtype_type:
        return dtypes.from_numpy(self.array.dtype)

    @property
    def device(self) -> device:
        return device()

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    layout = "torch.strided"
    is_cuda = is_sparse = is_quantized = is_meta = False

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.array.shape[one_axis(self.ndim, dim)]

    def dim(self) -> int:
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        return self.array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps from one element to the next along each dimension, in elements."""
        strides = tuple(n // self.array.itemsize for n in self.array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self) -> bool:
        return self.array.flags.c_contiguous

    def contiguous(self) -> Tensor:
        return self if self.array.flags.c_contiguous else self.clone()

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return False

    def is_inference(self) -> bool:
        return self._inference

    def data_ptr(self) -> int:
        return self.array.ctypes.data

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    # Autograd

    @property
    def requires_grad(self) -> bool:
        self.sync()
        return self.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient of this leaf. Raises RuntimeError for an integer tensor and for one with a history."""
        if requires_grad and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, got {self.dtype}: convert with .float()"
            )
        if not requires_grad and self.node is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. Use .detach() for a tensor without history."
            )
        if self._inference and requires_grad and not mode.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed: clone() it first"
            )
        self.needs_grad = bool(requires_grad)
        return self

    @property
    def grad_fn(self) -> Node | None:
        self.sync()
        return self.node

    @property
    def is_leaf(self) -> bool:
        return self.grad_fn is None

    @property
    def _version(self) -> int:
        return self.version.count

    @property
    def _base(self) -> Any:
        return self.base

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add the gradient of this tensor to ``.grad`` of the leaves it was computed from (see ``autograd.backward``)."""
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory without history."""
        found = self.wrap(self.array)
        found.version = self.version
        return found

    def detach_(self) -> Tensor:
        """Forget the history."""
        if self.base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.node, self.needs_grad = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, unknown to autograd."""
        return self.wrap(self.array)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self.array = value.array

    def retain_grad(self) -> None:
        """Keep ``.grad`` of this tensor also if it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.node is not None and not self._retains_grad:
            self._retains_grad = True
            self._hook(self.node, _keep_grad(self))

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` once with the summed gradient of this tensor; what it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")

        def run(g: Any) -> Any:
            given = g if isinstance(g, Tensor) else Tensor.wrap(g)
            result = hook(given)
            if result is None:
                return g
            if not isinstance(result, Tensor) or result.array.shape != given.array.shape:
                raise RuntimeError(
                    f"a hook must return None or a gradient of shape {list(given.shape)}, got {result!r}"
                )
            return result if isinstance(g, TensorBase) else result.array

        return self._hook(self.gradient_node(), run)

    @staticmethod
    def _hook(node: Node, run: Callable[[Any], Any]) -> RemovableHandle:
        if node.hooks is None:
            node.hooks = {}
        key = max(node.hooks, default=-1) + 1
        node.hooks[key] = run
        return RemovableHandle(node.hooks, key)

    # Python's operators

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

    def __pos__(self) -> Tensor:
        return self

    def __rsub__(self, other: Any) -> Tensor:
        return e.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return e._div(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return e.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return e._pow(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return la.matmul(other, self)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(value, (TensorBase, np.ndarray, int, float, bool)):
            value = np.asarray(value)
        assign_index(self, i.plain(index), value)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no values' if self.array.size == 0 else 'more than one value'} is ambiguous: "
                f"use .any() or .all() (its shape is {list(self.array.shape)})"
            )
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __iter__(self) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, (Tensor, int, float, bool)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool((self == element).array.any())

    def __repr__(self) -> str:
        suffixes = []
        if self.grad_fn is not None:
            suffixes.append(f"grad_fn=<{self.grad_fn.name()}>")
        elif self.needs_grad:
            suffixes.append("requires_grad=True")
        return tensor_repr(self.array, suffixes=suffixes, default_dtype=dtypes.default.numpy, prefix=self._prefix + "(")

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else object.__format__(self, spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.grad_fn is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol: detach() first"
            )
        found = object.__new__(type(self))
        memo[id(self)] = found
        found.__dict__.update(
            {k: v for k, v in self.__dict__.items() if k not in ("accumulator", "base", "path", "seen")}
        )
        found.array, found.version = self.array.copy(), Version()
        if self.grad is not None:
            found.grad = self.grad.__deepcopy__(memo)
        return found

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.grad_fn is not None:
            raise RuntimeError("only leaves can be pickled: detach() first")
        return _rebuild, (type(self), self.array, self.needs_grad)

    # Conversions

    def item(self) -> Any:
        """The only element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self.array.size} elements cannot be converted to Scalar: reduce it first, or use .tolist()"
            )
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array that shares this tensor's memory."""
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False
    ) -> Tensor:
        """This tensor in another element type; the device can only be the CPU."""
        for arg in args:
            if isinstance(arg, Tensor):
                dtype = arg.array.dtype
            elif isinstance(arg, str) or type(arg).__name__ == "device":
                device = arg
            elif not isinstance(arg, bool) and arg is not None:
                dtype = arg
        check_device(device)
        wanted = self.array.dtype if dtype is None else dtypes.to_numpy(dtype)
        if wanted == self.array.dtype:
            return self.clone() if copy else self
        return cast(self, wanted)

    def type(self, dtype: Any = None) -> Any:
        if dtype is None:
            names = {
                "float32": "Float",
                "float64": "Double",
                "float16": "Half",
                "int64": "Long",
                "int32": "Int",
                "bool": "Bool",
            }
            return f"torch.{names.get(self.array.dtype.name, self.array.dtype.name.title())}Tensor"
        return self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        return self.to(other.dtype)

    def float(self) -> Tensor:
        return self.to(np.float32)

    def double(self) -> Tensor:
        return self.to(np.float64)

    def half(self) -> Tensor:
        return self.to(np.float16)

    def long(self) -> Tensor:
        return self.to(np.int64)

    def int(self) -> Tensor:
        return self.to(np.int32)

    def bool(self) -> Tensor:
        return self.to(np.bool_)

    def short(self) -> Tensor:
        return self.to(np.int16)

    def byte(self) -> Tensor:
        return self.to(np.uint8)

    def cpu(self) -> Tensor:
        return self

    def cuda(self, *_: Any, **__: Any) -> Tensor:
        raise NotImplementedError("cuda(): minigrad computes with NumPy on the CPU; leave the call out")

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
    narrow, split, chunk = s.narrow, s.split, s.chunk
    select, unbind, gather, take_along_dim = i.select, i.unbind, i.gather, i.take_along_dim
    scatter_add, index_select, index_add = i.scatter_add, i.index_select, i.index_add
    masked_fill, masked_select, triu, tril = i.masked_fill, i.masked_select, i.triu, i.tril
    isclose, allclose, equal = q.isclose, q.allclose, q.equal
    nonzero, unique, bincount, ravel = q.nonzero, q.unique, q.bincount, s.ravel
    diag, diagonal, trace = i.diag, i.diagonal, i.trace
    matmul, mm, bmm, mv, dot, addmm, outer = la.matmul, la.mm, la.bmm, la.mv, la.dot, la.addmm, la.outer
    inverse, det = la.inv, la.det

    def where(self, condition: Tensor, other: Any) -> Tensor:
        return ch.where(condition, self, other)

    def view_as(self, other: Tensor) -> Tensor:
        return self.view(*other.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        return self.reshape(*other.shape)

    def expand_as(self, other: Tensor) -> Tensor:
        return self.expand(*other.shape)

    @property
    def T(self) -> Tensor:
        return s.permute(self, *reversed(range(self.array.ndim))) if self.array.ndim != 2 else s.t(self)

    @property
    def mT(self) -> Tensor:
        if self.array.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.array.ndim}-D tensor."
            )
        return s.transpose(self, -2, -1)

    # In place

    add_, sub_, mul_, div_ = (
        _in_place(add, "add_"),
        _in_place(sub, "sub_"),
        _in_place(e.mul, "mul_"),
        _in_place(e.div, "div_"),
    )
    pow_, neg_, abs_, sqrt_ = (
        _in_place(e.pow, "pow_"),
        _in_place(e.neg, "neg_"),
        _in_place(k.abs, "abs_"),
        _in_place(e.sqrt, "sqrt_"),
    )
    exp_, log_, sigmoid_, tanh_ = (
        _in_place(e.exp, "exp_"),
        _in_place(e.log, "log_"),
        _in_place(a.sigmoid, "sigmoid_"),
        _in_place(tr.tanh, "tanh_"),
    )
    relu_, clamp_, round_, floor_ = (
        _in_place(a.relu, "relu_"),
        _in_place(k.clamp, "clamp_"),
        _in_place(k.round, "round_"),
        _in_place(k.floor, "floor_"),
    )
    sin_, cos_, square_, reciprocal_ = (
        _in_place(tr.sin, "sin_"),
        _in_place(tr.cos, "cos_"),
        _in_place(e.square, "square_"),
        _in_place(e.reciprocal, "reciprocal_"),
    )
    ceil_, trunc_, sign_, rsqrt_ = (
        _in_place(k.ceil, "ceil_"),
        _in_place(k.trunc, "trunc_"),
        _in_place(k.sign, "sign_"),
        _in_place(e.rsqrt, "rsqrt_"),
    )
    lerp_, masked_fill_ = _in_place(e.lerp, "lerp_"), _in_place(i.masked_fill, "masked_fill_")
    index_add_, scatter_add_ = _in_place(i.index_add, "index_add_"), _in_place(i.scatter_add, "scatter_add_")
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = add_, sub_, mul_, div_, pow_

    def copy_(self, src: Any) -> Tensor:
        """Overwrite this tensor with ``src``, broadcast and converted to its type."""
        value = src if isinstance(src, Tensor) else Tensor.wrap(np.asarray(src))
        return change(self, value.to(self.array.dtype).expand(*self.array.shape), "copy_")

    def fill_(self, value: Any) -> Tensor:
        """Overwrite every element with ``value``."""
        if isinstance(value, Tensor):
            return self.copy_(value)
        return change(self, Tensor.wrap(np.full_like(self.array, value)), "fill_")

    def zero_(self) -> Tensor:
        """Overwrite every element with 0."""
        return change(self, Tensor.wrap(np.zeros_like(self.array)), "zero_")

    def uniform_(self, low: Any = 0.0, high: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with numbers uniform on [low, high)."""
        drawn = (generator or default_generator).uniform(self.array.shape, self.array.dtype, low, high)
        return change(self, Tensor.wrap(drawn), "uniform_")

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with normal numbers."""
        drawn = (generator or default_generator).normal(self.array.shape, self.array.dtype, mean, std)
        return change(self, Tensor.wrap(drawn), "normal_")

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with numbers of density ``lambd * exp(-lambd * x)``."""
        drawn = (generator or default_generator).exponential(self.array.shape, self.array.dtype, lambd)
        return change(self, Tensor.wrap(drawn), "exponential_")

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Overwrite with 1 with probability ``p`` (a number, or a tensor of them), else 0."""
        source = generator or default_generator
        if isinstance(p, Tensor):
            drawn = source.bernoulli_array(np.broadcast_to(p.array, self.array.shape))
        else:
            drawn = source.bernoulli(p, self.array.shape)
        return change(self, Tensor.wrap(np.asarray(drawn, self.array.dtype)), "bernoulli_")

    def random_(self, low: Any = None, high: Any = None, *, generator: Any = None) -> Tensor:
        """Overwrite with integers: of the whole range of the type, below ``low``, or in [low, high)."""
        source = generator or default_generator
        if low is None:
            drawn = source.random(self.array.shape, self.array.dtype)
        else:
            begin, end = (0, low) if high is None else (low, high)
            drawn = source.integers(self.array.shape, begin, end, self.array.dtype)
        return change(self, Tensor.wrap(drawn), "random_")

    def new_tensor(self, data: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor:
        wanted = self.array.dtype if dtype is None else dtypes.to_numpy(dtype)
        return Tensor.wrap(np.array(data, wanted)).requires_grad_(requires_grad)

    def _new(self, shape: Any, fill: Any, dtype: Any) -> Tensor:
        wanted = self.array.dtype if dtype is None else dtypes.to_numpy(dtype)
        return Tensor.wrap(np.full(s.shape_of(shape), fill, wanted))

    def new_zeros(self, *shape: Any, dtype: Any = None) -> Tensor:
        return self._new(shape, 0, dtype)

    def new_ones(self, *shape: Any, dtype: Any = None) -> Tensor:
        return self._new(shape, 1, dtype)

    def new_empty(self, *shape: Any, dtype: Any = None) -> Tensor:
        return self._new(shape, 0, dtype)

    def new_full(self, shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
        return self._new((shape,), fill_value, dtype)


def _rebuild(kind: type, array: np.ndarray, requires_grad: bool) -> Tensor:
    tensor: Tensor = object.__new__(kind)
    tensor.array, tensor.version, tensor.needs_grad = array, Version(), requires_grad
    return tensor


def _keep_grad(tensor: Tensor) -> Callable[[Any], Any]:
    """A hook that stores the gradient in ``tensor.grad`` and does not keep the tensor alive."""
    found = weakref.ref(tensor)

    def store(g: Any) -> Any:
        tensor = found()
        if tensor is not None:
            accumulate(tensor, g if isinstance(g, TensorBase) else g.copy())
        return g

    return store
