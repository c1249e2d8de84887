"""ae: autoencoders in PyTorch's words, trained with minigrad; `python -m ae train` is the way in.

The networks are in `ae.models`; `ae.Autoencoder` is the one with scikit-learn's habits.
"""

from typing import Any

from ae import models
from ae.data import glyph, zero
from ae.runs import load

__all__ = ["Autoencoder", "glyph", "load", "models", "zero"]


def __getattr__(name: str) -> Any:
    if name == "Autoencoder":
        from ae.estimator import Autoencoder  # optional: only who asks for it needs scikit-learn

        return Autoencoder
    raise AttributeError(f"module 'ae' has no attribute {name!r}")
