"""The models, one file a family, from the simplest on: autoencoder, deep, vae.

Each answers `losses(images) -> (reconstruction, kl)` and `reconstruct(images)`; those that can also draw new images
answer `sample(count)`.
"""

from collections.abc import Sequence
from typing import TypeAlias

from ae.models.autoencoder import Autoencoder
from ae.models.deep import DeepAutoencoder
from ae.models.vae import VAE

__all__ = ["NAMES", "VAE", "Autoencoder", "DeepAutoencoder", "Model", "build"]

Model: TypeAlias = Autoencoder | DeepAutoencoder | VAE

NAMES = ("autoencoder", "deep", "vae")


def build(name: str, pixels: int, hidden: Sequence[int], latent: int) -> Model:
    """Return a new model by its name, for images of so many pixels, with random parameters.

    `hidden` are the sizes of the layers between image and code: none for `autoencoder`, one for `vae`, any number for
    `deep`. Raises ValueError for another number of layers or an unknown name.
    """
    if name == "autoencoder":
        if hidden:
            raise ValueError(
                f"autoencoder has no layer between image and code, got hidden sizes {_listed(hidden)}: leave them out, "
                f"or take the model deep"
            )
        return Autoencoder(pixels, latent)
    if name == "deep":
        return DeepAutoencoder((pixels, *hidden, latent))
    if name == "vae":
        if len(hidden) != 1:
            raise ValueError(f"vae needs the size of its one hidden layer, got {_listed(hidden) or 'none'}: give one")
        return VAE(pixels, hidden[0], latent)
    raise ValueError(f"unknown model {name!r}; there are {', '.join(NAMES)}")


def _listed(sizes: Sequence[int]) -> str:
    return " ".join(map(str, sizes))
