"""What a captured step takes for granted about the world outside of its arguments, and whether that still holds.

A step reads variables around it, attributes of modules and options of optimizers. Each is found by an expression, such
as ``x.training`` or ``x['lr']``; a guard holds as long as it gives the same object, or one that leads to the same
operations. All guards of a plan become one Python function.
"""

from __future__ import annotations

import os
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from operator import is_
from typing import Any

from minigrad.compile.program import same
from minigrad.engine import TensorBase
from minigrad.nn.modules.tree import Tree
from minigrad.optim.lr_scheduler import LRScheduler
from minigrad.optim.optimizer import Optimizer

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep  # Python's own
_FEW = 32  # elements of a list or dict that are worth looking at one by one
_MANY = 1000  # and at all
_PLAIN = (bool, int, float, complex, str, bytes, type(None))

# An expression in ``x``, the object it is about, and what it gives; "" if that cannot change
Look = tuple[str, Any, Any]


class Guards:
    """Expressions, and what they gave: ``holds()`` compares."""

    def __init__(self) -> None:
        self.never = False  # whether they are known not to hold again
        self.tensors: list[Any] = []  # that ``watch`` came across,
        self.state: list[Any] = []  # and those that optimizers keep
        self._known: dict[tuple[str, int], int] = {}
        self._space: dict[str, Any] = {"differs": self._differs}
        self._looks: list[tuple[str, Callable[[Any, Any], bool]]] = []
        self._all: Callable[[], bool] | None = None

    def add(self, look: str, x: Any, equal: Callable[[Any, Any], bool] = is_) -> None:
        """Guard an expression in ``x``; ``equal`` says whether another object there would do."""
        if (look, id(x)) in self._known:
            return
        k = self._known[look, id(x)] = len(self._looks)
        self._space[f"x{k}"] = x
        self._looks.append((look.replace("{}", f"x{k}"), equal))
        self._space[f"v{k}"] = eval(self._looks[k][0], self._space)
        self._all = None

    def holds(self) -> bool:
        """Whether all is as it was."""
        if self._all is None:
            tests = [
                f"  if ({look}) is not v{k} and differs({k}): return False" for k, (look, _) in enumerate(self._looks)
            ]
            lines = ["def holds():", " try:", *tests, "  return True", " except Exception: return False"]
            exec("\n".join(lines), self._space)
            self._all = self._space["holds"]
        return not self.never and self._all()

    def _differs(self, k: int) -> bool:
        look, equal = self._looks[k]
        now = eval(look, self._space)
        if not equal(now, self._space[f"v{k}"]):
            return True
        self._space[f"v{k}"] = now
        return False

    def changed(self) -> Iterator[tuple[str, Any, Any]]:
        """The expressions that give something else now, with their objects and what they give."""
        for k, (look, equal) in enumerate(self._looks):
            x, former = self._space[f"x{k}"], self._space[f"v{k}"]
            try:
                now = eval(look, self._space)
            except Exception:
                now = Exception
            if now is not former and not (equal is not is_ and same(now, former)):
                yield look.replace(f"x{k}", "{}"), x, now


def branch(value: Any) -> Any:
    """What of an optimizer's option decides which operations its step does; the number itself is free."""
    if isinstance(value, float):
        return value != 0, value > 0.5  # a moving average is written from the nearer end
    return tuple(map(branch, value)) if isinstance(value, tuple) else value


def same_branch(a: Any, b: Any) -> bool:
    return type(a) is type(b) and same(branch(a), branch(b))


def watch(values: Iterable[Any], guards: Guards) -> None:
    """Guard what a step, and the objects it is called with, name outside of themselves: in their code and what it leads to."""
    values = list(values)
    names = tuple(name for value in values for name in _names_in(value))
    seen: set[int] = set()
    waiting: list[tuple[Any, tuple[str, ...]]] = [(value, names) for value in values]
    while waiting:
        value, names = waiting.pop()
        if id(value) in seen or _foreign(value):
            continue
        seen.add(id(value))
        names = _names_in(value) or names
        for look, x, found in list(_named(value, names)):
            if look:
                guards.add(look, x, same if isinstance(found, (*_PLAIN, tuple)) else is_)
            if isinstance(found, TensorBase):
                guards.tensors.append(found)
            elif not isinstance(found, _PLAIN):
                waiting.append((found, names))
        if isinstance(value, Optimizer):
            _watch_options(value, guards)
            guards.state += [x for state in value.state.values() for x in state.values() if isinstance(x, TensorBase)]
            guards.tensors += [p for group in value.param_groups for p in group["params"]]


def _watch_options(optimizer: Optimizer, guards: Guards) -> None:
    guards.add("{}.param_groups", optimizer)
    guards.add("len({})", optimizer.param_groups)
    for group in optimizer.param_groups:
        guards.add("len({})", group["params"])
        for key in group:
            guards.add(f"{{}}[{key!r}]", group, is_ if key == "params" else same_branch)


def watch_update(optimizer: Optimizer, params: Iterable[Any], group: dict[str, Any], guards: Guards) -> None:
    """Guard what the update of a group's parameters relies on: the options, and the state of these parameters."""
    _watch_options(optimizer, guards)
    guards.add("{}._workspace", optimizer)
    known = optimizer._workspace._known
    if id(group) in known:
        guards.add(f"{{}}.get({id(group)})", known)  # which parameters are updated as one
    else:
        guards.never = True  # this was their first step
    guards.add("{}.state", optimizer)
    guards.add("len({})", optimizer.state)
    for p in params:
        state = optimizer.state.get(p, {})
        for key, value in state.items():
            guards.add(f"{{}}[{key!r}]", state)
            if isinstance(value, TensorBase):
                guards.add("{}.array", value)


