"""The models, one file a family, from the simplest on: autoencoder, deep, linear, sparse, denoising, contractive, vae, ...

`base.Model` says what all of them answer; `MODELS` lists them by the name that the command line knows them by. A model of
your own needs no place in the list to be trained, see ae/README.md; with a row in it, it is one of the family.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ae.models.adversarial import AdversarialAutoencoder
from ae.models.autoencoder import Autoencoder, Overcomplete, Undercomplete
from ae.models.base import Loss, Model
from ae.models.beta import BetaVAE, CapacityVAE, FreeBitsVAE
from ae.models.categorical import CategoricalVAE
from ae.models.conditional import ConditionalVAE
from ae.models.contractive import ContractiveAutoencoder, DeepContractive
from ae.models.deep import DeepAutoencoder, TiedAutoencoder
from ae.models.denoising import DenoisingAutoencoder
from ae.models.disentangled import BetaTCVAE, FactorVAE
from ae.models.flow import IAFVAE, PlanarVAE
from ae.models.iwae import IWAE
from ae.models.linear import LinearAutoencoder
from ae.models.mmd import WAE, InfoVAE
from ae.models.sparse import KLSparse, KSparse, L1Sparse, LifetimeSparse
from ae.models.vae import VAE
from ae.models.vamp import VampVAE
from ae.models.vq import VQVAE, VQVAEEMA

__all__ = [
    "IAFVAE",
    "IWAE",
    "MODELS",
    "NAMES",
    "VAE",
    "VQVAE",
    "VQVAEEMA",
    "WAE",
    "AdversarialAutoencoder",
    "Autoencoder",
    "BetaTCVAE",
    "BetaVAE",
    "CapacityVAE",
    "CategoricalVAE",
    "ConditionalVAE",
    "ContractiveAutoencoder",
    "DeepAutoencoder",
    "DeepContractive",
    "DenoisingAutoencoder",
    "Entry",
    "FactorVAE",
    "FreeBitsVAE",
    "InfoVAE",
    "KLSparse",
    "KSparse",
    "L1Sparse",
    "LifetimeSparse",
    "LinearAutoencoder",
    "Loss",
    "Model",
    "Overcomplete",
    "PlanarVAE",
    "TiedAutoencoder",
    "Undercomplete",
    "VampVAE",
    "build",
]


@dataclass(frozen=True)
class Entry:
    """A row of the list: the class, what it is in a line, and how its sizes are given to it.

    `sizes` is `flat` for `(pixels, latent)`, `layers` for `(pixels, hidden, latent)` and `chain` for one sequence of all.
    `wide` codes are larger than the image, unless told.
    """

    kind: type[Any]
    about: str
    sizes: str = "layers"
    wide: bool = False

    def options(self) -> dict[str, Any]:
        """Return the names of the model's own options and their defaults: the keywords of its class and its bases."""
        found: dict[str, Any] = {}
        for cls in self.kind.__mro__:
            if "__init__" in vars(cls):
                parameters = inspect.signature(vars(cls)["__init__"]).parameters.values()
                for one in parameters:
                    if one.kind is one.KEYWORD_ONLY:
                        found.setdefault(one.name, one.default)
                if not any(one.kind is one.VAR_KEYWORD for one in parameters):
                    break
        return found


