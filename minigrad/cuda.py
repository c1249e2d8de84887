"""There is no GPU here: what a program asks before it would use one, answered so that it stays on the CPU."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is no stream of random numbers but the CPU's."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no stream of random numbers but the CPU's."""


def synchronize(device: Any = None) -> None:
    """Nothing: every operation is finished when it returns."""


def empty_cache() -> None:
    """Nothing: no memory is held back."""


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"minigrad has no cuda.{name}: it computes on the CPU with NumPy; ask cuda.is_available(), which is False, first"
    )
