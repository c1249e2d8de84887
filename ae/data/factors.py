"""Pictures drawn from known factors: glyphs in every place and brightness that a frame allows.

Digit, brightness, row and column are chosen independently of each other, so a code that mixes them has learned to. They are
what disentanglement is measured with, and a data set to learn it from.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ae.data.glyphs import GLYPHS
from ae.data.splits import Splits

BRIGHTNESS = (0.4, 0.6, 0.8, 1.0)
PLACES = 5  # rows and columns at most


@dataclass(frozen=True, eq=False)
class Factors:
    """Pictures `(N, H*W)` float32 in [0, 1] and, for each, the values `(N,)` of their factors, whole numbers by name."""

    images: np.ndarray
    values: dict[str, np.ndarray]


def glyph_factors(shape: tuple[int, int]) -> Factors:
    """Return all combinations of digit, brightness, row and column of a glyph in a frame of `shape`.

    Glyphs are enlarged by the whole number that leaves room to move, so 28x28 holds them at 20x20 in 5 x 5 places and
    8x8 at 5x5 in 4 x 4; in 5x5 only digit and brightness vary. Raises ValueError for a smaller frame.
    """
    height, width = shape
    if min(height, width) < 5:
        raise ValueError(f"a glyph needs a frame of at least 5x5 pixels, got {height}x{width}")
    scale = max(1, min(height, width) // 7)
    glyphs = np.kron(GLYPHS, np.ones((scale, scale), dtype=np.float32))
    size = 5 * scale
    rows, columns = _places(height - size), _places(width - size)
    choices = {"digit": range(10), "brightness": range(len(BRIGHTNESS))}
    choices |= {name: range(len(one)) for name, one in (("row", rows), ("column", columns)) if len(one) > 1}
    combinations = np.array(list(product(*choices.values())))
    values = dict(zip(choices, combinations.T, strict=True))
    images = np.zeros((len(combinations), height, width), dtype=np.float32)
    none = np.zeros(len(images), dtype=np.int64)
    tops, lefts = rows[values.get("row", none)], columns[values.get("column", none)]
    for i, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        light = BRIGHTNESS[values["brightness"][i]]
        images[i, top : top + size, left : left + size] = light * glyphs[values["digit"][i]]
    return Factors(images.reshape(len(images), -1), values)


def _places(room: int) -> np.ndarray:
    """Return up to PLACES offsets, evenly from 0 to `room`."""
    return np.unique(np.linspace(0, room, min(PLACES, room + 1)).round().astype(np.int64))


def load_moving_glyphs() -> Splits:
    """Return the glyphs in every place and brightness in 8x8 pixels: 640 pictures, of which every fifth is set to test with.

    A test picture is a combination of factors never trained on, though each factor's value was. Labels are the digits.
    """
    factors = glyph_factors((8, 8))
    images, labels = factors.images, factors.values["digit"].astype(np.int64)
    test = np.arange(len(images)) % 5 == 4
    return Splits("moving-glyphs", images[~test], labels[~test], images[test], labels[test], (8, 8))
