"""Rows of the operations that move elements about."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, broadcast_shapes, dims, each, fixed, one_dim, shapes, some_dims
from tests.minigrad.ops.row import BOOLS, Row, function


@st.composite
def regrouped(draw: Any) -> Case:
    """A shape of the same number of elements, perhaps with -1."""
    shape = draw(shapes())
    size, wanted = math.prod(shape), list(draw(st.permutations(shape)))
    if draw(BOOLS):
        wanted = [size]
    elif wanted and draw(BOOLS):
        wanted.insert(draw(st.integers(0, len(wanted))), 1)
    if wanted and math.prod(wanted) and draw(BOOLS):
        wanted[draw(st.integers(0, len(wanted) - 1))] = -1
    return Case((shape,), {"shape": tuple(wanted)})


@st.composite
def permuted(draw: Any) -> Case:
    shape = draw(shapes())
    order = draw(st.permutations(range(len(shape))))
    return Case((shape,), {"dims": tuple(draw(st.sampled_from([a, a - len(shape)])) for a in order)})


@st.composite
def two_dims(draw: Any, low: int = 0) -> Case:
    shape = draw(shapes(low))
    return Case((shape,), {"a": draw(dims(len(shape))), "b": draw(dims(len(shape)))})


@st.composite
def stretched(draw: Any) -> Case:
    small, full = draw(broadcast_shapes(2))
    full = np.broadcast_shapes(small, full)
    lead = len(full) - len(small)
    size = tuple(-1 if i >= lead and small[i - lead] == n and draw(BOOLS) else n for i, n in enumerate(full))
    return Case((small,), {"size": size})


@st.composite
def copies(draw: Any, fewer: bool) -> Case:
    shape = draw(shapes())
    low = 0 if fewer else len(shape)
    return Case((shape,), {"dims": tuple(draw(st.lists(st.integers(0, 3), min_size=low, max_size=len(shape) + 1)))})


@st.composite
def joined(draw: Any, same: bool) -> Case:
    """Up to three tensors that agree but along ``dim``."""
    shape, count = draw(shapes(0 if same else 1)), draw(st.integers(1, 3))
    dim = draw(st.integers(-len(shape) - 1, len(shape)) if same else dims(len(shape)))
    if same:
        return Case((shape,) * count, {"dim": dim})
    found = [list(shape) for _ in range(count)]
    for one in found:
        one[dim] = draw(st.integers(0, 3))
    return Case(tuple(tuple(s) for s in found), {"dim": dim})


@st.composite
def pieces(draw: Any) -> Case:
    shape = draw(shapes(1))
    dim = draw(dims(len(shape)))
    cut = draw(st.integers(0, shape[dim]))
    sizes = draw(st.sampled_from([1, 2, 3, 5, [cut, shape[dim] - cut]]))
    return Case((shape,), {"sizes": sizes, "dim": dim})


@st.composite
def a_stretch(draw: Any) -> Case:
    shape = draw(shapes(1))
    dim = draw(dims(len(shape)))
    start = draw(st.integers(0, shape[dim]))
    length = draw(st.integers(0, shape[dim] - start))
    return Case((shape,), {"dim": dim, "start": start, "length": length})


SHAPES = [
    Row("reshape", lambda m, x, shape: x.reshape(shape), regrouped()),
    Row("view", lambda m, x, shape: (x * 1).view(shape), regrouped()),
    Row(
        "flatten",
        lambda m, x, a, b: x.flatten(
            min(a % max(x.ndim, 1), b % max(x.ndim, 1)), max(a % max(x.ndim, 1), b % max(x.ndim, 1))
        ),
        two_dims(),
    ),
    Row("unflatten", lambda m, x: x.unflatten(1, (2, -1)), fixed((2, 4))),
    Row("permute", lambda m, x, dims: x.permute(dims), permuted()),
    Row("transpose", lambda m, x, a, b: x.transpose(a, b), two_dims()),
    Row("t", lambda m, x: m.t(x), shapes(0, 2).map(lambda s: Case((s,), {}))),
    Row("T", lambda m, x: x.T, shapes(2, 2).map(lambda s: Case((s,), {}))),
    Row("mT", lambda m, x: x.mT, shapes(2).map(lambda s: Case((s,), {}))),
    Row("movedim", lambda m, x, a, b: m.movedim(x, a, b), two_dims(1)),
    Row("movedim of a number", lambda m, x: m.movedim(x, 0, -1), fixed(())),  # PyTorch calls that an alias
    Row(
        "unsqueeze",
        lambda m, x, dim: x.unsqueeze(dim),
        shapes().flatmap(lambda s: st.integers(-len(s) - 1, len(s)).map(lambda d: Case((s,), {"dim": d}))),
    ),
    Row("squeeze", function("squeeze"), each()),
    Row("squeeze dim", lambda m, x, dim: m.squeeze(x, dim), one_dim()),
    Row(
        "squeeze dims",
        lambda m, x, dims: m.squeeze(x, dims),
        shapes().flatmap(lambda s: some_dims(len(s)).map(lambda d: Case((s,), {"dims": d}))),
    ),
    Row("broadcast_to", lambda m, x, size: m.broadcast_to(x, size), stretched()),
    Row("expand", lambda m, x, size: x.expand(*size), stretched().filter(lambda c: c.options["size"])),
    Row("repeat", lambda m, x, dims: x.repeat(*dims), copies(False).filter(lambda c: c.options["dims"])),
    Row("tile", lambda m, x, dims: m.tile(x, dims), copies(True)),
    Row(
        "flip",
        lambda m, x, dims: m.flip(x, dims),
        shapes().flatmap(lambda s: some_dims(len(s)).map(lambda d: Case((s,), {"dims": d}))),
    ),
    Row("roll", lambda m, x, dim, shifts: m.roll(x, shifts, dim), one_dim(1, shifts=st.integers(-3, 4))),
    Row("roll of all", lambda m, x, shifts: m.roll(x, shifts), each(shifts=st.integers(-3, 4))),
    Row("cat", lambda m, *xs, dim: m.cat(xs, dim), joined(False)),
    Row("stack", lambda m, *xs, dim: m.stack(xs, dim), joined(True)),
    Row("split", lambda m, x, sizes, dim: m.split(x, sizes, dim), pieces()),
    Row(
        "tensor_split",
        lambda m, x, dim, sections: m.tensor_split(x, sections, dim),
        one_dim(1, sections=st.sampled_from([1, 2, 3, (1,), (1, 2), (0, 1), (-1,)])),
    ),
    *[
        Row(n, lambda m, *xs, n=n: getattr(m, n)(xs), shapes().map(lambda s: Case((s, s), {})))
        for n in ("hstack", "vstack", "dstack", "column_stack")
    ],
    *[Row(n, function(n), each()) for n in ("atleast_1d", "atleast_2d", "atleast_3d", "fliplr", "flipud")],
    Row(
        "rot90",
        lambda m, x, k: m.rot90(x, k, (1, 0)),
        shapes(2).flatmap(lambda s: st.integers(-3, 4).map(lambda k: Case((s,), {"k": k}))),
    ),
    Row("chunk", lambda m, x, dim, chunks: m.chunk(x, chunks, dim), one_dim(1, chunks=st.integers(1, 4))),
    Row("narrow", lambda m, x, dim, start, length: x.narrow(dim, start, length), a_stretch()),
]
