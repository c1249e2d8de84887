"""The data sets, each as NumPy arrays in the same shape: `load("digits").train_images` is `(N, H*W)` in [0, 1].

`glyphs` (ten 5x5 pictures), `moving-glyphs` (640 of 8x8) and `digits` (1,797 of 8x8) are bundled; `mnist` and
`fashion-mnist` (70,000 of 28x28) are read from a folder, or downloaded once.
"""

import os

from ae.data.digits import load_digits
from ae.data.factors import Factors, glyph_factors, load_moving_glyphs
from ae.data.glyphs import GLYPHS, glyph, load_glyphs, zero
from ae.data.idx import read_idx
from ae.data.mnist import SOURCES, load_idx_set
from ae.data.splits import Splits

__all__ = ["GLYPHS", "NAMES", "Factors", "Splits", "glyph", "glyph_factors", "load", "read_idx", "zero"]

NAMES = ("glyphs", "moving-glyphs", "digits", "mnist", "fashion-mnist")


def load(name: str, root: str | os.PathLike[str] | None = None) -> Splits:
    """Return a data set by its name; the same call gives the same splits on every machine.

    `root` is the folder of the IDX files of `mnist` and `fashion-mnist`: it holds them itself, raw or .gz, or in a
    subfolder `mnist`, `fashion-mnist`, `MNIST/raw` or `FashionMNIST/raw`. Without it they are downloaded once into
    `$AE_CACHE`, or a folder `ae` among the user's caches (`~/.cache/ae`). The bundled sets do not need it.

    Raises ValueError for an unknown name and for damaged files, FileNotFoundError for missing files and
    ConnectionError if a download fails.
    """
    if name == "glyphs":
        return load_glyphs()
    if name == "moving-glyphs":
        return load_moving_glyphs()
    if name == "digits":
        return load_digits()
    if name in SOURCES:
        return load_idx_set(SOURCES[name], root)
    raise ValueError(f"unknown data set {name!r}; there are {', '.join(NAMES)}")
