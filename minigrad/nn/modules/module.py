"""The base of every network: a tree of modules whose leaves are parameters and buffers.

Assigning a ``Parameter``, a ``Module`` or a ``Buffer`` to an attribute registers it. Everything else here walks the tree:
to list the parameters, to convert them, to save and load them by their dotted names.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigrad import dtypes
from minigrad.engine import Version
from minigrad.grad_mode import no_grad
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.tensor import RemovableHandle, Tensor, check_device

T = TypeVar("T", bound="Module")


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class IncompatibleKeys(_IncompatibleKeys):
    """What ``load_state_dict`` returns: the names that one side has and the other lacks."""

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


class Module:
    """A part of a network: ``forward`` computes, attributes hold parameters and further modules.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _hooked = False  # whether a hook is registered: a call without hooks goes straight to forward

    def __init__(self) -> None:
        own = self.__dict__
        own["training"] = True
        own["_parameters"], own["_buffers"], own["_modules"] = {}, {}, {}
        own["_non_persistent_buffers_set"] = set()
        own["_forward_hooks"], own["_forward_pre_hooks"] = {}, {}

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
        result = self.forward(*args, **kwargs)
        for hook, with_kwargs in tuple(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            if changed is not None:
                result = changed
        return result

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
        """Refused: use ``Tensor.register_hook`` on the input or output of the module, inside a forward hook."""
        raise NotImplementedError(
            "register_full_backward_hook: minigrad hooks gradients on tensors; in a forward hook call "
            "output.register_hook(...)"
        )

    def _hook(self, hooks: dict[int, Any], entry: Any, prepend: bool) -> RemovableHandle:
        key = max(hooks, default=-1) + 1
        former = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[key] = entry
        hooks.update(former)
        self.__dict__["_hooked"] = True
        return RemovableHandle(hooks, key)

    # Registration

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._initialized("module")
            if name not in own["_modules"]:
                self._forget(name)
            own["_modules"][name] = value
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        else:
            for kind, allowed in (("_parameters", "parameter"), ("_modules", "child"), ("_buffers", "buffer")):
                if name in own.get(kind, ()):
                    self._replace(kind, allowed, name, value)
                    return
            object.__setattr__(self, name, value)

    def _replace(self, kind: str, what: str, name: str, value: Any) -> None:
        if value is not None and not (kind == "_buffers" and isinstance(value, Tensor)):
            expected = {"parameter": "torch.nn.Parameter", "child": "torch.nn.Module", "buffer": "torch.Tensor"}[what]
            place = "child module" if what == "child" else what
            raise TypeError(
                f"cannot assign '{_type_name(value)}' as {place} '{name}' ({expected} or None expected): "
                f"change its values in place under no_grad(), or del it first"
            )
        self.__dict__[kind][name] = value

    def _initialized(self, what: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(
                f"cannot assign {what} before Module.__init__() call: begin __init__ with super().__init__()"
            )

    def _forget(self, name: str) -> None:
        for place in (self.__dict__, self._parameters, self._buffers, self._modules):
            place.pop(name, None)  # type: ignore[attr-defined]  # a module has one attribute of a name
        self._non_persistent_buffers_set.discard(name)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            found = own.get(kind)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for kind in (self._parameters, self._buffers, self._modules):
            if name in kind:
                del kind[name]  # type: ignore[attr-defined]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _check_name(self, kind: str, name: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_type_name(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def _free(self, kind: str, name: str, members: Mapping[str, Any]) -> None:
        self._check_name(kind, name)
        if name not in members and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; ``self.name = param`` does the same."""
        self._initialized("parameters")
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_type_name(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To express "
                f"'{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        place = self._parameters
        if name not in place:
            self._forget(name)
        place[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is saved and converted with the module but not learned."""
        self._initialized("buffer")
        self._free("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_type_name(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child; ``self.name = module`` does the same."""
        self._initialized("module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_type_name(module)} is not a Module subclass")
        self._free("module", name, self._modules)
        self._modules[name] = module

    register_module = add_module

    # The tree

    def children(self) -> Iterator[Module]:
        """The modules directly under this one."""
        return (module for _, module in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def _members(self, kind: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, member in module.__dict__[kind].items():
                if member is not None and id(member) not in seen:
                    if once:
                        seen.add(id(member))
                    yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names, each once."""
        return self._members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimizer is given."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name. Raises AttributeError if there is none."""
        module: Module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def _get(self, target: str, kind: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if name not in module.__dict__[kind]:
            raise AttributeError(f"`{name}` is not {what}")
        return module.__dict__[kind][name]

    def get_parameter(self, target: str) -> Parameter:
        return self._get(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        return self._get(target, "_buffers", "a buffer")

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

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of a ``state_dict`` into this module's parameters and buffers.

        Raises RuntimeError if shapes differ, or with ``strict`` if names are missing or left over. Nothing is changed then.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        if assign:
            raise NotImplementedError(
                "load_state_dict(assign=True): minigrad copies into the tensors that the module has"
            )
        places = self.state_dict(keep_vars=True)
        missing = [name for name in places if name not in state_dict]
        unexpected = [name for name in state_dict if name not in places]
        errors = []
        if strict and missing:
            errors.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if strict and unexpected:
            errors.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        for name, place in places.items():
            if name in state_dict:
                errors += _mismatch(name, place, state_dict[name])
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        with no_grad():
            for name, place in places.items():
                if name in state_dict:
                    place.copy_(state_dict[name])
        return IncompatibleKeys(missing, unexpected)

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


def _type_name(value: Any) -> str:
    return (
        "torch.FloatTensor"
        if type(value) is Tensor
        else f"{type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
    )


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
