"""Rows of the operations on each element."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from minigrad.ops import elementwise as e
from minigrad.ops import trigonometry as tr
from tests.minigrad.ops.cases import Case, away, each, positive, shapes, together, unit
from tests.minigrad.ops.row import Row, binary, function, layer, method, unary


def first_widest(case: Case) -> Case:
    """The first input in the shape that all broadcast to, without which PyTorch's gradient of clamp fails."""
    return Case((np.broadcast_shapes(*case.shapes), *case.shapes[1:]), case.options)


ELEMENTWISE = [
    *[
        unary(n)
        for n in ("abs", "neg", "square", "exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "erf", "exp2", "asinh")
    ],
    *[unary(n) for n in ("deg2rad", "rad2deg", "nan_to_num", "erfc")],
    unary("logit", lambda x: 1 / (1 + np.exp(-x)), special=0),
    unary("frac", dtypes="f"),
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
    Row("round to decimals", function("round"), each(decimals=st.integers(0, 2)), dtypes="f"),
    Row("clone", method("clone"), each()),
    Row(
        "contiguous",
        lambda m, x: x.mT.contiguous() if x.ndim > 1 else x.clone(memory_format=m.contiguous_format),
        each(),
    ),
    *[binary(n) for n in ("add", "sub", "mul", "maximum", "minimum", "fmax", "fmin", "logaddexp")],
    binary("copysign", kinks=1, special=0),
    binary("div", away),
    binary("floor_divide", away, order=0),
    binary("remainder", away),
    binary("fmod", away),
    binary("pow", positive, kinks=1, special=-1),  # NumPy's own powers of -inf differ with the exponent's shape
    binary("xlogy", positive, kinks=1),
    binary("atan2", away),
    binary("hypot", away),
    *[binary(n, order=0) for n in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor")],
    *[binary(n, order=0, dtypes="ib") for n in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    binary("rsub"),
    *[Row(n, method(n), together()) for n in ("__add__", "__sub__", "__mul__")],
    Row("operators", lambda m, x, y: -x * y - y / (x * x + 1) + abs(y) + 2 * x - (3 - y), together(), special=0),
    Row("add with alpha", function("add"), together(alpha=st.sampled_from([1, 2, -1])), dtypes="fi"),
    Row("sub with alpha", function("sub"), together(alpha=st.sampled_from([1, 2, -1])), dtypes="fi"),
    Row(
        "div with rounding_mode",
        function("div"),
        together(rounding_mode=st.sampled_from(["floor", "trunc"])),
        away,
    ),
    Row(
        "pow by a number",
        lambda m, x, exponent: x**exponent,
        each(exponent=st.sampled_from([0, 1, 2, 3, -1, 0.5, -0.5, 2.5, 2.0, 1.5])),
        positive,
        special=0,  # PyTorch's slope at -0.0 is that of 1 / sqrt
    ),
    Row("number to a power", lambda m, x, base: base**x, each(base=st.sampled_from([1, 2, 0.5, 3.0]))),
    Row("0 to a power", lambda m, x: 0**x, each(), order=1),
    Row("number / x", lambda m, x, top: top / x, each(top=st.sampled_from([1, 2.5])), away),
    Row("number - x", lambda m, x, top: top - x, each(top=st.sampled_from([1, 2.5]))),
    Row("x / number", lambda m, x, low: x / low, each(low=st.sampled_from([1, 2.5, -3]))),
    Row("x % number", lambda m, x, low: x % low, each(low=st.sampled_from([2, 2.5, -3]))),
    Row("fmod by a number", lambda m, x, low: m.fmod(x, low), each(low=st.sampled_from([2, 2.5, -3]))),
    Row("x // number", lambda m, x, low: x // low, each(low=st.sampled_from([2, 2.5, -3])), order=0),
    Row(
        "clamp by numbers",
        function("clamp"),
        each(min=st.sampled_from([None, -1, 0.0, -0.5]), max=st.sampled_from([None, 1, 0.5, -0.7])),
    ),
    Row("clamp by tensors", lambda m, x, low, high: m.clamp(x, low, high), together(3).map(first_widest)),
    Row("clamp from below", lambda m, x, low: m.clamp(x, min=low), together(2).map(first_widest)),
    Row("clamp from above", lambda m, x, high: m.clamp(x, max=high), together(2).map(first_widest)),
    *[
        Row(
            n,
            function(n),
            st.builds(lambda s, b, n=n: Case((s,), {n[6:]: b}), shapes(), st.sampled_from([0.0, -1, 1.0])),
        )
        for n in ("clamp_min", "clamp_max")
    ],
    Row(
        "nan_to_num of other numbers",
        function("nan_to_num"),
        each(
            nan=st.sampled_from([None, 1.5]), posinf=st.sampled_from([None, 7.0]), neginf=st.sampled_from([None, -7.0])
        ),
    ),
    Row("where", lambda m, x, y: m.where(x > y, x, y), together()),
    Row("where with a number", lambda m, x: m.where(x > 0, x, 0.0), each()),
    Row("where with unused branch", lambda m, x: m.where(x > 0, m.sqrt(x), 0.0), each(), dtypes="f"),
    Row("lerp", function("lerp"), together(3), dtypes="f", mixed=False),
    Row("lerp by a number", lambda m, x, y, w: m.lerp(x, y, w), together(2, w=st.sampled_from([0.3, 0.7])), dtypes="f"),
    *[
        Row(
            n,
            function(n),
            together(3, value=st.sampled_from([1, 2, -0.5])),
            away,
            kinks=1,
            special=0,
            dtypes="f",
            mixed=False,
        )
        for n in ("addcmul", "addcdiv")
    ],
    Row("masked_fill", lambda m, x, value: x.masked_fill(x > 0, value), each(value=st.sampled_from([0.0, 2.5, 1.0]))),
    Row(
        "masked_fill by a tensor",
        lambda m, x, value: x.masked_fill(x > 0, value),
        shapes().map(lambda shape: Case((shape, ()), {})),
        dtypes="f",
    ),
]


NUMPYS = [  # what NumPy has, and PyTorch under other names
    layer("acosh", lambda x: tr.acosh(abs(x) + 1.5), lambda x: torch.acosh(abs(x) + 1.5)),
    layer("atanh", tr.atanh, torch.atanh)._replace(domain=unit, kinks=1),
    layer("cbrt", lambda x: e.cbrt(abs(x) + 1), lambda x: (abs(x) + 1) ** (1 / 3)),
]


CONVERSIONS = [
    Row("to float64", lambda m, x: x.to(m.float64), each()),
    Row("to float32", lambda m, x: x.float(), each()),
    Row("to float16", lambda m, x: x.half(), each(), special=-1, exact=1e4),
    Row("to int64", lambda m, x: (x * 1).to(m.int64), each(), order=0, special=-1),
    Row("to bool", lambda m, x: x.bool(), each(), order=0),
]
