"""``minigrad.linalg`` beside ``torch.linalg``; products and norms with gradients, decompositions without."""

import numpy as np
import pytest
import torch

import minigrad

RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((3, 3)) + 3 * np.eye(3)
WIDE = RNG.standard_normal((3, 4))
STACK = RNG.standard_normal((2, 3, 3)) + 3 * np.eye(3)

DIFFERENTIABLE = {
    "norm": lambda la, a: la.norm(a),
    "norm along a dim": lambda la, a: la.norm(a, dim=-1),
    "norm of order 3 along a dim": lambda la, a: la.norm(a, ord=3, dim=-1),
    **{f"matrix norm {o}": lambda la, a, o=o: la.matrix_norm(a, ord=o) for o in ("fro", 1, -1, np.inf, -np.inf)},
    "norm of order 1 of a matrix": lambda la, a: la.norm(a, ord=1, dim=(-2, -1)),
    "norm that keeps dims": lambda la, a: la.matrix_norm(a, ord=1, keepdim=True),
    "power 0": lambda la, a: la.matrix_power(a, 0),
    "power 1": lambda la, a: la.matrix_power(a, 1),
    "power 5": lambda la, a: la.matrix_power(a, 5),
    "power -2": lambda la, a: la.matrix_power(a, -2),
    "multi_dot": lambda la, a: la.multi_dot([a, a, a]) if a.ndim == 2 else a,
    "slogdet": lambda la, a: la.slogdet(a).logabsdet,
}


@pytest.mark.parametrize("name", list(DIFFERENTIABLE))
@pytest.mark.parametrize("array", [SQUARE, STACK], ids=["matrix", "stack"])
def test_values_and_gradients_match(name, array):
    found = []
    for m in (minigrad, torch):
        a = m.tensor(array, requires_grad=True)
        y = DIFFERENTIABLE[name](m.linalg, a)
        (y * y).sum().backward()
        found += [y.detach().numpy(), a.grad.numpy()]
    np.testing.assert_allclose(found[0], found[2], 1e-9)
    np.testing.assert_allclose(found[1], found[3], 1e-7, 1e-9)


def test_decompositions_compose_to_the_matrix():
    a = minigrad.tensor(WIDE)
    u, s, vh = minigrad.linalg.svd(a, full_matrices=False)
    q, r = minigrad.linalg.qr(a)
    symmetric = a @ a.T
    values, vectors = minigrad.linalg.eigh(symmetric)
    lower = minigrad.linalg.cholesky(symmetric)
    for again in (u * s @ vh, q @ r):
        np.testing.assert_allclose(again.numpy(), WIDE, atol=1e-12)
    for again in (vectors * values @ vectors.T, lower @ lower.T):
        np.testing.assert_allclose(again.numpy(), symmetric.numpy(), atol=1e-12)


@pytest.mark.parametrize("name", ["svdvals", "eigvalsh", "pinv", "matrix_rank", "cholesky"])
def test_values_of_decompositions_match(name):
    array = WIDE @ WIDE.T
    ours, theirs = (getattr(m.linalg, name)(m.tensor(array)) for m in (minigrad, torch))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 1e-8)


def test_a_decomposition_refuses_an_input_that_needs_a_gradient():
    a = minigrad.tensor(SQUARE, requires_grad=True)
    with pytest.raises(NotImplementedError, match="detach"):
        minigrad.linalg.svd(a)
    with minigrad.no_grad():
        assert minigrad.linalg.svd(a).S.shape == (3,)


def test_a_matrix_that_is_not_positive_definite_raises_as_in_pytorch():
    for m in (minigrad, torch):
        with pytest.raises(RuntimeError):
            m.linalg.cholesky(-m.eye(2))


@pytest.mark.parametrize("m", [minigrad, torch])
@pytest.mark.parametrize("operation", ["inv", "cholesky"])
def test_a_matrix_that_does_not_fit_raises_an_error_of_its_own(m, operation):
    with pytest.raises(m.linalg.LinAlgError):
        getattr(m.linalg, operation)(m.zeros(2, 2))
