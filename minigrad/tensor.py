"""The tensor that a user holds: what it is, and how it takes part in autograd.

What is done with it stands in the classes beneath: ``Operators``, ``InPlace`` for changes, ``Convertible``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.attributes import Size, device
from minigrad.backward import backward
from minigrad.conversion import Convertible
from minigrad.dtypes import dtype as dtype_type
from minigrad.engine import Node, Version
from minigrad.grad_mode import mode
from minigrad.hooks import RemovableHandle, announce, attach, checked, retain
from minigrad.ops.dims import one_axis
from minigrad.ops.shape import contiguous_copy, shape_of
from minigrad.printing import tensor_repr


class Tensor(Convertible):
    """An array of numbers that remembers how it was computed.

    Source: https://docs.pytorch.org/docs/stable/tensors.html
    """

    __array_priority__ = 1000

    def __init__(self, *data: Any) -> None:
        """The given numbers in the default floating type, or, of sizes given one by one, zeros of that shape."""
        if len(data) == 1 and not isinstance(data[0], (int, Size)):
            found = data[0].array if isinstance(data[0], Tensor) else data[0]
            self.array = np.array(found, dtypes.default.numpy)
        else:
            self.array = np.zeros(shape_of(data), dtypes.default.numpy)
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
    is_cpu = True

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

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return self.array.flags.c_contiguous

    def contiguous(self, memory_format: Any = None) -> Tensor:
        return self if self.array.flags.c_contiguous else contiguous_copy(self)

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return False

    def is_signed(self) -> bool:
        return self.array.dtype.kind in "if"

    def is_nonzero(self) -> bool:
        return bool(self)

    def is_same_size(self, other: Tensor) -> bool:
        return self.array.shape == other.array.shape

    def get_device(self) -> int:
        return -1  # the CPU has no number

    def is_inference(self) -> bool:
        return self._inference

    def data_ptr(self) -> int:
        return self.array.ctypes.data

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    # Autograd

    def _set_grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        self._grad = value

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}: make one with "
                f"tensor(...)"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad: assign a clone()")
        if value.array.shape != self.array.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value.array.shape)}' to a tensor of size "
                f"'{list(self.array.shape)}'. Please ensure that the gradient and the tensor are the same size: reshape or "
                f"sum it first"
            )
        if value.array.dtype != self.array.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor of dtype '{self.dtype}'. The "
                f"gradient must match the tensor's dtype: convert it with .to(x.dtype)"
            )

    def _forget_grad(self) -> None:
        self._grad = None

    grad = property(
        attrgetter("_grad"),
        _set_grad,
        _forget_grad,
        "The sum of the gradients that have arrived, None before the first.",
    )

    @property
    def requires_grad(self) -> bool:
        self.sync()
        return self.needs_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.grad_fn is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. Use .detach() for a tensor without history."
            )
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
        return None if self.node is None else self.node.shown()

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
        if mode.tape is not None:
            mode.tape.cut(self, found, "detach")
        return found

    def detach_(self) -> Tensor:
        """Forget the history."""
        if self.base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        if mode.tape is not None:
            mode.tape.cut(self, self, "detach_")
        self.node, self.needs_grad = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, unknown to autograd."""
        found = self.wrap(self.array)
        if mode.tape is not None:
            mode.tape.cut(self, found, "data")
        return found

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
            retain(self)

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` once with the summed gradient of this tensor; what it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return attach(self.gradient_node(), checked(hook, self.wrap))

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` of this leaf each time a gradient was added to its ``.grad``."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return announce(self, hook)

    # What Python asks

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
            suffixes.append(f"grad_fn=<{self.grad_fn.title}>")
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
            found._grad = self.grad.__deepcopy__(memo)
        return found

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.grad_fn is not None:
            raise RuntimeError("only leaves can be pickled: detach() first")
        return _rebuild, (type(self), self.array, self.needs_grad)


def _rebuild(kind: type, array: np.ndarray, requires_grad: bool) -> Tensor:
    tensor: Tensor = object.__new__(kind)
    tensor.array, tensor.version, tensor.needs_grad = array, Version(), requires_grad
    return tensor
