"""Initialisation: the same seed gives PyTorch's numbers."""

import numpy as np
import pytest
import torch

import minigrad
from tests.minigrad.nn.twins import same_error

LIBRARIES = (minigrad, torch)
CASES = [
    lambda init, x: init.uniform_(x),
    lambda init, x: init.uniform_(x, -2.0, 3.0),
    lambda init, x: init.normal_(x, 1.0, 0.5),
    lambda init, x: init.trunc_normal_(x, 0.1, 0.8, -1.0, 1.5),
    lambda init, x: init.trunc_normal_(x, 0.0, 1.0, 1.5, 2.0),
    lambda init, x: init.trunc_normal_(x, -1.0, 2.0, 0.5, 1.0),
    lambda init, x: init.constant_(x, 0.3),
    lambda init, x: init.ones_(x),
    lambda init, x: init.zeros_(x),
    lambda init, x: init.eye_(x),
    lambda init, x: init.xavier_uniform_(x),
    lambda init, x: init.xavier_uniform_(x, gain=init.calculate_gain("tanh")),
    lambda init, x: init.xavier_normal_(x, 2.0),
    lambda init, x: init.kaiming_uniform_(x),
    lambda init, x: init.kaiming_uniform_(x, a=5**0.5),
    lambda init, x: init.kaiming_uniform_(x, mode="fan_out", nonlinearity="relu"),
    lambda init, x: init.kaiming_normal_(x, nonlinearity="selu"),
    lambda init, x: init.kaiming_normal_(x, a=0.1, mode="fan_out"),
    lambda init, x: init.orthogonal_(x, gain=1.5),
    lambda init, x: init.sparse_(x, 0.3, 0.1),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (3, 4)])
def test_initial_values_are_those_of_pytorch(case, shape):
    found = []
    for m in LIBRARIES:
        m.manual_seed(11)
        x = m.zeros(*shape).requires_grad_()
        assert case(m.nn.init, x) is x
        assert x.requires_grad
        assert x.grad_fn is None
        found.append(x.detach().numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 4)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    x = minigrad.nn.init.orthogonal_(minigrad.zeros(*shape)).numpy().reshape(shape[0], -1)
    product = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_a_generator_of_ones_own_leaves_the_default_stream_alone():
    values = []
    for m in LIBRARIES:
        m.manual_seed(0)
        own = m.Generator().manual_seed(5)
        x = m.nn.init.kaiming_uniform_(m.zeros(3, 4), generator=own)
        values.append((x.numpy(), m.rand(2).numpy()))
    for a, b in zip(*values, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None),
        ("sigmoid", None),
        ("tanh", None),
        ("relu", None),
        ("selu", None),
        ("leaky_relu", None),
        ("leaky_relu", 0.3),
    ],
)
def test_gains_match(name, param):
    assert minigrad.nn.init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


MISTAKES = {
    "fan of a vector": (lambda m: m.nn.init.xavier_uniform_(m.zeros(3)), "fewer than 2 dimensions"),
    "mode": (lambda m: m.nn.init.kaiming_uniform_(m.zeros(3, 3), mode="fan"), "fan_in"),
    "gain": (lambda m: m.nn.init.calculate_gain("swish"), "Unsupported nonlinearity"),
    "slope": (lambda m: m.nn.init.calculate_gain("leaky_relu", "a"), "not a valid number"),
    "eye": (lambda m: m.nn.init.eye_(m.zeros(3)), "2 dimensions"),
    "orthogonal": (lambda m: m.nn.init.orthogonal_(m.zeros(3)), "2 or more dimensions"),
    "sparse": (lambda m: m.nn.init.sparse_(m.zeros(3), 0.5), "2 dimensions"),
}


@pytest.mark.parametrize("case", list(MISTAKES))
def test_mistakes_raise_as_in_pytorch(case):
    same_error(*MISTAKES[case])


def test_tensors_without_elements_stay_with_a_warning():
    with pytest.warns(UserWarning, match="no-op"):
        minigrad.nn.init.kaiming_uniform_(minigrad.zeros(0, 3))
