"""Does each number of the code speak of one thing? Asked with pictures drawn from known factors.

The pictures are glyphs in every place and brightness that the frame allows: digit, row, column and brightness are chosen
independently of each other, so a code that mixes them has learned to.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ae.data import GLYPHS

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


def mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Return `I(X; Y) = sum p(x, y) log(p(x, y) / (p(x) p(y)))` of two columns of whole numbers `(N,)`, in nats."""
    _, first = np.unique(x, return_inverse=True)
    _, second = np.unique(y, return_inverse=True)
    joint = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(joint, (first, second), 1 / len(x))
    alone = joint.sum(1, keepdims=True) * joint.sum(0)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())


def discretize(codes: np.ndarray, bins: int = 20) -> np.ndarray:
    """Return in which of `bins` equal intervals, from its column's least to its largest number, each number lies."""
    low, high = codes.min(0), codes.max(0)
    width = np.where(high > low, high - low, 1)
    return np.minimum((codes - low) / width * bins, bins - 1).astype(np.int64)


def mutual_information_gap(
    codes: np.ndarray, factors: dict[str, np.ndarray], bins: int = 20
) -> tuple[float, dict[str, float]]:
    """Return the mutual information gap (MIG) and its part for each factor, all from 0 to 1.

    `1/K sum_k (I(z_j1; v_k) - I(z_j2; v_k)) / H(v_k)`, j1 and j2 being the latents that tell the most and the second
    most of factor v_k: 1 if each factor is in one latent and in no other. Codes `(N, latent)` are means, and are cut
    into `bins` intervals to count; a code of one latent has no second.
    Source: Chen et al. 2018, "Isolating Sources of Disentanglement in Variational Autoencoders", equation 6; with means
    in bins as in Locatello et al. 2019, "Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations", appendix C.
    """
    columns = discretize(codes.astype(np.float64), bins).T
    gaps = {}
    for name, values in factors.items():
        told = sorted((mutual_information(column, values) for column in columns), reverse=True)
        second = told[1] if len(told) > 1 else 0.0
        gaps[name] = (told[0] - second) / mutual_information(values, values)  # I(v; v) = H(v)
    return float(np.mean(list(gaps.values()))), gaps
