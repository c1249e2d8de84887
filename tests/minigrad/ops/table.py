"""Every operation of minigrad as a row: how to call it, on what, and to which order its derivatives are compared.

``call(m, *inputs, **options)`` runs on PyTorch and on minigrad alike, ``m`` being the library; where minigrad's operation
is internal to a layer above, ``torch`` says what PyTorch calls it. A new primitive needs a row here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from minigrad.ops import activation as a
from minigrad.ops import elementwise as e
from minigrad.ops import trigonometry as tr
from tests.minigrad.ops.cases import (
    Case,
    anything,
    away,
    broadcast_shapes,
    dims,
    each,
    fixed,
    many_dims,
    one_dim,
    positive,
    shapes,
    some_dims,
    together,
    unit,
)


class Row(NamedTuple):
    name: str
    call: Callable[..., Any]
    cases: st.SearchStrategy[Case]
    domain: Callable[[np.ndarray], np.ndarray] = anything
    torch: Callable[..., Any] | None = None
    order: int = 2  # of the highest derivative compared; 0 for results without a gradient
    kinks: int = 2  # the order compared at kinks and ties
    special: int = 1  # the order compared at nan, inf and saturation; -1 for not at all
    dtypes: str = "fib"  # floats, integers, bools (d: floats but half precision): what the type test tries
    mixed: bool = True  # whether it mixes types
    exact: float = 1.0  # factor on the tolerances
    title: bool = True  # whether grad_fn has PyTorch's name


BOOLS = st.booleans()
MORE_OFTEN_NONE = st.sampled_from([None, None, 0, 1, 2])


def method(name: str) -> Callable[..., Any]:
    return lambda m, x, *args, **options: getattr(x, name)(*args, **options)


def function(name: str) -> Callable[..., Any]:
    return lambda m, *args, **options: getattr(m, name)(*args, **options)


def unary(name: str, domain: Any = anything, **more: Any) -> Row:
    return Row(name, function(name), each(), domain, **more)


def binary(name: str, domain: Any = anything, **more: Any) -> Row:
    return Row(name, function(name), together(), domain, **more)


def first_widest(case: Case) -> Case:
    """The first input in the shape that all broadcast to, without which PyTorch's gradient of clamp fails."""
    return Case((np.broadcast_shapes(*case.shapes), *case.shapes[1:]), case.options)


