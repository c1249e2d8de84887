"""``why_no_grad``: why a tensor has no gradient. ``unreached``: the parameters that a loss does not lead to, and why.

Most reasons can be read from the tensor and the graph. Where history was lost (detach, no_grad, a conversion) nothing is
left to read: the line is known only if the forward pass ran under ``trace_lines()`` or ``detect_anomaly()``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from minigrad.autograd.tracing import Cut, Origin, leaves_of, lines, reasons, severed, uses
from minigrad.debug.table import capital, html_table, listed, plain_table, plural
from minigrad.nn.modules.module import Module
from minigrad.tensor import Tensor

TRACE = "run the forward pass under `with minigrad.debug.trace_lines():`"
_HOW = {
    "detach": "detach() cut {what} off from its history",
    "detach_": "detach_() cut {what} off from its history",
    "data": ".data took the values of {what} without its history",
    "numpy": "numpy() took the values of {what} without its history",
    "item": "item() made a Python number of {what}",
    "tolist": "tolist() made Python numbers of {what}",
    "tensor": "tensor(...) copied the values of {what} without its history",
    "no_grad": "{what} was computed under no_grad()",
    "inference_mode": "{what} was computed under inference_mode()",
    "dtype": "{what}, and only floats have gradients",
    "flat": "{what} has no derivative",
}
_REMEDY = {
    "detach": "leave detach() out, or use the tensor from before it",
    "detach_": "leave detach_() out",
    "data": "use the tensor itself instead of .data",
    "numpy": "compute with the tensor itself: NumPy's functions take it",
    "item": "compute with the tensor itself; item() is for printing",
    "tolist": "compute with the tensor itself",
    "tensor": "use the tensor itself, or clone() for a copy with history",
    "no_grad": "compute it outside of no_grad()",
    "inference_mode": "compute it outside of inference_mode()",
    "dtype": "keep to floating types on the way to the loss",
    "flat": "use an operation with a derivative, such as a soft version of it",
}


_NO_PATH = "The loss does not depend on it: no path of the graph leads to it."


def _told(cut: Cut) -> str:
    at = f"{cut.origin}" + (f": {cut.origin.code}" if cut.origin.code else "")
    return f"{_HOW.get(cut.how, cut.how + ' at {what}').format(what=cut.what)} ({at})"


@dataclass(frozen=True)
class NoGrad:
    """Why a tensor has no gradient: ``code`` in a word, ``reason`` and ``remedy`` in sentences, the line if known."""

    code: str
    reason: str
    remedy: str = ""
    origin: Origin | None = None
    cuts: tuple[Cut, ...] = ()

    def __str__(self) -> str:
        return self.reason + (f"\nWhat to do: {self.remedy}." if self.remedy else "")

    __repr__ = __str__


def why_no_grad(tensor: Tensor, loss: Tensor | None = None) -> NoGrad:
    """Why ``tensor.grad`` is None, or why ``tensor`` does not require a gradient; with ``loss``, why that does not reach it.

    Raises TypeError for what is no tensor.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"why_no_grad takes a tensor, got {type(tensor).__name__}: only tensors have gradients")
    if tensor.grad is not None:
        return _has_one(tensor)
    if not tensor.is_floating_point():
        found = reasons.get(tensor) or ()
        told = f" It came about like this: {_told(found[0])}." if found else ""
        return NoGrad(
            "dtype",
            f"Its type is {tensor.dtype}, and only floating types have gradients: an integer has no small change.{told}",
            "convert it with .float() before the operations that are to be differentiated",
            found[0].origin if found else None,
            tuple(found),
        )
    if not tensor.requires_grad:
        return _not_required(tensor)
    if tensor.grad_fn is not None:
        return _not_leaf(tensor)
    found = _no_backward(tensor, loss)
    if loss is None or not found.reason.startswith(_NO_PATH):
        return found
    count = len(list(leaves_of(loss)))
    others = f"{count} other lea{'f' if count == 1 else 'ves'}"
    return replace(found, reason=found.reason.replace(_NO_PATH, f"{_NO_PATH[:-1]}, but to {others}.", 1))


def _has_one(tensor: Tensor) -> NoGrad:
    size, zeros = tensor.grad.array.size, int((tensor.grad.array == 0).sum())
    if size and zeros == size:
        return NoGrad(
            "zero",
            f"It has a gradient, but all {size} entries are 0: the loss was reached, and does not change with it.",
            "look for a factor 0, a relu that is off everywhere (dead_units), or a saturated activation (grad_report)",
        )
    return NoGrad("has_grad", f"It has a gradient: {size - zeros} of {size} entries are not 0.")


def _not_required(tensor: Tensor) -> NoGrad:
    found = reasons.get(tensor)
    if found:
        others = (
            f" So did {plural(len(found) - 1, 'other place')}: {listed(map(_told, found[1:]), 3)}." if found[1:] else ""
        )
        return NoGrad(
            found[0].how,
            f"No history: {_told(found[0])}.{others}",
            _REMEDY.get(found[0].how, ""),
            found[0].origin,
            found,
        )
    if tensor.is_inference():
        return NoGrad("inference_mode", "It was computed under inference_mode().", _REMEDY["inference_mode"])
    if found is not None:
        return NoGrad(
            "not_required",
            "It was computed from tensors none of which requires a gradient.",
            "call requires_grad_() on the leaf whose gradient you want, before the computation",
        )
    return NoGrad(
        "not_required",
        "It has requires_grad=False and no history: nobody asked for a gradient of it, or it was computed under no_grad(), "
        "from a detached tensor, or from tensors that require none.",
        f"if it is a leaf, call requires_grad_() before the computation; if it was computed, {TRACE} and ask again: the line "
        f"will be named",
    )


