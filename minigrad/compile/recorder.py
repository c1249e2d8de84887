"""An array that writes down what NumPy is asked to do with it.

NumPy hands a call with such an array to ``__array_ufunc__`` (``np.add(x, y)``, ``x += y``, ``np.add.reduce``),
to ``__array_function__`` (``np.where``, ``np.concatenate``), or to the methods below. Each passes it to the tape, which
runs it and writes it down. Without a tape a recorder is an ordinary array.
"""

from __future__ import annotations

import math
import operator
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.grad_mode import mode

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_FACE = tuple(
    _PACKAGE + name for name in ("tensor.py", "conversion.py", "operators.py", "printing.py")
)  # where users read values


def _plain(x: Any) -> Any:
    return x.view(np.ndarray) if type(x) is Recorder else x


def _reader() -> str:
    """Who asks for a value: "inside" (a check of minigrad's own), or "user" (through a tensor's method or directly)."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_HERE, _NUMPY)):
        frame = frame.f_back
    name = frame.f_code.co_filename
    return "inside" if name.startswith(_PACKAGE) and name not in _FACE else "user"


def _method(name: str, writes: bool = False) -> Callable[..., Any]:
    plain = getattr(np.ndarray, name)

    def method(self: Recorder, *args: Any, **options: Any) -> Any:
        if mode.capture is None:
            return plain(self.view(np.ndarray), *args, **options)
        return mode.capture.run(plain, (self, *args), options, writes=(self,) if writes else ())

    method.__name__ = name
    return method


class Recorder(np.ndarray):
    """An array whose calls are written down by the tape of this thread."""

    tape: Any = None  # that was on when the array was made
    scalar = False  # whether NumPy gave a scalar, not an array

    def __array_finalize__(self, source: Any) -> None:
        self.tape = mode.capture

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if mode.capture is None:
            inputs = tuple(_plain(x) for x in inputs)
            given = options.get("out", ())
            options = {k: tuple(map(_plain, v)) if k == "out" else _plain(v) for k, v in options.items()}
            result = function(*inputs, **options)
            return (given if len(given) > 1 else given[0]) if given and given[0] is not None else result
        return mode.capture.run_ufunc(function, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if mode.capture is None:
            return super().__array_function__(function, types, args, options)
        return mode.capture.run_function(function, args, options)

    def __getitem__(self, index: Any) -> Any:
        if mode.capture is None:
            return _plain(self)[index]
        return mode.capture.index(self, index)

    def __iter__(self) -> Iterator[Any]:
        if mode.capture is None:
            return iter(_plain(self))
        return (self[i] for i in range(len(self)))

    # Values read by Python: inside minigrad a check, which becomes a guard; by the user, a number or control flow.

    def item(self, *args: Any) -> Any:
        if mode.capture is None:
            return self.view(np.ndarray).item(*args)
        if args or _reader() == "inside":
            return mode.capture.guard(self, np.ndarray.item, *args)
        return mode.capture.number(self)

    def tolist(self) -> Any:
        if mode.capture is not None:
            if _reader() == "inside":
                return mode.capture.guard(self, np.ndarray.tolist)
            mode.capture.give_up("the values of a tensor are read by Python")
        return self.view(np.ndarray).tolist()

    def _read(self, kind: Any) -> Any:
        if mode.capture is not None:
            if _reader() == "inside":
                return mode.capture.guard(self, kind)
            mode.capture.give_up("Python decides by the value of a tensor")
        return kind(self.view(np.ndarray))

    def __bool__(self) -> bool:
        return self._read(bool)

    def __float__(self) -> float:
        return self._read(float)

    def __int__(self) -> int:
        return self._read(int)

    def __index__(self) -> int:
        return self._read(int)

    def __contains__(self, element: Any) -> bool:
        return bool((self == element).any())

    def __repr__(self) -> str:
        if mode.capture is not None:
            mode.capture.give_up("a tensor is printed")
        return repr(self.view(np.ndarray))

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self._read(float), spec) if self.ndim == 0 else repr(self)

    def tobytes(self, *args: Any) -> bytes:
        if mode.capture is not None:
            mode.capture.give_up("the bytes of a tensor are read")
        return self.view(np.ndarray).tobytes(*args)

    # The methods that copy or write; the others are views, or call the functions above.

    __setitem__ = _method("__setitem__", writes=True)
    fill, put, sort, partition = (_method(name, writes=True) for name in ("fill", "put", "sort", "partition"))
    copy, astype, flatten, repeat = (_method(name) for name in ("copy", "astype", "flatten", "repeat"))
    reshape, ravel, take, compress = (_method(name) for name in ("reshape", "ravel", "take", "compress"))
    argsort, argmax, argmin, argpartition = (_method(name) for name in ("argsort", "argmax", "argmin", "argpartition"))
    cumsum, cumprod, dot, trace = (_method(name) for name in ("cumsum", "cumprod", "dot", "trace"))
    choose, searchsorted, nonzero, round = (_method(name) for name in ("choose", "searchsorted", "nonzero", "round"))
    diagonal, byteswap, __deepcopy__ = (_method(name) for name in ("diagonal", "byteswap", "__deepcopy__"))


def _calculating(function: Callable[..., Any], turned: bool = False) -> Any:
    """The method of ``Number`` for an operator of arithmetic; ``turned`` if the number stands on the right."""

    def method(self: Number, *others: Any) -> Any:
        if not all(type(o) in (Number, int, float, bool) for o in others):
            return NotImplemented
        operands = (*others, self) if turned else (self, *others)
        value = function(*(o.value if type(o) is Number else o for o in operands))
        if mode.capture is None:
            return value
        return Number(self.tape, value, (function, *(o.compute if type(o) is Number else o for o in operands)))

    return method


def _deciding(function: Callable[..., Any]) -> Any:
    """The method of ``Number`` for what needs its value at once."""

    def method(self: Number, *others: Any) -> Any:
        if mode.capture is not None:
            mode.capture.give_up("Python uses the value of a tensor")
        return function(self.value, *(o.value if type(o) is Number else o for o in others))

    return method


class Number:
    """A number read from a tensor by ``item()`` while a step is captured: it can be returned and calculated with.

    ``compute`` says how to calculate it after a replay: ``(function, operands...)``, or the address that it is read
    from. Whatever needs the value at once is control flow on a tensor's value, and ends the capture.
    """

    def __init__(self, tape: Any, value: Any, compute: Any) -> None:
        self.tape, self.value, self.compute = tape, value, compute
        tape.numbers.append(weakref.ref(self))

    @property  # type: ignore[misc]  # object's can be assigned, which nobody does here
    def __class__(self) -> Any:  # so that isinstance(number, float) holds, as for the number it stands for
        return type(self.value)

    __add__, __radd__ = _calculating(operator.add), _calculating(operator.add, turned=True)
    __sub__, __rsub__ = _calculating(operator.sub), _calculating(operator.sub, turned=True)
    __mul__, __rmul__ = _calculating(operator.mul), _calculating(operator.mul, turned=True)
    __truediv__, __rtruediv__ = _calculating(operator.truediv), _calculating(operator.truediv, turned=True)
    __neg__, __pos__, __abs__ = _calculating(operator.neg), _calculating(operator.pos), _calculating(abs)

    __float__, __int__, __bool__, __index__ = _deciding(float), _deciding(int), _deciding(bool), _deciding(int)
    __lt__, __le__, __gt__, __ge__ = map(_deciding, (operator.lt, operator.le, operator.gt, operator.ge))
    __eq__, __ne__, __hash__ = _deciding(operator.eq), _deciding(operator.ne), _deciding(hash)
    __repr__, __str__, __format__ = _deciding(repr), _deciding(str), _deciding(format)
    __round__, __floor__ = _deciding(round), _deciding(math.floor)
    __ceil__, __trunc__ = _deciding(math.ceil), _deciding(math.trunc)
    __pow__, __mod__, __floordiv__ = map(_deciding, (operator.pow, operator.mod, operator.floordiv))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if mode.capture is not None:
            mode.capture.give_up("Python uses the value of a tensor")
        return np.array(self.value, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if mode.capture is not None:
            mode.capture.give_up("Python uses the value of a tensor")
        return getattr(ufunc, method)(*(x.value if type(x) is Number else x for x in inputs), **options)

    def __getattr__(self, name: str) -> Any:
        if mode.capture is not None:
            mode.capture.give_up("Python uses the value of a tensor")
        return getattr(self.value, name)
