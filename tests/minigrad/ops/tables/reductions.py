"""Rows of the operations that reduce, accumulate or order along axes."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, dims, each, fixed, many_dims, one_dim, shapes, some_dims
from tests.minigrad.ops.row import BOOLS, Row, function

P = st.sampled_from([2, 1, 3, 0, math.inf, -math.inf, 0.5, 1.5, "fro"])


def spread(corrections: tuple[int, ...] = (0, 1, 2)) -> st.SearchStrategy[Case]:
    return many_dims(keepdim=BOOLS, correction=st.sampled_from(corrections))


def several(case: Case) -> bool:
    return math.prod(case.shapes[0]) > 1


def filled(case: Case) -> bool:
    return 0 not in case.shapes[0]


def enough(case: Case) -> bool:
    """Whether there are more elements than ``correction`` takes away."""
    (shape,), dim = case.shapes, case.options["dim"]
    axes = range(len(shape)) if dim in (None, ()) or not shape else dim if isinstance(dim, tuple) else (dim,)
    return math.prod(shape[a] for a in axes) > case.options["correction"]


REDUCTIONS = [
    *[Row(f"{n} of all", function(n), each()) for n in ("sum", "mean", "max", "min")],
    Row("median of all", function("median"), each().filter(filled)),
    Row("median of none", function("median"), fixed((2, 0)), dtypes="f"),
    Row("prod of all", function("prod"), each(), special=0),
    *[Row(f"{n} of all", function(n), each().filter(several)) for n in ("var", "std")],
    *[Row(n, function(n), many_dims(keepdim=BOOLS)) for n in ("sum", "mean")],
    *[Row(f"{n} of few", function(n), spread((0, 1)), order=1, dtypes="f", special=0) for n in ("var", "std")],
    *[Row(n, function(n), spread().filter(enough), dtypes="f") for n in ("var", "std")],
    Row("var unbiased", lambda m, x, unbiased: x.var(unbiased), each(unbiased=BOOLS).filter(several), dtypes="f"),
    Row(
        "var along dim unbiased",
        lambda m, x, dim, unbiased: x.var(dim, unbiased),
        one_dim(1, unbiased=BOOLS).filter(lambda c: c.shapes[0][c.options["dim"]] > 1),
        dtypes="f",
    ),
    *[Row(n, function(n), many_dims(keepdim=BOOLS), dtypes="f") for n in ("nansum", "nanmean")],
    *[Row(n, function(n), spread((0, 1)).filter(enough), special=-1, dtypes="f") for n in ("var_mean", "std_mean")],
    Row("sum as dtype", lambda m, x, dim: x.sum(dim, dtype=m.float64), one_dim()),
    Row("prod", function("prod"), one_dim(keepdim=BOOLS), special=0),
    Row("cumsum", function("cumsum"), one_dim()),
    Row("cumprod", function("cumprod"), one_dim(), special=0),
    Row("diff", function("diff"), one_dim(1, n=st.integers(0, 3))),
    *[
        Row(
            n,
            function(n),
            shapes().flatmap(
                lambda s: st.builds(
                    lambda dim, keepdim: Case((s,), {"dim": dim, "keepdim": keepdim}),
                    st.one_of(dims(len(s)), some_dims(len(s))),
                    BOOLS,
                )
            ),
        )
        for n in ("amax", "amin")
    ],
    *[Row(f"{n} along dim", function(n), one_dim(keepdim=BOOLS), dtypes="fi") for n in ("max", "min")],
    *[Row(n, function(n), one_dim(), special=0, dtypes="fi") for n in ("cummax", "cummin")],
    Row("aminmax", lambda m, x, **o: m.aminmax(x, **o), one_dim(keepdim=BOOLS), dtypes="fi"),
    Row(
        "median along dim",
        lambda m, x, **o: m.median(x, **o).values,
        one_dim(keepdim=BOOLS),
        kinks=0,
        special=0,
        dtypes="fi",
    ),
    Row(
        "kthvalue",
        lambda m, x, **o: m.kthvalue(x, **o).values,
        one_dim(keepdim=BOOLS, k=st.integers(1, 3)),
        kinks=0,
        special=0,
        dtypes="fi",
    ),
    Row("msort", function("msort"), shapes(1).map(lambda s: Case((s,), {})), dtypes="fi"),
    Row(
        "quantile",
        function("quantile"),
        many_dims(keepdim=BOOLS, q=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0])).filter(
            lambda c: not isinstance(c.options["dim"], tuple) and filled(c)
        ),
        kinks=0,
        special=0,
        dtypes="d",
    ),
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(f"{n} of all", function(n), each(), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0) for n in ("all", "any")],
    *[Row(f"{n} of all", function(n), each(), order=0) for n in ("all", "any")],
    Row("count_nonzero", function("count_nonzero"), many_dims(), order=0),
    Row("sort", lambda m, x, **o: m.sort(x, stable=True, **o), one_dim(descending=BOOLS)),
    Row("sort values", lambda m, x, **o: m.sort(x, **o).values, one_dim(descending=BOOLS), kinks=0, special=0),
    Row("argsort", lambda m, x, **o: m.argsort(x, stable=True, **o), one_dim(descending=BOOLS), order=0),
    Row(
        "topk",
        lambda m, x, **o: m.topk(x, **o).values,
        one_dim(k=st.integers(0, 3), largest=BOOLS),
        kinks=0,
        special=0,
        dtypes="fi",
    ),
    Row(
        "logsumexp",
        function("logsumexp"),
        many_dims(keepdim=BOOLS).filter(lambda c: c.options["dim"] is not None),
        dtypes="fi",
    ),
    Row("softmax", function("softmax"), one_dim(), dtypes="f"),
    Row("log_softmax", function("log_softmax"), one_dim(), dtypes="f"),
    Row("softmax as dtype", lambda m, x, dim: m.softmax(x, dim, dtype=m.float64), one_dim()),
    Row("norm", function("norm"), many_dims(keepdim=BOOLS, p=P).filter(filled), kinks=1, special=0, dtypes="f"),
    Row("norm of all", function("norm"), each(p=P).filter(filled), kinks=1, special=0, dtypes="f"),
    Row("norm of none", function("norm"), each(p=st.sampled_from([1, 2, 3, 0.5])), order=1, special=0, dtypes="f"),
    Row(
        "vector_norm",
        lambda m, x, **o: m.linalg.vector_norm(x, **o),
        many_dims(ord=P.filter(lambda p: p != "fro")).filter(filled),
        kinks=1,
        special=0,
        dtypes="f",
    ),
    Row(
        "dist",
        function("dist"),
        shapes().map(lambda s: Case((s, s), {})),
        kinks=1,
        special=0,
        dtypes="f",
        mixed=False,
    ),
    Row(
        "cdist",
        function("cdist"),
        st.builds(
            lambda batch, n, m, d, p: Case(((*batch, n, d), (*batch, m, d)), {"p": p}),
            shapes(0, 1),
            st.integers(1, 3),
            st.integers(1, 3),
            st.integers(1, 3),
            st.sampled_from([1.0, 2.0, 3.0]),
        ),
        order=1,  # PyTorch has a second derivative for p = 2 alone, and another one at 0
        kinks=0,
        special=-1,
        dtypes="d",
        mixed=False,
    ),
    Row(
        "cov",
        function("cov"),
        shapes(1, 2, st.sampled_from([2, 3])).map(lambda s: Case((s,), {})),
        special=0,
        dtypes="d",
    ),
    Row(
        "corrcoef",
        function("corrcoef"),
        shapes(2, 2, st.sampled_from([3, 4])).map(lambda s: Case((s,), {})),
        order=1,
        kinks=-1,
        special=-1,
        dtypes="d",
        exact=30,
    ),
]
