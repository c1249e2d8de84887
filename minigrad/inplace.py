"""Methods that change a tensor in place: the operations with an underscore, and fills with values or random numbers.

How a change is recorded is in ``minigrad/mutation.py``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine import TensorBase, define
from minigrad.generator import default_generator
from minigrad.grad_mode import mode
from minigrad.mutation import assign_index, change, touch
from minigrad.operators import Operators, add, sub
from minigrad.ops import activation as a
from minigrad.ops import comparison as c
from minigrad.ops import diagonal as di
from minigrad.ops import elementwise as e
from minigrad.ops import exponential as ex
from minigrad.ops import gather as ga
from minigrad.ops import index as i
from minigrad.ops import kinks as k
from minigrad.ops import shape as s
from minigrad.ops import trigonometry as tr


def _in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place form of an operation: ``x.mul_(2)`` for ``x * 2``."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return change(self, operation(self, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"``{name.strip('_')}`` in place: the tensor itself gets the result."
    return method


@define("ZeroBackward0")
def _zeroed(x: Any) -> Any:
    return np.zeros_like(x)


@define("FillBackward2")
def _filled(x: Any, value: Any) -> Any:
    return np.full_like(x, value)


@define("CopyBackwards")
def _copied(x: Any, src: Any) -> Any:
    return np.broadcast_to(src.astype(x.dtype, copy=False), x.shape)


for _overwriting in (_zeroed, _filled, _copied):
    _overwriting.vjp(x=lambda g: g * 0)
_copied.vjp(src=lambda g: g)


class InPlace(Operators):
    """A tensor whose memory can be overwritten."""

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(value, (TensorBase, np.ndarray, np.generic, int, float)):
            raise TypeError(
                f"can't assign a {type(value).__name__} to a tensor: make a tensor of it, as in x[0] = tensor([1, 2])"
            )
        first, rest = i.in_steps(i.plain(index), self.array.ndim)
        assign_index(self if first is None else i.getitem(self, first), rest, value)

    # Arithmetic

    add_ = _in_place(add, "add_")
    sub_ = _in_place(sub, "sub_")
    mul_ = _in_place(e.mul, "mul_")
    div_ = _in_place(e.div, "div_")
    pow_ = _in_place(e.pow, "pow_")
    neg_ = _in_place(e.neg, "neg_")
    square_ = _in_place(e.square, "square_")
    sqrt_ = _in_place(e.sqrt, "sqrt_")
    rsqrt_ = _in_place(e.rsqrt, "rsqrt_")
    reciprocal_ = _in_place(e.reciprocal, "reciprocal_")
    remainder_ = _in_place(e.remainder, "remainder_")
    fmod_ = _in_place(e.fmod, "fmod_")
    floor_divide_ = _in_place(e.floor_divide, "floor_divide_")
    lerp_ = _in_place(e.lerp, "lerp_")
    addcmul_ = _in_place(e.addcmul, "addcmul_")
    addcdiv_ = _in_place(e.addcdiv, "addcdiv_")

    # Functions of each element

    exp_ = _in_place(ex.exp, "exp_")
    expm1_ = _in_place(ex.expm1, "expm1_")
    log_ = _in_place(ex.log, "log_")
    log1p_ = _in_place(ex.log1p, "log1p_")
    log2_ = _in_place(ex.log2, "log2_")
    log10_ = _in_place(ex.log10, "log10_")
    sin_ = _in_place(tr.sin, "sin_")
    cos_ = _in_place(tr.cos, "cos_")
    tan_ = _in_place(tr.tan, "tan_")
    tanh_ = _in_place(tr.tanh, "tanh_")
    sigmoid_ = _in_place(a.sigmoid, "sigmoid_")
    relu_ = _in_place(a.relu, "relu_")

    # Kinks and steps

    abs_ = _in_place(k.abs, "abs_")
    sign_ = _in_place(k.sign, "sign_")
    clamp_ = _in_place(k.clamp, "clamp_")
    clamp_min_ = _in_place(k.clamp_min, "clamp_min_")
    clamp_max_ = _in_place(k.clamp_max, "clamp_max_")
    round_ = _in_place(k.round, "round_")
    floor_ = _in_place(k.floor, "floor_")
    ceil_ = _in_place(k.ceil, "ceil_")
    trunc_ = _in_place(k.trunc, "trunc_")
    frac_ = _in_place(k.frac, "frac_")
    nan_to_num_ = _in_place(k.nan_to_num, "nan_to_num_")

    # Parts

    masked_fill_ = _in_place(i.masked_fill, "masked_fill_")
    index_add_ = _in_place(ga.index_add, "index_add_")
    index_fill_ = _in_place(ga.index_fill, "index_fill_")
    index_copy_ = _in_place(ga.index_copy, "index_copy_")
    index_put_ = _in_place(ga.index_put, "index_put_")
    scatter_ = _in_place(ga.scatter, "scatter_")
    scatter_add_ = _in_place(ga.scatter_add, "scatter_add_")
    triu_ = _in_place(di.triu, "triu_")
    tril_ = _in_place(di.tril, "tril_")

    # Truth

    logical_not_ = _in_place(c.logical_not, "logical_not_")
    logical_and_ = _in_place(c.logical_and, "logical_and_")
    logical_or_ = _in_place(c.logical_or, "logical_or_")
    logical_xor_ = _in_place(c.logical_xor, "logical_xor_")

    subtract_, multiply_, divide_, true_divide_, negative_, absolute_ = sub_, mul_, div_, div_, neg_, abs_
    clip_, fix_ = clamp_, trunc_
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = add_, sub_, mul_, div_, pow_
    __ifloordiv__, __imod__ = floor_divide_, remainder_

    # Shape: the tensor itself takes another view of its memory

    def unsqueeze_(self, dim: int) -> Any:
        return self._turn(s.unsqueeze(self, dim), "unsqueeze_")

    def squeeze_(self, dim: Any = None) -> Any:
        return self._turn(s.squeeze(self, dim), "squeeze_")

    def transpose_(self, dim0: int, dim1: int) -> Any:
        return self._turn(s.transpose(self, dim0, dim1), "transpose_")

    def t_(self) -> Any:
        return self._turn(s.t(self), "t_")

    swapaxes_ = swapdims_ = transpose_

    def _turn(self, view: Any, name: str) -> Any:
        if mode.enabled and self.needs_grad and self.node is None:
            raise RuntimeError(f"a leaf Variable that requires grad is being used in an in-place operation: {name}")
        self.array, self.node = view.array, view.node
        if self.base is not None:
            self.path = view.path
        touch(self, name)
        return self

    # Fills

    def receive(self, result: Any, name: str) -> Any:
        if mode.enabled and (result.needs_grad or self.needs_grad):
            raise RuntimeError(
                f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
                f"requires grad: take the result, or do it under no_grad()"
            )
        if result.array.shape != self.array.shape:
            if self.array.size:
                warnings.warn(
                    f"An output with one or more elements was resized since it had shape {list(self.array.shape)}, which does "
                    f"not match the required output shape {list(result.array.shape)}: give an empty one, such as empty(0)",
                    stacklevel=3,
                )
            self.array = np.empty(result.array.shape, self.array.dtype)
        return change(self, result, f"{name}(out=...)")

    def copy_(self, src: Any, non_blocking: bool = False) -> Any:
        """Overwrite this tensor with ``src``, broadcast and converted to its type."""
        return change(self, _copied(self, src if isinstance(src, TensorBase) else np.asanyarray(src)), "copy_")

    def fill_(self, value: Any) -> Any:
        """Overwrite every element with ``value``."""
        if isinstance(value, TensorBase):
            if value.array.ndim:
                raise RuntimeError(
                    f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions: use copy_"
                )
            return self.copy_(value)
        return change(self, _filled(self, value), "fill_")

    def zero_(self) -> Any:
        """Overwrite every element with 0."""
        return change(self, _zeroed(self), "zero_")

    def fill_diagonal_(self, fill_value: Any, wrap: bool = False) -> Any:
        """Overwrite the diagonal of a matrix with ``fill_value``."""
        if self.array.ndim != 2 or wrap:
            raise NotImplementedError("fill_diagonal_: minigrad has it for matrices, without wrap")
        self.diagonal().fill_(fill_value)
        return self

    def uniform_(self, low: Any = 0.0, high: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with numbers uniform on [low, high)."""
        return self._draw(lambda source, shape, dtype: source.uniform(shape, dtype, low, high), generator, "uniform_")

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with normal numbers."""
        dense = self.array.flags.c_contiguous
        return self._draw(
            lambda source, shape, dtype: source.normal(shape, dtype, mean, std, pairs=not dense), generator, "normal_"
        )

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with numbers of density ``lambd * exp(-lambd * x)``."""
        return self._draw(
            lambda source, shape, dtype: source.exponential(shape, dtype, lambd), generator, "exponential_"
        )

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Any:
        """Overwrite with 1 with probability ``p`` (a number, or a tensor of them), else 0."""
        if isinstance(p, TensorBase):
            drawn = (generator or default_generator).bernoulli_array(np.broadcast_to(p.array, self.array.shape))
            return change(self, self.wrap(np.asanyarray(drawn, self.array.dtype)), "bernoulli_")
        return self._draw(lambda source, shape, dtype: source.bernoulli(p, shape, dtype), generator, "bernoulli_")

    def random_(self, low: Any = None, high: Any = None, *, generator: Any = None) -> Any:
        """Overwrite with integers: of the whole range of the type, below ``low``, or in [low, high)."""
        begin, end = (0, low) if high is None else (low, high)
        return self._draw(
            lambda source, shape, dtype: (
                source.random(shape, dtype) if low is None else source.integers(shape, begin, end, dtype)
            ),
            generator,
            "random_",
        )

    def bernoulli(self, p: Any = None, *, generator: Any = None) -> Any:
        """1 with a probability that is the element, or ``p``, else 0: in a new tensor."""
        if p is not None:
            return s.contiguous_copy(self).detach().bernoulli_(p, generator=generator)
        chances = self.array
        if chances.size and not ((chances >= 0) & (chances <= 1)).all():
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true: probabilities lie in [0, 1]")
        return self.wrap((generator or default_generator).bernoulli_array(chances))

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Any:
        """Indices drawn with probabilities proportional to the elements of each row."""
        return self.wrap((generator or default_generator).multinomial(self.array, num_samples, replacement))

    def _draw(self, numbers: Callable[..., np.ndarray], generator: Any, name: str) -> Any:
        """Overwrite with random numbers, the first drawn at the first place in memory, as in PyTorch."""
        order = sorted(range(self.array.ndim), key=lambda axis: -abs(self.array.strides[axis]))
        drawn = numbers(
            generator or default_generator, tuple(self.array.shape[axis] for axis in order), self.array.dtype
        )
        return change(self, self.wrap(drawn.transpose(sorted(range(len(order)), key=order.__getitem__))), name)