ELEMENTWISE = [
    *[unary(n) for n in ("abs", "neg", "square", "exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "erf")],
    unary("sinc", kinks=1),  # the second derivative at 0 is -pi^2/3, which neither library has
    *[unary(n) for n in ("sigmoid", "relu", "sign", "floor", "ceil", "trunc", "round")],
    *[unary(n, positive) for n in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt")],
    unary("tan", unit),
    unary("asin", unit),
    unary("acos", unit),
    unary("atan"),
    unary("reciprocal", away),
    *[unary(n, order=0) for n in ("isnan", "isinf", "isfinite", "logical_not")],
    unary("bitwise_not", order=0, dtypes="ib"),
    Row("round to decimals", function("round"), each(decimals=st.integers(0, 2)), dtypes="f", title=False),
    Row("clone", method("clone"), each()),
    *[binary(n) for n in ("add", "sub", "mul", "maximum", "minimum", "fmax", "logaddexp")],
    binary("copysign", kinks=1, special=0),
    binary("div", away),
    binary("floor_divide", away, order=0),
    binary("remainder", away, title=False),
    binary("pow", positive, kinks=1, special=-1),  # NumPy's own powers of -inf differ with the exponent's shape
    binary("xlogy", positive, kinks=1),
    binary("atan2", away),
    binary("hypot", away),
    *[binary(n, order=0) for n in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor")],
    *[binary(n, order=0, dtypes="ib") for n in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    *[Row(n, method(n), together()) for n in ("__add__", "__sub__", "__mul__")],
    Row("operators", lambda m, x, y: -x * y - y / (x * x + 1) + abs(y) + 2 * x - (3 - y), together(), special=0),
    Row("add with alpha", function("add"), together(alpha=st.sampled_from([1, 2, -1])), dtypes="fi"),
    Row("sub with alpha", function("sub"), together(alpha=st.sampled_from([1, 2, -1])), dtypes="fi"),
    Row(
        "div with rounding_mode",
        function("div"),
        together(rounding_mode=st.sampled_from(["floor", "trunc", None])),
        away,
        title=False,
    ),
    Row(
        "pow by a number",
        lambda m, x, exponent: x**exponent,
        each(exponent=st.sampled_from([0, 1, 2, 3, -1, 0.5, -0.5, 2.5, 2.0, 1.5])),
        positive,
        special=0,  # PyTorch's slope at -0.0 is that of 1 / sqrt
    ),
    Row("number to a power", lambda m, x, base: base**x, each(base=st.sampled_from([1, 2, 0.5, 3.0])), title=False),
    Row("0 to a power", lambda m, x: 0**x, each(), order=1, title=False),
    Row("number / x", lambda m, x, top: top / x, each(top=st.sampled_from([1, 2.5])), away, title=False),
    Row("number - x", lambda m, x, top: top - x, each(top=st.sampled_from([1, 2.5])), title=False),
    Row("x / number", lambda m, x, low: x / low, each(low=st.sampled_from([1, 2.5, -3])), title=True),
    Row("x % number", lambda m, x, low: x % low, each(low=st.sampled_from([2, 2.5, -3])), title=False),
    Row("x // number", lambda m, x, low: x // low, each(low=st.sampled_from([2, 2.5, -3])), order=0),
    Row(
        "clamp by numbers",
        function("clamp"),
        each(min=st.sampled_from([None, -1, 0.0, -0.5]), max=st.sampled_from([None, 1, 0.5, -0.7])),
    ),
    Row("clamp by tensors", lambda m, x, low, high: m.clamp(x, low, high), together(3).map(first_widest), title=False),
    Row("clamp from below", lambda m, x, low: m.clamp(x, min=low), together(2).map(first_widest), title=False),
    Row("clamp from above", lambda m, x, high: m.clamp(x, max=high), together(2).map(first_widest), title=False),
    Row("where", lambda m, x, y: m.where(x > y, x, y), together()),
    Row("where with a number", lambda m, x: m.where(x > 0, x, 0.0), each(), title=False),
    Row("where with unused branch", lambda m, x: m.where(x > 0, m.sqrt(x), 0.0), each(), title=False, dtypes="f"),
    Row("lerp", function("lerp"), together(3), dtypes="f", mixed=False, title=False),
    Row("lerp by a number", lambda m, x, y, w: m.lerp(x, y, w), together(2, w=st.sampled_from([0.3, 0.7])), dtypes="f"),
    Row("masked_fill", lambda m, x, value: x.masked_fill(x > 0, value), each(value=st.sampled_from([0.0, 2.5, 1.0]))),
    Row(
        "masked_fill by a tensor",
        lambda m, x, value: x.masked_fill(x > 0, value),
        shapes().map(lambda shape: Case((shape, ()), {})),
        dtypes="f",
        title=False,
    ),
]


def layer(name: str, call: Any, torch: Any, kinks: int = 2, **options: Any) -> Row:
    return Row(
        name,
        lambda m, x, **o: call(x, **o),
        each(**options),
        torch=lambda m, x, **o: torch(x, **o),
        kinks=kinks,
        dtypes="f",
    )


ACTIVATIONS = [
    layer(
        "leaky_relu",
        lambda x, slope: a.leaky_relu(x, slope),
        lambda x, slope: F.leaky_relu(x, slope),
        slope=st.sampled_from([0.01, 0.1]),
    ),
    layer(
        "elu",
        lambda x, alpha: a.elu(x, alpha),
        lambda x, alpha: F.elu(x, alpha),
        alpha=st.sampled_from([1.0, 0.5]),
    ),
    layer("selu", a.selu, F.selu),
    layer("silu", a.silu, F.silu),
    layer(
        "softplus",
        lambda x, beta, threshold: a.softplus(x, beta, threshold),
        lambda x, beta, threshold: F.softplus(x, beta, threshold),
        kinks=1,  # at the threshold
        beta=st.sampled_from([1.0, 2.0]),
        threshold=st.sampled_from([20.0, 1.0]),
    ),
    layer("logsigmoid", a.logsigmoid, F.logsigmoid),
    layer(
        "gelu",
        lambda x, approximate: a.gelu(x, approximate),
        lambda x, approximate: F.gelu(x, approximate=approximate),
        approximate=st.sampled_from(["none", "tanh"]),
    ),
    # PyTorch's gradient at nan depends on the shape: its vector and its scalar code differ
    layer("hardtanh", lambda x: a.hardtanh(x, -1.0, 1.0), F.hardtanh)._replace(special=0),
    layer("relu6", lambda x: a.hardtanh(x, 0.0, 6.0), F.relu6)._replace(special=0),
]

P = st.sampled_from([2, 1, 3, 0, math.inf, -math.inf, 0.5, 1.5, "fro"])

NUMPYS = [  # what NumPy has, and PyTorch under other names
    layer("asinh", tr.asinh, torch.asinh),
    layer("acosh", lambda x: tr.acosh(abs(x) + 1.5), lambda x: torch.acosh(abs(x) + 1.5)),
    layer("atanh", tr.atanh, torch.atanh)._replace(domain=unit, kinks=1),
    layer("cbrt", lambda x: e.cbrt(abs(x) + 1), lambda x: (abs(x) + 1) ** (1 / 3))._replace(title=False),
]


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
    Row("prod of all", function("prod"), each(), special=0),
    *[Row(f"{n} of all", function(n), each().filter(several)) for n in ("var", "std")],
    *[Row(n, function(n), many_dims(keepdim=BOOLS), title=False) for n in ("sum", "mean")],
    *[Row(f"{n} of few", function(n), spread((0, 1)), order=1, dtypes="f", special=0) for n in ("var", "std")],
    *[Row(n, function(n), spread().filter(enough), dtypes="f") for n in ("var", "std")],
    Row("var unbiased", lambda m, x, unbiased: x.var(unbiased), each(unbiased=BOOLS).filter(several), dtypes="f"),
    Row(
        "var along dim unbiased",
        lambda m, x, dim, unbiased: x.var(dim, unbiased),
        one_dim(1, unbiased=BOOLS).filter(lambda c: c.shapes[0][c.options["dim"]] > 1),
        dtypes="f",
    ),
    Row("sum as dtype", lambda m, x, dim: x.sum(dim, dtype=m.float64), one_dim()),
    Row("prod", function("prod"), one_dim(keepdim=BOOLS), special=0, title=False),
    Row("cumsum", function("cumsum"), one_dim()),
    Row("cumprod", function("cumprod"), one_dim(), special=0),
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
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(f"{n} of all", function(n), each(), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0) for n in ("all", "any")],
    *[Row(f"{n} of all", function(n), each(), order=0) for n in ("all", "any")],
    Row("count_nonzero", function("count_nonzero"), many_dims(), order=0),
    Row("sort", lambda m, x, **o: m.sort(x, stable=True, **o), one_dim(descending=BOOLS), title=False),
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
]


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
    Row("reshape", lambda m, x, shape: x.reshape(shape), regrouped(), title=False),
    Row("view", lambda m, x, shape: (x * 1).view(shape), regrouped()),
    Row(
        "flatten",
        lambda m, x, a, b: x.flatten(
            min(a % max(x.ndim, 1), b % max(x.ndim, 1)), max(a % max(x.ndim, 1), b % max(x.ndim, 1))
        ),
        two_dims(),
        title=False,
    ),
    Row("unflatten", lambda m, x: x.unflatten(1, (2, -1)), fixed((2, 4))),
    Row("permute", lambda m, x, dims: x.permute(dims), permuted()),
    Row("transpose", lambda m, x, a, b: x.transpose(a, b), two_dims()),
    Row("t", lambda m, x: m.t(x), shapes(0, 2).map(lambda s: Case((s,), {}))),
    Row("T", lambda m, x: x.T, shapes(2, 2).map(lambda s: Case((s,), {})), title=False),
    Row("mT", lambda m, x: x.mT, shapes(2).map(lambda s: Case((s,), {}))),
    Row("movedim", lambda m, x, a, b: m.movedim(x, a, b), two_dims()),
    Row(
        "unsqueeze",
        lambda m, x, dim: x.unsqueeze(dim),
        shapes().flatmap(lambda s: st.integers(-len(s) - 1, len(s)).map(lambda d: Case((s,), {"dim": d}))),
    ),
    Row("squeeze", function("squeeze"), each(), title=False),
    Row("squeeze dim", lambda m, x, dim: m.squeeze(x, dim), one_dim()),
    Row(
        "squeeze dims",
        lambda m, x, dims: m.squeeze(x, dims),
        shapes().flatmap(lambda s: some_dims(len(s)).map(lambda d: Case((s,), {"dims": d}))),
        title=False,
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
    Row("roll of all", lambda m, x, shifts: m.roll(x, shifts), each(shifts=st.integers(-3, 4)), title=False),
    Row("cat", lambda m, *xs, dim: m.cat(xs, dim), joined(False)),
    Row("stack", lambda m, *xs, dim: m.stack(xs, dim), joined(True)),
    Row("split", lambda m, x, sizes, dim: m.split(x, sizes, dim), pieces(), title=False),
    Row("chunk", lambda m, x, dim, chunks: m.chunk(x, chunks, dim), one_dim(1, chunks=st.integers(1, 4)), title=False),
    Row("narrow", lambda m, x, dim, start, length: x.narrow(dim, start, length), a_stretch()),
]

# Indices


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
def gathered(draw: Any, with_src: bool = False) -> Case:
    """An index of the input's number of dimensions, no larger than the input but along ``dim``."""
    shape = draw(shapes(1, 3, st.sampled_from([2, 3, 1])))
    dim = draw(dims(len(shape)))
    small = [draw(st.integers(0, n)) for n in shape]
    small[dim] = draw(st.integers(0, 4))
    index = draw(_at(tuple(small), shape[dim]))
    options = {"dim": dim, "index": index}
    if not with_src:
        return Case((shape,), options)
    return Case((shape, tuple(n + draw(st.integers(0, 1)) for n in small)), options)


def scattered() -> st.SearchStrategy[Case]:
    cases = gathered(True).filter(lambda c: c.options["index"].size > 0)
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
def rows_of(draw: Any, with_source: bool = False) -> Case:
    shape = draw(shapes(1, 3, st.sampled_from([2, 3, 1])))
    dim = draw(dims(len(shape)))
    index = draw(_at((draw(st.integers(0, 4)),), shape[dim]))
    options: dict[str, Any] = {"dim": dim, "index": index}
    if not with_source:
        return Case((shape,), options)
    source = list(shape)
    source[dim] = len(index)
    return Case((shape, tuple(source)), {**options, "alpha": draw(st.sampled_from([1, 2, -1]))})


MATRIX = shapes(2, 3)

INDICES = [
    Row("getitem", lambda m, x, index: x[index], an_index(), title=False),
    Row("getitem by a mask", lambda m, x: x[x > 0], each(), title=False),
    Row("select", lambda m, x, dim: x.select(dim, x.shape[dim] - 1), one_dim(1)),
    Row("unbind", lambda m, x, dim: m.unbind(x, dim), one_dim(1)),
    Row("iteration", lambda m, x: list(x), shapes(1).map(lambda s: Case((s,), {}))),
    Row("gather", lambda m, x, dim, index: m.gather(x, dim, index), gathered()),
    Row("take_along_dim", lambda m, x, dim, index: m.take_along_dim(x, index, dim), along()),
    Row("take_along_dim of all", lambda m, x: m.take_along_dim(x + 0, m.tensor([0, 2])), fixed((3,)), title=False),
    Row("scatter_add", lambda m, x, src, dim, index: m.scatter_add(x, dim, index, src), scattered(), dtypes="f"),
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
    Row("masked_select", lambda m, x: m.masked_select(x, x > 0), each()),
    *[
        Row(n, function(n), MATRIX.flatmap(lambda s: st.integers(-3, 3).map(lambda k: Case((s,), {"diagonal": k}))))
        for n in ("triu", "tril")
    ],
    Row(
        "diag",
        function("diag"),
        shapes(1, 2).flatmap(lambda s: st.integers(-1, 1).map(lambda k: Case((s,), {"diagonal": k}))),
        title=False,
    ),
    Row("diagonal", lambda m, x: m.diagonal(x), MATRIX.map(lambda s: Case((s,), {}))),
    Row("diagonal of other dims", lambda m, x: m.diagonal(x, 1, -1, 0), MATRIX.map(lambda s: Case((s,), {}))),
    Row("trace", function("trace"), shapes(2, 2).map(lambda s: Case((s,), {}))),
]

# Products


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
    Row("matmul", function("matmul"), products(), special=0, title=False, dtypes="fi", mixed=False),
    Row("@", lambda m, x, y: x @ y, products(), special=0, title=False, dtypes="f", mixed=False),
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
    Row("outer", function("outer"), THREE.map(lambda n: Case(((n[0],), (n[1],)), {})), special=0, title=False),
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
        title=False,
    ),
    *[
        Row(f"einsum {q}", lambda m, *xs, q=q: m.einsum(q, *xs), fixed(*found), special=0, title=False, dtypes="f")
        for q, found in {"ii->i": ((3, 3),), "ii,i->i": ((2, 2), (2,)), "iji->j": ((2, 3, 2),)}.items()
    ],
    Row(
        "einsum",
        lambda m, *xs, equation: m.einsum(equation, *xs),
        equations(),
        special=0,
        title=False,
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

CONVERSIONS = [
    Row("to float64", lambda m, x: x.to(m.float64), each(), title=False),
    Row("to float32", lambda m, x: x.float(), each(), title=False),
    Row("to float16", lambda m, x: x.half(), each(), special=-1, title=False, exact=1e4),
    Row("to int64", lambda m, x: (x * 1).to(m.int64), each(), order=0, special=-1),
    Row("to bool", lambda m, x: x.bool(), each(), order=0),
]

# PyTorch's gradient of elu at nan depends on the shape, as that of hardtanh
ACTIVATIONS = [row._replace(special=0) if row.name in ("elu", "selu") else row for row in ACTIVATIONS]
PRODUCTS = [row._replace(mixed=False) for row in PRODUCTS]
ROWS = [*ELEMENTWISE, *ACTIVATIONS, *NUMPYS, *REDUCTIONS, *SHAPES, *INDICES, *PRODUCTS, *CONVERSIONS]
