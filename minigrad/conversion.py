"""How a tensor becomes something else: a Python number, a NumPy array, a tensor of another type, a new one like it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.attributes import check_device
from minigrad.engine import TensorBase, cast
from minigrad.grad_mode import mode
from minigrad.inplace import InPlace
from minigrad.numpy_protocol import array_function, array_ufunc
from minigrad.ops.shape import shape_of

_NAMES = {
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "bool": "Bool",
}


class Convertible(InPlace):
    """A tensor that can be converted."""

    def item(self) -> Any:
        """The only element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self.array.size} elements cannot be converted to Scalar: reduce it first, or use .tolist()"
            )
        if mode.tape is not None:
            mode.tape.cut(self, None, "item")
        return self.array.item()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no values' if self.array.size == 0 else 'more than one value'} is ambiguous: "
                f"use .any() or .all() (its shape is {list(self.array.shape)})"
            )
        return bool(self.array.item())

    def _scalar(self) -> Any:
        if self.array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, and this one has {self.array.size}"
            )
        return self.item()

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def tolist(self) -> Any:
        if mode.tape is not None:
            mode.tape.cut(self, None, "tolist")
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array that shares this tensor's memory."""
        self.sync()
        if self.needs_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if mode.tape is not None:
            mode.tape.cut(self, self.array, "numpy")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if mode.capture is not None:  # NumPy goes on with a plain array, of which the capture hears no more
            mode.capture.give_up("np.asarray or np.array reads a tensor: use .numpy() and NumPy's other functions")
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False
    ) -> Any:
        """This tensor in another element type; the device can only be the CPU."""
        for arg in args:
            if isinstance(arg, TensorBase):
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
        """The name of the type, as in "torch.FloatTensor"; with ``dtype``, or such a name, the tensor converted."""
        if dtype is None:
            return f"torch.{_NAMES[self.array.dtype.name]}Tensor"
        if isinstance(dtype, str) and dtype.startswith("torch."):
            by_name = {f"torch.{name}Tensor": numpy for numpy, name in _NAMES.items()}
            if dtype not in by_name:
                raise ValueError(f"invalid type: {dtype!r}; minigrad has {', '.join(by_name)}")
            dtype = np.dtype(by_name[dtype])
        return self.to(dtype)

    def type_as(self, other: Any) -> Any:
        return self.to(other.dtype)

    def float(self) -> Any:
        return self.to(np.float32)

    def double(self) -> Any:
        return self.to(np.float64)

    def half(self) -> Any:
        return self.to(np.float16)

    def long(self) -> Any:
        return self.to(np.int64)

    def int(self) -> Any:
        return self.to(np.int32)

    def bool(self) -> Any:
        return self.to(np.bool_)

    def short(self) -> Any:
        return self.to(np.int16)

    def char(self) -> Any:
        return self.to(np.int8)

    def byte(self) -> Any:
        return self.to(np.uint8)

    def bfloat16(self) -> Any:
        raise NotImplementedError("bfloat16(): NumPy has no such type; use .half() or .float()")

    def cpu(self) -> Any:
        return self

    def cuda(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("cuda(): minigrad computes with NumPy on the CPU; leave the call out")

    # Others of its type

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Any:
        wanted = self.array.dtype if dtype is None else dtypes.to_numpy(dtype)
        return self._own(np.array(data.array if isinstance(data, TensorBase) else data, wanted), device, requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Any:
        wanted = self.array.dtype if dtype is None else dtypes.to_numpy(dtype)
        return self._own(np.full(shape_of((size,)), fill_value, wanted), device, requires_grad)

    def new_zeros(
        self, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Any:
        return self.new_full(shape_of(sizes, size), 0, dtype=dtype, device=device, requires_grad=requires_grad)

    def new_ones(
        self, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Any:
        return self.new_full(shape_of(sizes, size), 1, dtype=dtype, device=device, requires_grad=requires_grad)

    new_empty = new_zeros

    def _own(self, array: np.ndarray, device: Any, requires_grad: Any) -> Any:
        check_device(device)
        found = self.wrap(array)
        return found.requires_grad_() if requires_grad else found
