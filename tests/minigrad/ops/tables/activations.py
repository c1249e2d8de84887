"""Rows of the activation functions."""

from __future__ import annotations

from hypothesis import strategies as st
from torch.nn import functional as F

from minigrad.ops import activation as a
from tests.minigrad.ops.cases import Case, shapes
from tests.minigrad.ops.row import BOOLS, Row, layer

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
    )._replace(special=0),  # PyTorch's gradient at nan depends on the shape: its vector and its scalar code differ
    layer("selu", a.selu, F.selu)._replace(special=0),
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
    layer("hardtanh", lambda x: a.hardtanh(x, -1.0, 1.0), F.hardtanh)._replace(special=0),
    layer("relu6", lambda x: a.hardtanh(x, 0.0, 6.0), F.relu6)._replace(special=0),
    layer(
        "celu",
        lambda x, alpha: a.celu(x, alpha),
        lambda x, alpha: F.celu(x, alpha),
        alpha=st.sampled_from([1.0, 0.5]),
    )._replace(special=0),
    layer("mish", a.mish, F.mish)._replace(special=0),
    layer("hardsigmoid", a.hardsigmoid, F.hardsigmoid)._replace(
        special=0, order=1, exact=100
    ),  # PyTorch divides by a float32 6
    layer("hardswish", a.hardswish, F.hardswish, kinks=1)._replace(special=0),
    layer("hardshrink", lambda x: a.hardshrink(x, 0.5), F.hardshrink)._replace(special=0),
    layer("softshrink", lambda x: a.softshrink(x, 0.5), F.softshrink)._replace(special=0),
    layer("threshold", lambda x: a.threshold(x, 0.1, 20.0), lambda x: F.threshold(x, 0.1, 20.0))._replace(special=0),
    Row(
        "prelu",
        lambda m, x, weight: m.nn.functional.prelu(x, weight),
        st.builds(
            lambda n, c, rest, one: Case(((n, c, *rest), (1,) if one else (c,)), {}),
            st.sampled_from([1, 3]),
            st.sampled_from([1, 2]),
            shapes(0, 1, st.sampled_from([2])),
            BOOLS,
        ),
        kinks=1,
        special=0,
        dtypes="d",
        mixed=False,
    ),
]