def _not_leaf(tensor: Tensor) -> NoGrad:
    assert tensor.grad_fn is not None
    where = lines.get(tensor.grad_fn)
    name = tensor.grad_fn.name()
    at = f" at {where}: {where.code}" if where is not None else ""
    also = ""
    if name == "ToCopyBackward0":
        also = " A conversion makes a new tensor: the leaf is the one before it."
    return NoGrad(
        "not_leaf",
        f"It is not a leaf but the result of {name}{at}, and backward keeps gradients of leaves only.{also}",
        "call retain_grad() on it before backward, or make it a leaf with .detach().requires_grad_()",
        where,
    )


def _no_backward(tensor: Tensor, loss: Tensor | None) -> NoGrad:
    if loss is None:
        text, remedy = (
            (
                "It is a leaf that requires a gradient, and none has arrived: backward() was not called since it was made or since "
                "zero_grad(), or the loss does not depend on it."
            ),
            "call why_no_grad(tensor, loss) with the loss: it tells which",
        )
        return NoGrad("none_arrived", *_with_history(tensor, text, remedy))
    if not loss.requires_grad:
        return NoGrad("loss_without_history", f"The loss itself has no history. {why_no_grad(loss).reason}", TRACE)
    if any(leaf is tensor for leaf in leaves_of(loss)):
        return NoGrad(
            "backward_not_called",
            "The loss leads to it, but no gradient has arrived: backward() has not been called on this loss, or zero_grad() "
            "was called since.",
            "call loss.backward(), and read the gradient before zero_grad()",
        )
    text, remedy, where, cuts = _with_history(tensor, _NO_PATH, "")
    code = "cut" if cuts else "unused"
    if not remedy and loss.grad_fn is not None and lines.get(loss.grad_fn) is not None:
        remedy = "use it in the forward pass: while that was traced, no operation took it"
    return NoGrad(
        code, text, remedy or f"use it in the forward pass; if you think you do, {TRACE} and ask again", where, cuts
    )


def _with_history(tensor: Tensor, text: str, remedy: str) -> tuple[str, str, Origin | None, tuple[Cut, ...]]:
    """What tracing knows of the ways that a leaf went."""
    cuts = tuple(sorted(severed.get(tensor) or (), key=lambda cut: cut.how in ("item", "tolist", "numpy")))
    used = uses.get(tensor) or []
    if used:
        name, where = used[0]
        text += f" It was used by {name} ({where}: {where.code})" + (", but then " if cuts else ".")
    if cuts:
        text += f"{_told(cuts[0])}." if used else f" {capital(_told(cuts[0]))}."
        remedy = _REMEDY.get(cuts[0].how, remedy)
    return text, remedy, cuts[0].origin if cuts else (used[0][1] if used else None), cuts


@dataclass(frozen=True)
class Unreached:
    """The parameters that a loss does not lead to; true if there are any."""

    names: list[str]
    reasons: dict[str, NoGrad]
    frozen: list[str] = field(default_factory=list)  # those with requires_grad=False, which are not meant to be reached
    total: int = 0

    def __bool__(self) -> bool:
        return bool(self.names)

    def _sentence(self) -> str:
        if not self.names:
            text = f"The loss reaches all {self.total} parameters that require a gradient."
        else:
            text = (
                f"The loss does not reach {len(self.names)} of {self.total} parameters: {listed(self.names)}. "
                f"They get no gradient and are never changed, silently."
            )
        if self.frozen:
            text += f" {plural(len(self.frozen), 'parameter')} with requires_grad=False: {listed(self.frozen)}."
        return text

    def _rows(self) -> list[list[str]]:
        """Parameters with the same reason in one row."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name in self.names:
            why = self.reasons[name]
            text = why.reason.removeprefix(_NO_PATH).strip() or "no operation with it leads to the loss"
            groups.setdefault((why.code, text), []).append(name)
        return [[listed(names), code, text] for (code, text), names in groups.items()]

    def __str__(self) -> str:
        return self._sentence() + (f"\n\n{plain_table(_HEAD, self._rows())}" if self.names else "")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self._rows(), self._sentence())


_HEAD = ["parameters", "why", "in words"]


def unreached(loss: Tensor, model: Module) -> Unreached:
    """The parameters of ``model`` that no path of the graph of ``loss`` leads to. Ask before backward."""
    reached = {id(leaf) for leaf in leaves_of(loss)}
    named = dict(model.named_parameters())
    names = [name for name, p in named.items() if p.requires_grad and id(p) not in reached]
    return Unreached(
        names,
        {name: _no_backward(named[name], loss) for name in names},
        [name for name, p in named.items() if not p.requires_grad],
        sum(p.requires_grad for p in named.values()),
    )
