"""What every loss does with its elements in the end, and what it asks of its arguments."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.ops.dims import array_of
from minigrad.ops.loss import check_reduction


def reduction_of(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """``reduction``, or what the two arguments that it replaced say."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    check_reduction(reduction)
    return reduction


def reduced(loss: Any, reduction: str) -> Any:
    """The mean of the losses, their sum, or all of them."""
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def size_text(x: Any) -> str:
    """The shape as PyTorch prints it."""
    return f"torch.Size({list(array_of(x).shape)})"


def warn_if_sizes_differ(input: Any, target: Any) -> None:
    """Warn, for the caller's caller, of a target that will be broadcast."""
    if array_of(input).shape != array_of(target).shape:
        warnings.warn(
            f"Using a target size ({size_text(target)}) that is different to the input size ({size_text(input)}). This will likely "
            f"lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def constant(name: str, weight: Any) -> None:
    """Raises RuntimeError for a weight that wants a gradient, which no loss has."""
    if getattr(weight, "requires_grad", False):
        raise RuntimeError(f"the derivative for '{name}' is not implemented: pass {name}.detach()")
