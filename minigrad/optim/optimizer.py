"""What all optimizers share: parameter groups, the state per parameter, and the step over both.

A subclass says what state a parameter has (``_state``), which numbers a step needs (``_factors``), and what is done with
both (``_formula``); ``step`` does it to every parameter that has a gradient.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.grad_mode import enable_grad, mode, no_grad
from minigrad.hooks import RemovableHandle
from minigrad.optim.workspace import Run, Workspace
from minigrad.tensor import Tensor


class Optimizer:
    """Base of all optimizers: ``params`` are tensors, ``(name, tensor)`` pairs, or dicts, each a group with options of its own.

    A subclass gives ``defaults``, the options a group leaves out; its state, factors and formula, or a ``step`` of its own.

    Raises: TypeError for a single tensor or a set; ValueError for no parameters, a non-leaf, or a parameter in two groups.
    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
    """

    scratch = 2  # how many work arrays ``_formula`` needs

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}: give a list, such as [w] or model.parameters()"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._prepare()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _prepare(self) -> None:
        self._workspace = Workspace(self.scratch)
        self._name = f"{type(self).__name__}.step()"
        self._pre_hooks: dict[int, Callable[..., Any]] = {}
        self._post_hooks: dict[int, Callable[..., Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # Groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: ``params`` and the options in which it differs from ``defaults``."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        given = [params] if isinstance(params, Tensor) else list(params)
        names = [entry[0] for entry in given if isinstance(entry, tuple)]
        params = param_group["params"] = [entry[1] if isinstance(entry, tuple) else entry for entry in given]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError(
                    f"can't optimize a non-leaf Tensor: it was computed by {p.grad_fn.name() if p.grad_fn else '?'}; "
                    "make it with .detach().requires_grad_()"
                )
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each step would change them twice",
                stacklevel=3,
            )
        self._check_against_others(param_group)
        self.param_groups.append(param_group)

    def _check_against_others(self, param_group: dict[str, Any]) -> None:
        known: set[Any] = set()
        for group in self.param_groups:
            known.update(group["params"])
            if ("param_names" in param_group) != ("param_names" in group):
                kind = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {kind} to the optimizer"
                )
        if not known.isdisjoint(param_group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")

    # Steps

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or, with ``set_to_none=False``, fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p.grad is not None:
                    with no_grad():
                        p.grad.detach_().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; ``closure``, if given, computes the loss, which is returned."""
        args: tuple[Any, ...] = (self,) if closure is None else (self, closure)
        kwargs: dict[str, Any] = {}
        for hook in list(self._pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = _checked(changed)
                closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            if mode.capture is not None:
                mode.capture.release(group["params"])  # runs are made of the parameters' own arrays
            for run in self._workspace.runs(group, self.state, self._start):
                self._begin(run, group)
                if mode.capture is not None:
                    mode.capture.again(self._begin, run, group)
                mode.quietly(self._update, run, group)
        for hook in list(self._post_hooks.values()):
            hook(self, args, kwargs)
        return loss

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        for g, block in zip(run.gradients(), run.blocks, strict=True):
            if mode.capture is not None:
                block = tuple(map(mode.capture.recorder, block))
            self._formula(group, run.first, g, run.factors.arrays, *block)

    def _begin(self, run: Run, group: dict[str, Any]) -> None:
        """The part of an update that is Python's: count the step, and set the factors that go with it."""
        run.factors.fill(self._factors(group, run.advance()))
        for p in run.params:
            p.version.change(self._name)

    def _start(self, p: Tensor, group: dict[str, Any]) -> bool:
        """Make the state of a parameter that lacks it; return whether it did."""
        known = self.state.get(p, {})
        missing = {name: make for name, make in self._state(group).items() if known.get(name) is None}
        for name, make in missing.items():
            self.state[p][name] = make(p)
        return bool(missing)

    def _state(self, group: dict[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
        """How to make each part of a parameter's state; ``step`` comes first and counts the steps."""
        return {}

    def _factors(self, group: dict[str, Any], t: float) -> tuple[float, ...]:
        """The numbers in the formula at step ``t``."""
        raise NotImplementedError(f"{type(self).__name__} must define _factors and _formula, or step(closure=None)")

    def _formula(
        self, group: dict[str, Any], first: bool, g: np.ndarray, factors: Sequence[np.ndarray], *arrays: np.ndarray
    ) -> None:
        """Change a block of parameters and state in place, given its gradient ``g``, which must stay as it is.

        ``arrays`` are the parameters, the state without ``step``, and ``scratch`` work arrays; ``first`` says that the state
        was made in this step.
        """
        raise NotImplementedError(f"{type(self).__name__} must define _factors and _formula, or step(closure=None)")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ``(args, kwargs)``."""
        return self._register(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register(self._post_hooks, hook)

    def _register(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> RemovableHandle:
        if type(self).step is not Optimizer.step:
            raise NotImplementedError(
                f"{type(self).__name__} has a step of its own, in which no hooks are called: define _formula instead"
            )
        key = max(hooks, default=-1) + 1
        hooks[key] = hook
        return RemovableHandle(hooks, key)

    # Saving and loading

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {index: ...}, "param_groups": [...]}`` with the parameters numbered in order; tensors are not copied."""
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {numbers[id(p)] if isinstance(p, Tensor) else p: value for p, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a copy of what ``state_dict`` gave; state gets the type of its parameter.

        Raises: ValueError if the groups are not as many, or not as large, as this optimizer's.
        """
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, and this optimizer has {len(self.param_groups)}"
            )
        for i, (new, group) in enumerate(zip(saved, self.param_groups, strict=True)):
            if len(new["params"]) != len(group["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {i} has {len(new['params'])} parameters there and {len(group['params'])} here"
                )
        ours = itertools.chain.from_iterable(group["params"] for group in self.param_groups)
        theirs = itertools.chain.from_iterable(group["params"] for group in saved)
        parameter = dict(zip(theirs, ours, strict=True))
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            p = parameter.get(key)
            self.state[key if p is None else p] = copy.deepcopy(value) if p is None else _cast(value, p)
        for new, group in zip(saved, self.param_groups, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.param_groups = saved
        self._workspace = Workspace(self.scratch)


def _cast(value: Any, p: Tensor, key: Any = None) -> Any:
    """A copy of saved state in which floating tensors, but the count of steps, have the type of the parameter."""
    if isinstance(value, Tensor):
        array = value.array
        wanted = p.array.dtype if key != "step" and p.is_floating_point() else array.dtype
        return Tensor.wrap(np.array(array, wanted, order="C"))
    if isinstance(value, dict):
        return {k: _cast(v, p, k) for k, v in value.items()}
    if key == "step" and isinstance(value, (int, float)):
        return step_count(value=value)
    return copy.deepcopy(value)


def _checked(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(
        f"a hook before the step must return None or a tuple of (new_args, new_kwargs), but got {changed}."
    )


# What the algorithms share


def step_count(p: Any = None, value: float = 0.0) -> Tensor:
    """The number of steps taken, as PyTorch keeps it: a 0-d tensor of the default floating type."""
    return Tensor.wrap(np.array(value, np.float64 if dtypes.default.numpy == np.float64 else np.float32))


def zeros_like(p: Tensor) -> Tensor:
    """State of zeros for a parameter."""
    return Tensor.wrap(np.zeros(p.array.shape, p.array.dtype))


def check_lr(lr: Any) -> None:
    """Raises ValueError unless the learning rate is a number or a tensor of one element, and not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {list(lr.shape)}")
    check_at_least_zero("learning rate", lr)


def check_at_least_zero(name: str, value: Any) -> None:
    """Raises ValueError for a negative option."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {name}: {value.item() if isinstance(value, Tensor) else value}")


def check_plain(optimizer: str, **flags: Any) -> None:
    """Raises NotImplementedError for options that choose another implementation in PyTorch."""
    for name, value in flags.items():
        if value:
            raise NotImplementedError(
                f"{optimizer}({name}={value}): minigrad has one implementation, in blocks of NumPy arrays, with the results of "
                f"PyTorch's default; leave {name} out"
            )
