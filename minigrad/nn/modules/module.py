"""The base of every network: a tree of modules (``tree.py``) that can be called.

Here are the call with its hooks, and what is done to the whole tree: switching to training, converting, saving and
loading by dotted names, printing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigrad import dtypes
from minigrad.attributes import check_device
from minigrad.engine import Version
from minigrad.grad_mode import no_grad
from minigrad.hooks import RemovableHandle
from minigrad.nn.modules.backward_hooks import BackwardHooks
from minigrad.nn.modules.tree import Tree
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

T = TypeVar("T", bound="Module")
_EXTRA = "_extra_state"  # the name that PyTorch gives it in a state_dict


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class IncompatibleKeys(_IncompatibleKeys):
    """What ``load_state_dict`` returns: the names that one side has and the other lacks."""

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


class Module(Tree):
    """A part of a network: ``forward`` computes, attributes hold parameters and further modules.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    _hooked = False  # whether a hook is registered: a call without hooks goes straight to forward

    def __init__(self) -> None:
        super().__init__()
        own = self.__dict__
        own["_forward_hooks"], own["_forward_pre_hooks"] = {}, {}
        own["_backward_hooks"], own["_backward_pre_hooks"] = {}, {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._hooked:
            return self.forward(*args, **kwargs)
        for hook, with_kwargs in tuple(self._forward_pre_hooks.values()):
            if with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        watched = None
        if self._backward_hooks or self._backward_pre_hooks:
            watched = BackwardHooks(self, list(self._backward_hooks.values()), list(self._backward_pre_hooks.values()))
            args = watched.enter(args)
        result = self.forward(*args, **kwargs)
        for hook, with_kwargs in tuple(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            if changed is not None:
                result = changed
        return result if watched is None else watched.leave(result)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before every forward; what it returns replaces the arguments."""
        return self._hook(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every forward; what it returns replaces the output."""
        if always_call:
            raise NotImplementedError("register_forward_hook(always_call=True): use try/finally around the call")
        return self._hook(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are there.

        Both are tuples, with None for what has no gradient; what the hook returns replaces ``grad_input``.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
        """
        return self._hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradients go into the module; what it returns replaces them."""
        return self._hook(self._backward_pre_hooks, hook, prepend)

    def _hook(self, hooks: dict[int, Any], entry: Any, prepend: bool) -> RemovableHandle:
        key = max(hooks, default=-1) + 1
        former = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[key] = entry
        hooks.update(former)
        self.__dict__["_hooked"] = True
        return RemovableHandle(hooks, key)

    # Changes to the whole tree

    def apply(self: T, fn: Callable[[Module], None]) -> T:
        """Call ``fn`` with every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: T, mode: bool = True) -> T:
        """Switch to training (dropout drops, batch norm uses the batch), or with False to evaluation."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: T) -> T:
        """``train(False)``."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Ask, or with False cease to ask, for gradients of all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or set them to zero in place."""
        for p in self.parameters():
            if p.grad is not None:
                p.grad = None if set_to_none else p.grad.detach().zero_()

    def _convert(self: T, wanted: np.dtype) -> T:
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.array.dtype.kind == "f" and tensor.array.dtype != wanted:
                tensor.array, tensor.version = tensor.array.astype(wanted), Version()
                tensor.accumulator = None  # it was made for the former type
                if tensor.grad is not None:
                    tensor.grad = Tensor.wrap(tensor.grad.array.astype(wanted))
        return self

    def to(self: T, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> T:
        """Convert all floating parameters and buffers, in place. Raises NotImplementedError for a device but the CPU."""
        for arg in args:
            if isinstance(arg, Tensor):
                dtype = arg.dtype
            elif isinstance(arg, str) or type(arg).__name__ == "device":
                device = arg
            elif arg is not None and not isinstance(arg, bool):
                dtype = arg
        check_device(device)
        wanted = dtypes.to_numpy(dtype)
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        return self._convert(wanted)

    def float(self: T) -> T:
        return self._convert(np.dtype(np.float32))

    def double(self: T) -> T:
        return self._convert(np.dtype(np.float64))

    def half(self: T) -> T:
        return self._convert(np.dtype(np.float16))

    def type(self: T, dst_type: Any) -> T:
        return self.to(dst_type)

    def cpu(self: T) -> T:
        return self

    def cuda(self, device: Any = None) -> Module:
        raise NotImplementedError("cuda(): minigrad computes with NumPy on the CPU; leave the call out")

    # State

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by their dotted names; they share memory with the module.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
        """
        found: dict[str, Any] = OrderedDict() if destination is None else destination
        for name, tensor in self._state():
            found[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            found[prefix + _EXTRA] = self.get_extra_state()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return found

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        for name, p in self._parameters.items():
            if p is not None:
                yield name, p
        for name, b in self._buffers.items():
            if b is not None and name not in self._non_persistent_buffers_set:
                yield name, b

    def get_extra_state(self) -> Any:
        """What else ``state_dict`` is to hold of this module, under ``_extra_state``; for subclasses to say."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: define get_extra_state() and set_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` gave; for subclasses to say."""
        raise RuntimeError(f"{type(self).__name__} cannot take an extra state: define set_extra_state()")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of a ``state_dict`` into this module's parameters and buffers, or ``assign`` its tensors themselves.

        Raises RuntimeError if shapes differ, or with ``strict`` if names are missing or left over. Nothing is changed then.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        places = self.state_dict(keep_vars=True)
        missing = [name for name in places if name not in state_dict]
        unexpected = [name for name in state_dict if name not in places]
        errors = []
        if strict and missing:
            errors.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if strict and unexpected:
            errors.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        extra = {name for name in places if name.rpartition(".")[2] == _EXTRA}
        for name, place in places.items():
            if name in state_dict and name not in extra:
                errors += _mismatch(name, place, state_dict[name])
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        with no_grad():
            for name, place in places.items():
                if name not in state_dict:
                    continue
                if name in extra:
                    self.get_submodule(name.rpartition(".")[0]).set_extra_state(state_dict[name])
                elif assign:
                    self._assign(name, place, state_dict[name])
                else:
                    place.copy_(state_dict[name])
        return IncompatibleKeys(missing, unexpected)

    def _assign(self, name: str, place: Tensor, value: Any) -> None:
        """Put ``value`` in the place of the parameter or buffer of that dotted name."""
        owner, _, last = name.rpartition(".")
        module = self.get_submodule(owner)
        tensor = value if isinstance(value, Tensor) else Tensor.wrap(value)
        if last in module._parameters:
            kept = isinstance(tensor, Parameter)
            module._parameters[last] = tensor if kept else Parameter(tensor, requires_grad=place.requires_grad)
        else:
            module._buffers[last] = tensor

    # Display

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``; for subclasses to say."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): " + _indented(repr(module)) for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _mismatch(name: str, place: Tensor, value: Any) -> list[str]:
    if not isinstance(value, (Tensor, np.ndarray)):
        return [
            f'While copying the parameter named "{name}", expected torch.Tensor or Tensor-like object from checkpoint but '
            f"received {type(value)}"
        ]
    if tuple(value.shape) != place.array.shape:
        return [
            f"size mismatch for {name}: copying a param with shape torch.Size({list(value.shape)}) from checkpoint, the shape in "
            f"current model is torch.Size({list(place.array.shape)})."
        ]
    return []