MODELS: Mapping[str, Entry] = MappingProxyType(
    {
        "autoencoder": Entry(Autoencoder, "one layer in, one layer out, a ReLU code between", "flat"),
        "undercomplete": Entry(Undercomplete, "the same, its code held smaller than the image", "flat"),
        "overcomplete": Entry(Overcomplete, "the same, its code larger than the image: it can copy", "flat", wide=True),
        "linear": Entry(LinearAutoencoder, "no nonlinearity, squared error: finds PCA's plane", "flat"),
        "deep": Entry(DeepAutoencoder, "layers before and behind a linear code", "chain"),
        "tied": Entry(TiedAutoencoder, "deep, the decoder uses the encoder's weights transposed", "chain"),
        "sparse-l1": Entry(L1Sparse, "wide code, a price on every activation", "flat", wide=True),
        "sparse-kl": Entry(KLSparse, "wide sigmoid code, units active a small share of the time", "flat", wide=True),
        "k-sparse": Entry(KSparse, "wide linear code, the k largest numbers survive", "flat", wide=True),
        "lifetime-sparse": Entry(LifetimeSparse, "wide code, each unit keeps its best images", "flat", wide=True),
        "denoising": Entry(DenoisingAutoencoder, "deep, repairs masked, noisy or salt-and-pepper images"),
        "contractive": Entry(
            ContractiveAutoencoder, "sigmoid code, a price on its Jacobian in closed form", "flat", wide=True
        ),
        "deep-contractive": Entry(DeepContractive, "the same for any depth, by double backward"),
        "vae": Entry(VAE, "Gaussian code, the negative ELBO"),
        "beta-vae": Entry(BetaVAE, "the KL weighed by beta, which may warm up"),
        "capacity-vae": Entry(CapacityVAE, "the KL drawn to a budget that grows"),
        "free-bits-vae": Entry(FreeBitsVAE, "every latent has some nats of KL for free"),
        "conditional-vae": Entry(ConditionalVAE, "told the label, draws any digit on demand"),
        "iwae": Entry(IWAE, "a tighter bound, from k codes for each image"),
        "beta-tc-vae": Entry(BetaTCVAE, "the KL taken apart, the total correlation weighed"),
        "factor-vae": Entry(FactorVAE, "the total correlation weighed, as a discriminator sees it"),
        "info-vae": Entry(InfoVAE, "part of the KL replaced by the MMD of all codes"),
        "wae-mmd": Entry(WAE, "no noise; all codes together held to the prior by the MMD"),
        "adversarial": Entry(AdversarialAutoencoder, "the same by a discriminator"),
        "vq-vae": Entry(VQVAE, "words of a learned book, straight-through gradient"),
        "vq-vae-ema": Entry(VQVAEEMA, "the same, the book a moving average"),
        "categorical-vae": Entry(CategoricalVAE, "dice for codes, rolled softly by Gumbel-softmax"),
        "planar-vae": Entry(PlanarVAE, "clouds bent by planar flows"),
        "iaf-vae": Entry(IAFVAE, "clouds bent by inverse autoregressive flows"),
        "vamp-vae": Entry(VampVAE, "the prior learned, as the clouds of made-up images"),
    }
)

NAMES = tuple(MODELS)


def build(name: str, pixels: int, hidden: Sequence[int], latent: int, **options: Any) -> Model:
    """Return a new model by its name, for images of so many pixels, with random parameters.

    `hidden` are the sizes of the layers between image and code: none for models of one layer, one or more for the VAEs,
    any number for the rest. `options` are the model's own, see `MODELS[name].options()`. Raises ValueError for another
    number of layers, an unknown name or option, or an option's value that the model cannot take.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; there are {', '.join(NAMES)}")
    entry = MODELS[name]
    unknown = options.keys() - entry.options().keys()
    if unknown:
        known = ", ".join(entry.options()) or "none"
        raise ValueError(f"{name} has no option {', '.join(sorted(unknown))}; it has {known}")
    for option, value in options.items():
        kind = type(entry.options()[option])
        if isinstance(value, bool) or not isinstance(value, int | float if kind is float else kind):
            needed = {int: "a whole number", float: "a number", str: "a text"}[kind]
            raise ValueError(f"option {option} of {name} needs {needed}, got {value!r}")
    if entry.sizes == "flat":
        if hidden:
            raise ValueError(
                f"{name} has no layer between image and code, got hidden sizes {' '.join(map(str, hidden))}: leave "
                f"them out, or take the model deep"
            )
        return entry.kind(pixels, latent, **options)
    if entry.sizes == "chain":
        return entry.kind((pixels, *hidden, latent), **options)
    return entry.kind(pixels, tuple(hidden), latent, **options)
