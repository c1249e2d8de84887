"""ae: autoencoders in PyTorch's words, trained with minigrad; `python -m ae train` is the way in."""

from typing import Any

from ae.data import glyph, zero
from ae.models import VAE, Autoencoder, DeepAutoencoder
from ae.runs import load

__all__ = ["VAE", "Autoencoder", "AutoencoderEstimator", "DeepAutoencoder", "glyph", "load", "zero"]


def __getattr__(name: str) -> Any:
    if name == "AutoencoderEstimator":
        from ae.estimator import AutoencoderEstimator  # optional: only who asks for it needs scikit-learn

        return AutoencoderEstimator
    raise AttributeError(f"module 'ae' has no attribute {name!r}")
