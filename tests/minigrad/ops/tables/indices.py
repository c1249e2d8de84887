"""Rows of the operations that pick elements and put them back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, dims, each, fixed, one_dim, shapes
from tests.minigrad.ops.row import BOOLS, Row, function


@st.composite
def an_index(draw: Any) -> Case:
    """A tuple of integers, slices, None, Ellipsis, integer lists and masks that fits a shape."""
    shape = draw(shapes(0, 3, st.sampled_from([2, 3, 1, 4])))
    index: list[Any] = []
    rows: int | None = None
    dotted = False
    axis = 0
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["int", "slice", "slice", "none", "dots", "list", "mask", "array"]))
        if kind == "none":
            index.append(None)
        elif kind == "dots" and not dotted:
            dotted = True
            index.append(...)
            axis = max(axis, draw(st.integers(axis, len(shape))))
            left = len(shape) - axis
            axis = len(shape) - left
        elif axis < len(shape) and not dotted:
            n = shape[axis]
            axis += 1
            if kind == "int":
                index.append(draw(st.integers(-n, n - 1)))
            elif kind == "list":
                rows = rows or draw(st.integers(1, 3))
                index.append(draw(st.lists(st.integers(-n, n - 1), min_size=rows, max_size=rows)))
            elif kind == "array":
                rows = rows or draw(st.integers(1, 3))
                index.append(np.array(draw(st.lists(st.integers(-n, n - 1), min_size=rows, max_size=rows))))
            elif kind == "mask" and rows is None:
                mask = np.array(draw(st.lists(BOOLS, min_size=n, max_size=n)))
                rows = int(mask.sum()) or None
                if rows is None:
                    mask[0], rows = True, 1
                index.append(mask)
            else:
                a, b = draw(st.none() | st.integers(-n - 1, n + 1)), draw(st.none() | st.integers(-n - 1, n + 1))
                index.append(slice(a, b, draw(st.sampled_from([None, 1, 2, 3]))))
    return Case((shape,), {"index": index[0] if len(index) == 1 and draw(BOOLS) else tuple(index)})


def _at(shape: tuple[int, ...], n: int) -> st.SearchStrategy[np.ndarray]:
    size = math.prod(shape)
    return st.lists(st.integers(0, n - 1), min_size=size, max_size=size).map(
        lambda found: np.array(found, np.int64).reshape(shape)
    )


@st.composite
def gathered(draw: Any, with_src: bool = False, **more: Any) -> Case:
    """An index of the input's number of dimensions, no larger than the input but along ``dim``."""
    shape = draw(shapes(1, 3, st.sampled_from([2, 3, 1])))
    dim = draw(dims(len(shape)))
    small = [draw(st.integers(0, n)) for n in shape]
    small[dim] = draw(st.integers(0, 4))
    index = draw(_at(tuple(small), shape[dim]))
    options = {"dim": dim, "index": index, **{name: draw(value) for name, value in more.items()}}
    if not with_src:
        return Case((shape,), options)
    return Case((shape, tuple(n + draw(st.integers(0, 1)) for n in small)), options)


def once(index: np.ndarray, dim: int) -> bool:
    """Whether no place is named twice, which leaves open what a scatter would write there."""
    ordered = np.sort(index, dim)
    return not (np.diff(ordered, axis=dim) == 0).any()


def scattered(apart: bool = False) -> st.SearchStrategy[Case]:
    cases = gathered(True).filter(lambda c: c.options["index"].size > 0)
    if apart:
        cases = cases.filter(lambda c: once(c.options["index"], c.options["dim"]))
    return cases.map(lambda c: Case((c.shapes[0], c.options["index"].shape), c.options))


@st.composite
def along(draw: Any) -> Case:
    """An index that broadcasts with the input but along ``dim``."""
    shape = draw(shapes(1, 3, st.sampled_from([2, 3, 1])))
    dim = draw(dims(len(shape)))
    small = [draw(st.sampled_from([n, 1])) for n in shape]
    small[dim] = draw(st.integers(1, 3))
    return Case((shape,), {"dim": dim, "index": draw(_at(tuple(small), shape[dim]))})


@st.composite
def rows_of(draw: Any, with_source: bool = False, **more: Any) -> Case:
    shape = draw(shapes(1, 3, st.sampled_from([2, 3, 1])))
    dim = draw(dims(len(shape)))
    index = draw(_at((draw(st.integers(0, 4)),), shape[dim]))
    options: dict[str, Any] = {"dim": dim, "index": index, **{name: draw(value) for name, value in more.items()}}
    if not with_source:
        return Case((shape,), options)
    source = list(shape)
    source[dim] = len(index)
    return Case((shape, tuple(source)), {**options, "alpha": draw(st.sampled_from([1, 2, -1]))})


MATRIX = shapes(2, 3)

