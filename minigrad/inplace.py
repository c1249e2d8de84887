"""Methods that change a tensor in place: the operations with an underscore, and fills with values or random numbers.

How a change is recorded is in ``minigrad/mutation.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine import TensorBase, cast
from minigrad.generator import default_generator
from minigrad.mutation import assign_index, change
from minigrad.operators import Operators, add, sub
from minigrad.ops import activation as a
from minigrad.ops import elementwise as e
from minigrad.ops import gather as ga
from minigrad.ops import index as i
from minigrad.ops import kinks as k
from minigrad.ops import trigonometry as tr
from minigrad.ops.shape import broadcast_to


def _in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The in-place form of an operation: ``x.mul_(2)`` for ``x * 2``."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return change(self, operation(self, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"``{name.strip('_')}`` in place: the tensor itself gets the result."
    return method


class InPlace(Operators):
    """A tensor whose memory can be overwritten."""

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(value, (TensorBase, np.ndarray, int, float, bool)):
            value = np.asarray(value)
        assign_index(self, i.plain(index), value)

    add_ = _in_place(add, "add_")
    sub_ = _in_place(sub, "sub_")
    mul_ = _in_place(e.mul, "mul_")
    div_ = _in_place(e.div, "div_")
    pow_ = _in_place(e.pow, "pow_")
    neg_ = _in_place(e.neg, "neg_")
    abs_ = _in_place(k.abs, "abs_")
    sqrt_ = _in_place(e.sqrt, "sqrt_")
    exp_ = _in_place(e.exp, "exp_")
    log_ = _in_place(e.log, "log_")
    sigmoid_ = _in_place(a.sigmoid, "sigmoid_")
    tanh_ = _in_place(tr.tanh, "tanh_")
    relu_ = _in_place(a.relu, "relu_")
    clamp_ = _in_place(k.clamp, "clamp_")
    round_ = _in_place(k.round, "round_")
    floor_ = _in_place(k.floor, "floor_")
    sin_ = _in_place(tr.sin, "sin_")
    cos_ = _in_place(tr.cos, "cos_")
    square_ = _in_place(e.square, "square_")
    reciprocal_ = _in_place(e.reciprocal, "reciprocal_")
    ceil_ = _in_place(k.ceil, "ceil_")
    trunc_ = _in_place(k.trunc, "trunc_")
    sign_ = _in_place(k.sign, "sign_")
    rsqrt_ = _in_place(e.rsqrt, "rsqrt_")
    lerp_ = _in_place(e.lerp, "lerp_")
    masked_fill_ = _in_place(i.masked_fill, "masked_fill_")
    index_add_ = _in_place(ga.index_add, "index_add_")
    scatter_add_ = _in_place(ga.scatter_add, "scatter_add_")

    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = add_, sub_, mul_, div_, pow_

    def copy_(self, src: Any) -> Any:
        """Overwrite this tensor with ``src``, broadcast and converted to its type."""
        value = src if isinstance(src, TensorBase) else self.wrap(np.asarray(src))
        if value.array.dtype != self.array.dtype:
            value = cast(value, self.array.dtype)
        return change(self, broadcast_to(value, self.array.shape), "copy_")

    def fill_(self, value: Any) -> Any:
        """Overwrite every element with ``value``."""
        if isinstance(value, TensorBase):
            return self.copy_(value)
        return change(self, self.wrap(np.full_like(self.array, value)), "fill_")

    def zero_(self) -> Any:
        """Overwrite every element with 0."""
        return change(self, self.wrap(np.zeros_like(self.array)), "zero_")

    def uniform_(self, low: Any = 0.0, high: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with numbers uniform on [low, high)."""
        drawn = (generator or default_generator).uniform(self.array.shape, self.array.dtype, low, high)
        return change(self, self.wrap(drawn), "uniform_")

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with normal numbers."""
        drawn = (generator or default_generator).normal(self.array.shape, self.array.dtype, mean, std)
        return change(self, self.wrap(drawn), "normal_")

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Any:
        """Overwrite with numbers of density ``lambd * exp(-lambd * x)``."""
        drawn = (generator or default_generator).exponential(self.array.shape, self.array.dtype, lambd)
        return change(self, self.wrap(drawn), "exponential_")

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Any:
        """Overwrite with 1 with probability ``p`` (a number, or a tensor of them), else 0."""
        source = generator or default_generator
        if isinstance(p, TensorBase):
            drawn = source.bernoulli_array(np.broadcast_to(p.array, self.array.shape))
        else:
            drawn = source.bernoulli(p, self.array.shape)
        return change(self, self.wrap(np.asarray(drawn, self.array.dtype)), "bernoulli_")

    def random_(self, low: Any = None, high: Any = None, *, generator: Any = None) -> Any:
        """Overwrite with integers: of the whole range of the type, below ``low``, or in [low, high)."""
        source = generator or default_generator
        if low is None:
            drawn = source.random(self.array.shape, self.array.dtype)
        else:
            begin, end = (0, low) if high is None else (low, high)
            drawn = source.integers(self.array.shape, begin, end, self.array.dtype)
        return change(self, self.wrap(drawn), "random_")
