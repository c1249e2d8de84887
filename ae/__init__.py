"""ae: autoencoders in PyTorch's words, trained with minigrad; `python -m ae train` is the way in."""

from ae.data import glyph, zero
from ae.models import VAE, Autoencoder, DeepAutoencoder
from ae.runs import load

__all__ = ["VAE", "Autoencoder", "DeepAutoencoder", "glyph", "load", "zero"]
