"""How a tensor is written out: the text of ``repr(tensor)``, character for character as PyTorch writes it.

Three steps: cut a large array down to its edges, choose one notation and one column width for all numbers shown, lay
the numbers out in nested brackets that wrap at the line width. What a value is not enough to tell (``dtype``, ``size``,
``requires_grad``) follows as suffixes. The functions here know arrays only; the tensor class adds what it knows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["PrintOptions", "get_printoptions", "set_printoptions", "tensor_repr"]


@dataclasses.dataclass(frozen=True)
class PrintOptions:
    """What ``set_printoptions`` sets; ``sci_mode=None`` leaves the choice of notation to the values."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, for the whole program.

    ``precision``: digits after the point. ``threshold``: arrays of more elements are summarised to the first and last
    ``edgeitems`` of each dimension. ``linewidth``: columns before a row is wrapped. ``profile``: "default", "short" or
    "full", which the other arguments refine. What is None stays as it was, except ``sci_mode``: as in PyTorch every
    call sets it, so leaving it out makes the choice automatic again.

    Raises ValueError for an unknown profile, a negative precision or negative edgeitems.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(map(repr, _PROFILES))}, got {profile!r}")
    for name, value in (("precision", precision), ("edgeitems", edgeitems)):
        if value is not None and value < 0:
            raise ValueError(f"{name} must be 0 or more, got {value}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    base = _options if profile is None else _PROFILES[profile]
    _options = dataclasses.replace(base, **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The present options as a dictionary, so that ``set_printoptions(**get_printoptions())`` changes nothing."""
    return dataclasses.asdict(_options)


def tensor_repr(
    array: np.ndarray,
    *,
    suffixes: Sequence[str] = (),
    default_dtype: np.dtype = np.dtype(np.float32),
    prefix: str = "tensor(",
) -> str:
    """The text ``tensor(values, size=..., dtype=..., *suffixes)`` that PyTorch shows for a tensor of these values.

    ``suffixes`` are ready texts such as ``"requires_grad=True"``. Before them ``size`` and ``dtype`` are added where
    the values do not tell: the size of a tensor that is empty, unless it is ``(0,)``, or shown without any edge items;
    a dtype other than ``default_dtype`` and, unless the tensor is empty, other than int64 and bool. ``prefix`` opens
    the text, its bracket included; a subclass gives its own name there, and what wraps is indented by its length.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
    """
    options = _options
    empty = array.size == 0
    notes = []
    if (empty and array.ndim != 1) or (not empty and not options.edgeitems):
        notes.append(f"size={array.shape}")
    # The elements of a non-empty tensor show by themselves that they are int64 (no point) or bool.
    if array.dtype != default_dtype and (empty or array.dtype not in (np.int64, np.bool_)):
        notes.append(f"dtype=torch.{array.dtype.name}")

    indent = len(prefix)
    text = prefix + ("[]" if empty else _values(array, indent, options))
    return _append(text, [*notes, *suffixes], indent, options.linewidth) + ")"


def _append(text: str, suffixes: Sequence[str], indent: int, linewidth: int) -> str:
    """Add the suffixes after commas, each on the last line if it fits, else on a new line at column ``indent``."""
    # PyTorch counts two columns more on the line where the values end than on those that hold only suffixes.
    column = len(text.rpartition("\n")[2]) + 2
    for suffix in suffixes:
        if column + 2 + len(suffix) > linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += 2 + len(suffix)
    return text


def _values(array: np.ndarray, start: int, options: PrintOptions) -> str:
    """The numbers of a non-empty array in nested brackets, the first bracket being at column ``start``."""
    edge = options.edgeitems
    cuts = [array.size > options.threshold and length > 2 * edge for length in array.shape]
    for axis, cut in enumerate(cuts):
        if cut:
            length = array.shape[axis]
            array = array.take([*range(edge), *range(length - edge, length)], axis)
    show, width = _notation(array, options)

    def nested(values: Any, axis: int) -> str:
        if axis == array.ndim:
            return show(values).rjust(width)
        items = [nested(value, axis + 1) for value in values]
        column = start + axis
        new_line = "\n" + " " * (column + 1)
        if axis < array.ndim - 1:
            if cuts[axis]:
                items.insert(edge, "...")
            # One empty line for each further dimension sets the blocks of a deep array apart.
            return "[" + ("," + "\n" * (array.ndim - 2 - axis) + new_line).join(items) + "]"
        if cuts[axis]:
            items.insert(edge, " ..." if edge else "...")
        per_line = max(1, (options.linewidth - column) // (width + len(", ")))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + ("," + new_line).join(lines) + "]"

    return nested(array.tolist(), 0)


def _notation(shown: np.ndarray, options: PrintOptions) -> tuple[Callable[[Any], str], int]:
    """How to write one number, and the column width: that of the widest number shown.

    Zeros, infinities and NaN take no part in either choice, so a long ``-0.0000`` or ``-inf`` may stand out of its
    column. Everything is computed in Python's floats, which hold float16 and float32 values exactly.
    """
    if shown.dtype.kind != "f":
        return str, max(map(len, map(str, shown.ravel().tolist())), default=1)

    numbers = shown[np.isfinite(shown) & (shown != 0)].tolist()
    whole = all(number.is_integer() for number in numbers)
    scientific = bool(numbers) and options.sci_mode
    if numbers and options.sci_mode is None:
        largest, smallest = max(map(abs, numbers)), min(map(abs, numbers))
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4

    def show(number: float) -> str:
        if scientific:
            return f"{number:.{options.precision}e}"
        if whole:
            return f"{number:.0f}." if math.isfinite(number) else str(number)
        return f"{number:.{options.precision}f}"

    return show, max(map(len, map(show, numbers)), default=1)
