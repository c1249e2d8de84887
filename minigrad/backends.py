"""PyTorch's switches for hardware that is not here: they can be set, and change nothing."""

from __future__ import annotations


class _Backend:
    """One kind of hardware or library, not available."""

    deterministic = enabled = benchmark = allow_tf32 = False

    def is_available(self) -> bool:
        return False

    def is_built(self) -> bool:
        return False


cudnn, cuda, mps, mkldnn = _Backend(), _Backend(), _Backend(), _Backend()
