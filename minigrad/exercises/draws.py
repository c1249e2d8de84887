"""Random inputs from a few letters: ``x="n m"`` is a matrix, ``t="n: below m"`` a row of integers below its width.

The sizes of letters are permutations of 3, 5 and 7, so that a wrong constant or a wrong axis betrays which one it is. After
the shape may stand what the values are; without that they are normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

SIZES = ((3, 5, 7), (5, 7, 3), (7, 3, 5))
SEEDS = (0, 1, 2)

Draw = dict[str, Any]

KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 3.0, shape),
    "unit": lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    "binary": lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64),
    "large": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * rng.uniform(200, 1000, shape),
    "zeros": lambda rng, shape: np.where(rng.random(shape) < 0.3, 0.0, rng.standard_normal(shape)),
    "distinct": lambda rng, shape: rng.permutation(np.arange(int(np.prod(shape)), dtype=np.float64)).reshape(shape) / 4,
    "tied": lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64),
}


def draws(letters: str, **specs: Any) -> Iterator[Draw]:
    """Inputs of 3 shapes with 3 seeds each; what is no string is passed on as it is."""
    for sizes in SIZES:
        for seed in SEEDS:
            yield draw(dict(zip(letters, sizes, strict=False)), np.random.default_rng(seed), specs)


def edges(letters: str, **specs: Any) -> Iterator[Draw]:
    """Inputs of the edge shapes: one row, one column, a single entry."""
    for sizes in ((1, 5, 7), (5, 1, 3), (1, 1, 1)):
        yield draw(dict(zip(letters, sizes, strict=False)), np.random.default_rng(0), specs)


def draw(sizes: dict[str, int], rng: np.random.Generator, specs: dict[str, Any]) -> Draw:
    """One value for each spec. Raises ValueError for a letter or a kind that is not known."""
    return {
        name: _one(spec, sizes, rng) if isinstance(spec, str) else np.array(spec) if isinstance(spec, list) else spec
        for name, spec in specs.items()
    }


def letters_of(specs: dict[str, Any]) -> str:
    """The letters that the specs use, in their order."""
    words = [w for s in specs.values() if isinstance(s, str) for w in s.partition(":")[0].split()]
    return "".join(dict.fromkeys(w for w in words if not w.isdigit()))


def _one(spec: str, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    shape_text, _, kind = (part.strip() for part in spec.partition(":"))
    unknown = [w for w in shape_text.split() if not w.isdigit() and w not in sizes]
    if unknown:
        raise ValueError(
            f"{spec!r}: {unknown[0]!r} is no size; sizes are numbers, or letters, three different ones at most"
        )
    shape = tuple(int(w) if w.isdigit() else sizes[w] for w in shape_text.split())
    if kind.startswith("below "):
        limit = kind.removeprefix("below ")
        return rng.integers(0, int(limit) if limit.isdigit() else sizes[limit], shape)
    if (kind or "normal") not in KINDS:
        raise ValueError(f"{spec!r}: the kind {kind!r} is none of {', '.join(KINDS)}, below LETTER")
    return np.asarray(KINDS[kind or "normal"](rng, shape))
