"""Arithmetic that is rounded once, where plain NumPy would round twice: what makes random numbers PyTorch's to the last digit."""

from __future__ import annotations

from typing import Any

import numpy as np


def _high_half(x: Any) -> Any:
    """``x`` with the lower 27 of its 53 digits zero: products of such halves are exact."""
    return (np.asarray(x, np.float64).view(np.uint64) & np.uint64(0xFFFFFFFFF8000000)).view(np.float64)


def scale_and_shift(x: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """``x * scale + shift`` in the type of ``x``, rounded once, as a processor's fused multiply-add does.

    For float32 the float64 product is exact. For float64 the error of the product (Dekker, 1971) and that of the sum
    (Knuth) are computed and added to the result.
    """
    if shift == 0:
        return x if scale == 1 else x * x.dtype.type(scale)
    if x.dtype == np.float32:
        return (x.astype(np.float64) * np.float32(scale) + np.float32(shift)).astype(np.float32)
    product = x * scale
    x_high, scale_high = _high_half(x), _high_half(scale)
    x_low, scale_low = x - x_high, scale - scale_high
    lost = x_high * scale_high - product + x_high * scale_low + x_low * scale_high + x_low * scale_low
    total = product + shift
    added = total - product
    return total + (lost + (product - (total - added)) + (shift - added))