INDICES = [
    Row("getitem", lambda m, x, index: x[index], an_index()),
    Row("getitem by a mask", lambda m, x: x[x > 0], each()),
    Row("select", lambda m, x, dim: x.select(dim, x.shape[dim] - 1), one_dim(1)),
    Row("unbind", lambda m, x, dim: m.unbind(x, dim), one_dim(1)),
    Row("iteration", lambda m, x: list(x), shapes(1).map(lambda s: Case((s,), {}))),
    Row("gather", lambda m, x, dim, index: m.gather(x, dim, index), gathered()),
    Row("take_along_dim", lambda m, x, dim, index: m.take_along_dim(x, index, dim), along()),
    Row("take_along_dim of all", lambda m, x: m.take_along_dim(x + 0, m.tensor([0, 2])), fixed((3,))),
    Row("scatter_add", lambda m, x, src, dim, index: m.scatter_add(x, dim, index, src), scattered(), dtypes="f"),
    Row("scatter", lambda m, x, src, dim, index: m.scatter(x, dim, index, src), scattered(True), dtypes="f"),
    Row(
        "scatter a number",
        lambda m, x, dim, index, value: m.scatter(x, dim, index, value),
        gathered(value=st.sampled_from([0.0, 2.5])),
        dtypes="f",
    ),
    Row(
        "scatter that adds",
        lambda m, x, src, dim, index: m.scatter(x, dim, index, src, reduce="add"),
        scattered(),
        order=0,
        dtypes="f",
    ),
    Row(  # PyTorch has no gradient for a source larger than the index
        "scatter_add of a part",
        lambda m, x, src, dim, index: m.scatter_add(x, dim, index, src),
        gathered(True),
        order=0,
        dtypes="f",
    ),
    Row("index_select", lambda m, x, dim, index: m.index_select(x, dim, index), rows_of()),
    Row(
        "index_add",
        lambda m, x, source, dim, index, alpha: m.index_add(x, dim, index, source, alpha=alpha),
        rows_of(True),
        dtypes="f",
    ),
    Row(
        "index_fill",
        lambda m, x, dim, index, value: m.index_fill(x, dim, index, value),
        rows_of(value=st.sampled_from([0.0, 2.5])),
        dtypes="f",
    ),
    Row(
        "index_fill by a tensor",
        lambda m, x, value, dim, index: m.index_fill(x, dim, index, value),
        rows_of().map(lambda c: Case((c.shapes[0], ()), c.options)),
        dtypes="f",
        mixed=False,
    ),
    Row(
        "index_copy",
        lambda m, x, source, dim, index, alpha: m.index_copy(x, dim, index, source),
        rows_of(True).filter(lambda c: len(set(c.options["index"].tolist())) == len(c.options["index"]) > 0),
        dtypes="f",
        mixed=False,
    ),
    Row(
        "index_put",
        lambda m, x, v, accumulate: m.index_put(x, (m.tensor([2, 0]),), v, accumulate),
        st.builds(
            lambda tail, part, accumulate: Case(((3, *tail), (2, *tail)[part:]), {"accumulate": accumulate}),
            shapes(0, 2),
            st.integers(0, 1),
            BOOLS,
        ),
        dtypes="f",
        mixed=False,
    ),
    Row("take", lambda m, x: m.take(x, m.tensor([[0, 2], [2, 1]])), fixed((2, 3))),
    *[
        Row(
            f"repeat_interleave {n}",
            lambda m, x, dim, n=n: m.repeat_interleave(x, m.tensor([2, 0, 1]) if n == "each its own" else 2, dim),
            st.sampled_from([Case(((3, 3),), {"dim": 0}), Case(((2, 3),), {"dim": -1}), Case(((3,),), {"dim": None})]),
        )
        for n in ("alike", "each its own")
    ],
    Row("masked_select", lambda m, x: m.masked_select(x, x > 0), each()),
    *[
        Row(n, function(n), MATRIX.flatmap(lambda s: st.integers(-3, 3).map(lambda k: Case((s,), {"diagonal": k}))))
        for n in ("triu", "tril")
    ],
    Row(
        "diag",
        function("diag"),
        shapes(1, 2).flatmap(lambda s: st.integers(-1, 1).map(lambda k: Case((s,), {"diagonal": k}))),
    ),
    Row("diagflat", function("diagflat"), each(offset=st.integers(-1, 2))),
    Row(
        "diag_embed",
        lambda m, x, offset, dims: m.diag_embed(x, offset, *dims),
        shapes(1).flatmap(
            lambda s: st.builds(
                lambda offset, dims: Case((s,), {"offset": offset, "dims": dims}),
                st.integers(-2, 2),
                st.sampled_from([(), (0, 1), (-1, 0)]),
            )
        ),
    ),
    Row("diagonal", lambda m, x: m.diagonal(x), MATRIX.map(lambda s: Case((s,), {}))),
    Row("diagonal of other dims", lambda m, x: m.diagonal(x, 1, -1, 0), MATRIX.map(lambda s: Case((s,), {}))),
    Row("trace", function("trace"), shapes(2, 2).map(lambda s: Case((s,), {}))),
]
