"""Ten digits drawn in 5x5 pixels: data small enough to print, to flip a bit of, and to follow through a network.

The 2 and the 3 differ in 4 pixels, every other pair in 5 or more: one flipped pixel can always be repaired. Less their
mean the ten images span 9 dimensions, so that ten hidden units are no bottleneck for them.
"""

import operator

import numpy as np

from ae.data.splits import Splits

_ROWS = (
    "01110/10001/10001/10001/01110",
    "00100/01100/00100/00100/01110",
    "11110/00001/01110/10000/11111",
    "11110/00001/00110/00001/11110",
    "10010/10010/11111/00010/00010",
    "11111/10000/11110/00001/11110",
    "00110/01000/11110/10001/01110",
    "11111/00001/00010/00100/00100",
    "01110/10001/01110/10001/01110",
    "01110/10001/01111/00010/01100",
)

GLYPHS = np.array([[[int(pixel) for pixel in row] for row in glyph.split("/")] for glyph in _ROWS], dtype=np.float32)
GLYPHS.setflags(write=False)  # shared by all who import it


def glyph(digit: int) -> np.ndarray:
    """Return the picture `(5, 5)`, float32 of zeros and ones, of a digit from 0 to 9: a copy, free to be changed.

    Raises ValueError for another integer, TypeError for what is no integer.
    """
    row = operator.index(digit)
    if not 0 <= row <= 9:
        raise ValueError(f"glyph() draws the digits 0 to 9, got {row}")
    return GLYPHS[row].copy()


def zero() -> np.ndarray:
    """Return the 5x5 zero, the first picture that the tutorial's autoencoder learns."""
    return glyph(0)


def load_glyphs() -> Splits:
    """Return the ten glyphs, which are both the training and the test set.

    Ten pictures are too few to set some aside: a network is asked here to memorize, not to generalize.
    """
    images, labels = GLYPHS.reshape(10, 25), np.arange(10, dtype=np.int64)
    return Splits("glyphs", images.copy(), labels.copy(), images.copy(), labels.copy(), (5, 5))
