"""Rows of the products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, broadcast_shapes, fixed, shapes
from tests.minigrad.ops.row import Row, function


@st.composite
def products(draw: Any) -> Case:
    """Two operands of ``matmul``, of any dimensions."""
    n, m, p = draw(SIZE), draw(SIZE), draw(SIZE)
    batch = draw(broadcast_shapes(2))
    left, right = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 3), (3, 1), (2, 3), (3, 2)]))
    a = {1: (m,), 2: (n, m), 3: (*batch[0], n, m)}[left]
    b = {1: (m,), 2: (m, p), 3: (*batch[1], m, p)}[right]
    return Case((a, b), {})


SIZE = st.sampled_from([2, 3, 1, 2, 4, 0])
THREE = st.tuples(SIZE, SIZE, SIZE)
EQUATIONS = st.sampled_from(
    [
        ("ij,jk->ik", "ij", "jk"),
        ("ij,jk", "ij", "jk"),
        ("ij->ji", "ij"),
        ("ij->", "ij"),
        ("ij->i", "ij"),
        ("ii->i", "ii"),
        ("ii", "ii"),
        ("ii,i->i", "ii", "i"),
        ("i,j->ij", "i", "j"),
        ("bij,bjk->bik", "bij", "bjk"),
        ("bij,bjk,bk->i", "bij", "bjk", "bk"),
        ("ij,ij->", "ij", "ij"),
        ("ij,kj->ik", "ij", "kj"),
        ("...ij,jk->...ik", "abij", "jk"),
        ("i...,i...->...", "iab", "iab"),
        ("ijk,j->k", "ijk", "j"),
        ("ba", "ba"),
        (" i j , j -> i ", "ij", "j"),
    ]
)


@st.composite
def equations(draw: Any) -> Case:
    equation, *terms = draw(EQUATIONS)
    sizes = {c: draw(st.sampled_from([2, 3, 1])) for c in "".join(terms)}
    return Case(tuple(tuple(sizes[c] for c in t) for t in terms), {"equation": equation})


def regular(x: np.ndarray) -> np.ndarray:
    """Square matrices far from singular."""
    return x * 0.3 + 2 * np.eye(*x.shape[-2:]) if x.ndim > 1 else x


SQUARE = st.tuples(shapes(0, 1, st.sampled_from([1, 2])), st.sampled_from([1, 2, 3])).map(
    lambda found: Case(((*found[0], found[1], found[1]),), {})
)

PRODUCTS = [
    Row("matmul", function("matmul"), products(), special=0, dtypes="fi", mixed=False),
    Row("@", lambda m, x, y: x @ y, products(), special=0, dtypes="f", mixed=False),
    Row(
        "mm",
        function("mm"),
        THREE.map(lambda n: Case(((n[0], n[1]), (n[1], n[2])), {})),
        special=0,
        dtypes="fi",
        mixed=False,
    ),
    Row(
        "mv",
        function("mv"),
        THREE.map(lambda n: Case(((n[0], n[1]), (n[1],)), {})),
        special=0,
        dtypes="fi",
        mixed=False,
    ),
    Row("dot", function("dot"), SIZE.map(lambda n: Case(((n,), (n,)), {})), special=0, dtypes="fi", mixed=False),
    Row(
        "bmm",
        function("bmm"),
        THREE.map(lambda n: Case(((2, n[0], n[1]), (2, n[1], n[2])), {})),
        special=0,
        dtypes="fi",
    ),
    Row(
        "inner",
        function("inner"),
        THREE.flatmap(
            lambda n: st.sampled_from([((n[0], n[1]), (n[2], n[1])), ((n[1],), (n[0], n[1])), ((), (n[0],))])
        ).map(lambda s: Case(s, {})),
        special=0,
        dtypes="f",
    ),
    Row(
        "tensordot",
        lambda m, x, y, dims: m.tensordot(x, y, dims),
        st.sampled_from(
            [
                Case(((2, 3), (3, 4)), {"dims": 1}),
                Case(((2, 3, 4), (3, 4, 2)), {"dims": 2}),
                Case(((2, 3), (2, 3)), {"dims": 0}),
                Case(((2, 3, 4), (4, 2)), {"dims": ([2, 0], [0, 1])}),
            ]
        ),
        special=0,
        dtypes="f",
    ),
    Row(
        "addmv",
        function("addmv"),
        st.builds(
            lambda n, beta, alpha: Case(((n[0],), (n[0], n[1]), (n[1],)), {"beta": beta, "alpha": alpha}),
            THREE,
            st.sampled_from([1, 2]),
            st.sampled_from([1, -0.5]),
        ),
        special=0,
        dtypes="f",
    ),
    Row(
        "baddbmm",
        function("baddbmm"),
        THREE.map(lambda n: Case(((2, n[0], n[2]), (2, n[0], n[1]), (2, n[1], n[2])), {"beta": 2, "alpha": 0.5})),
        special=0,
        dtypes="f",
    ),
    Row("vdot", function("vdot"), SIZE.map(lambda n: Case(((n,), (n,)), {})), special=0, dtypes="f"),
    Row("outer", function("outer"), THREE.map(lambda n: Case(((n[0],), (n[1],)), {})), special=0),
    Row(
        "addmm",
        function("addmm"),
        st.builds(
            lambda n, bias, beta, alpha: Case(
                ({0: (n[2],), 1: (n[0], n[2]), 2: (1, n[2])}[bias], (n[0], n[1]), (n[1], n[2])),
                {"beta": beta, "alpha": alpha},
            ),
            THREE,
            st.integers(0, 2),
            st.sampled_from([1, 2, 0.5]),
            st.sampled_from([1, 2, -0.5]),
        ),
        special=0,
        dtypes="f",
        mixed=False,
    ),
    *[
        Row(f"einsum {q}", lambda m, *xs, q=q: m.einsum(q, *xs), fixed(*found), special=0, dtypes="f")
        for q, found in {"ii->i": ((3, 3),), "ii,i->i": ((2, 2), (2,)), "iji->j": ((2, 3, 2),)}.items()
    ],
    Row(
        "einsum",
        lambda m, *xs, equation: m.einsum(equation, *xs),
        equations(),
        special=0,
        dtypes="f",
        mixed=False,
    ),
    *[
        Row(
            n,
            lambda m, x, n=n: getattr(m.linalg, n)(x),
            SQUARE,
            regular,
            kinks=0,
            special=-1,
            exact=30,
            dtypes="d",
            mixed=False,
        )
        for n in ("inv", "det")
    ],
    Row(
        "logabsdet",
        lambda m, x: m.linalg.logabsdet(x),
        SQUARE,
        regular,
        torch=lambda m, x: m.linalg.slogdet(x)[1],
        kinks=0,
        special=-1,
        exact=30,
        dtypes="d",
        mixed=False,
    ),
    Row(
        "solve",
        lambda m, x, y: m.linalg.solve(x, y),
        st.sampled_from([Case(((3, 3), (3,)), {}), Case(((2, 2), (2, 3)), {}), Case(((2, 3, 3), (2, 3, 1)), {})]),
        regular,
        kinks=0,
        special=-1,
        exact=30,
        dtypes="d",
        mixed=False,
    ),
]

PRODUCTS = [row._replace(mixed=False) for row in PRODUCTS]
