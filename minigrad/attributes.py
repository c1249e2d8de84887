"""What a tensor tells about itself in words of its own: its ``Size`` and its ``device``."""

from __future__ import annotations

import math
from typing import Any

# How a copy is to lie in memory
contiguous_format, preserve_format = "torch.contiguous_format", "torch.preserve_format"


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of sizes."""

    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, item: Any) -> Any:
        found = super().__getitem__(item)
        return Size(found) if isinstance(item, slice) else found

    def __add__(self, other: Any) -> Any:
        return Size(super().__add__(other))

    def __radd__(self, other: Any) -> Any:
        return Size((*other, *self))

    def __mul__(self, count: Any) -> Any:
        return Size(super().__mul__(count))

    __rmul__ = __mul__


class device:
    """Where a tensor lives: always the CPU."""

    type, index = "cpu", None

    def __init__(self, name: Any = "cpu", index: int | None = None) -> None:
        check_device(name)

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device)

    def __hash__(self) -> int:
        return hash("cpu")


def check_device(name: Any) -> None:
    """Raises NotImplementedError for any device but the CPU."""
    if name is not None and str(name).split(":")[0] != "cpu":
        raise NotImplementedError(
            f"device {str(name)!r}: minigrad computes with NumPy, on device 'cpu' only; leave .to(...) out"
        )