def watch_tensor(tensor: Any, guards: Guards) -> None:
    """Guard the memory of a tensor, whether it needs a gradient, and the hooks that wait for that."""
    guards.add("{}.array", tensor)
    guards.add("{}.needs_grad", tensor)
    if tensor.needs_grad and tensor.accumulator is not None:
        guards.add("{}.accumulator", tensor)
        guards.add("{}.hooks", tensor.accumulator)
        if tensor.accumulator.hooks is not None:
            guards.add("len({})", tensor.accumulator.hooks)


def _foreign(value: Any) -> bool:
    """Whether ``value`` is a function, a module of Python or an object of a library, which do not change."""
    if isinstance(value, (Tree, Optimizer, LRScheduler)):
        return False
    value = getattr(value, "__func__", value)
    if isinstance(value, types.FunctionType):
        return _of_library(value.__code__.co_filename)
    if isinstance(value, types.ModuleType):
        return value.__spec__ is not None and _of_library(getattr(value, "__file__", None) or _LIBRARY)
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__.startswith("minigrad") or (isinstance(value, type) and kind.__module__ == "builtins")


def _of_library(file: str) -> bool:
    return file.startswith((_PACKAGE, _LIBRARY)) or "site-packages" in file


def _names_in(value: Any) -> tuple[str, ...]:
    """All names that the code of a function uses, also in the functions written inside it."""
    function = getattr(value, "__func__", value)
    found: list[str] = []
    codes = [function.__code__] if isinstance(function, types.FunctionType) else []
    while codes:
        code = codes.pop()
        found += code.co_names
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return tuple(dict.fromkeys(found))


def _named(value: Any, names: tuple[str, ...]) -> Iterator[Look]:
    """Where what ``value`` refers to stands."""
    if isinstance(value, types.MethodType):
        yield from _named(value.__self__, names)
        value = value.__func__
    if isinstance(value, types.FunctionType):
        yield from _of_function(value, names)
    elif isinstance(value, LRScheduler):
        yield "{}.last_epoch", value, value.last_epoch
    elif isinstance(value, Optimizer):
        yield from _hooks(value._pre_hooks, value._post_hooks)
    elif isinstance(value, types.ModuleType):
        yield from ((f"{{}}.{name}", value, vars(value)[name]) for name in names if name in vars(value))
    elif isinstance(value, (list, tuple, dict, set, deque)):
        yield from _of_collection(value)
    else:
        if isinstance(value, Tree):
            yield from _of_module(value)
        yield from _of_object(value, names)


def _of_function(function: types.FunctionType, names: tuple[str, ...]) -> Iterator[Look]:
    for cell in function.__closure__ or ():
        try:
            yield "{}.cell_contents", cell, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    space = function.__globals__
    yield from ((f"{{}}[{name!r}]", space, space[name]) for name in names if name in space)
    yield from (("", function, x) for x in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()))


def _of_collection(value: Any) -> Iterator[Look]:
    if len(value) > _FEW or isinstance(value, (set, deque)):
        if len(value) <= _MANY and not isinstance(value, tuple):
            yield "{}[0] == {}[1]", (value, value.copy()), True
        return
    if not isinstance(value, tuple):
        yield "len({})", value, len(value)
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if type(key) in (str, int):
            yield f"{{}}[{key!r}]", value, item
        else:
            yield "{}[0][{}[1]]", (value, key), item


def _of_module(module: Any) -> Iterator[Look]:
    yield "{}.training", module, module.training
    for members in (module._parameters, module._buffers, module._modules):
        if members:
            yield "len({})", members, len(members)
        for name, member in members.items():
            yield f"{{}}[{name!r}]", members, member
    if module.__dict__.get("_hooked"):
        yield from _hooks(
            module._forward_pre_hooks, module._forward_hooks, module._backward_pre_hooks, module._backward_hooks
        )


def _hooks(*dicts: dict[int, Any]) -> Iterator[Look]:
    for hooks in dicts:
        yield "len({})", hooks, len(hooks)
        for key, hook in hooks.items():
            yield f"{{}}[{key!r}]", hooks, hook


def _of_object(value: Any, names: tuple[str, ...]) -> Iterator[Look]:
    """The attributes that the code around an object and its methods name, and the variables around its class."""
    kinds = (value if isinstance(value, type) else type(value)).__mro__
    methods = {name: method for kind in reversed(kinds) for name, method in _methods(kind)}
    found = dict.fromkeys(names)
    waiting = [name for name in methods if name == "forward" or name.startswith("__") or "getattr" in found]
    waiting += [name for name in found if name in methods]
    while waiting:
        method = methods.pop(waiting.pop(), None)
        if method is None or (_foreign(method) and method.__name__ != "forward"):
            continue
        used = _names_in(method)
        found.update(dict.fromkeys(used))
        waiting += methods if "getattr" in used else used
        if not _foreign(method):
            yield from _of_function(method, used)
    own = {} if isinstance(value, type) else getattr(value, "__dict__", {})
    if own and (isinstance(value, Tree) or not _of_library(_file_of(type(value)))):
        yield "len({})", own, len(own)  # an attribute that is not there may come
    for name in found:
        given = next((vars(kind)[name] for kind in kinds if name in vars(kind)), None)
        shared = given is not None and not callable(given) and not hasattr(given, "__get__")
        if name in own or ((shared or isinstance(given, types.MemberDescriptorType)) and hasattr(value, name)):
            yield f"{{}}.{name}", value, getattr(value, name)


def _methods(kind: type) -> Iterator[tuple[str, types.FunctionType]]:
    for name, method in vars(kind).items():
        function = method.fget if isinstance(method, property) else getattr(method, "__func__", method)
        if isinstance(function, types.FunctionType):
            yield name, function


def _file_of(kind: type) -> str:
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
