"""Clipping of gradients and parameters as a vector, beside PyTorch's."""

import math

import numpy as np
import pytest
import torch

import minigrad
from tests.minigrad.nn.twins import close, same_error

LIBRARIES = (minigrad, torch)


def with_gradients(m, scale=1.0):
    m.manual_seed(0)
    net = m.nn.Sequential(m.nn.Linear(3, 4), m.nn.Tanh(), m.nn.Linear(4, 2), m.nn.Linear(2, 2))
    net[3].requires_grad_(False)
    (net(m.ones(2, 3)).sum() * scale).backward()
    return net


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100.0])
def test_clipping_by_norm_matches(norm_type, max_norm):
    outcomes = []
    for m in LIBRARIES:
        net = with_gradients(m)
        total = m.nn.utils.clip_grad_norm_(net.parameters(), max_norm, norm_type)
        outcomes.append([total, *(p.grad for p in net.parameters() if p.grad is not None)])
    for ours, theirs in zip(*outcomes, strict=True):
        close(ours, theirs)


def test_clipping_by_value_matches():
    outcomes = []
    for m in LIBRARIES:
        net = with_gradients(m, 5.0)
        m.nn.utils.clip_grad_value_(net.parameters(), 0.5)
        outcomes.append([p.grad for p in net.parameters() if p.grad is not None])
    for ours, theirs in zip(*outcomes, strict=True):
        close(ours, theirs)


def test_one_tensor_may_stand_for_a_list():
    x = minigrad.ones(4, requires_grad=True)
    x.sum().backward()
    assert minigrad.nn.utils.clip_grad_norm_(x, 1.0).item() == 2.0
    np.testing.assert_allclose(x.grad.numpy(), 0.5, rtol=1e-5)


def test_clipping_nothing_gives_zero():
    close(*(m.nn.utils.clip_grad_norm_([m.ones(2, requires_grad=True)], 1.0) for m in LIBRARIES))


def test_an_infinite_norm_raises_if_asked():
    def program(m):
        x = m.ones(2, requires_grad=True)
        x.grad = m.tensor([math.inf, 1.0])
        m.nn.utils.clip_grad_norm_(x, 1.0, error_if_nonfinite=True)

    same_error(program, "non-finite")


def test_parameters_become_a_vector_and_return():
    outcomes = []
    for m in LIBRARIES:
        net = with_gradients(m)
        vector = m.nn.utils.parameters_to_vector(net.parameters())
        m.nn.utils.vector_to_parameters(vector.detach() * 2, net.parameters())
        outcomes.append([vector, *net.parameters(), net(m.ones(1, 3))])
    for ours, theirs in zip(*outcomes, strict=True):
        close(ours, theirs)


def test_gradients_flow_through_the_vector():
    net = minigrad.nn.Linear(2, 1)
    (minigrad.nn.utils.parameters_to_vector(net.parameters()) ** 2).sum().backward()
    np.testing.assert_allclose(net.weight.grad.numpy(), 2 * net.weight.detach().numpy())


def test_mistakes_raise_as_in_pytorch():
    same_error(lambda m: m.nn.utils.vector_to_parameters([1.0], [m.nn.Parameter(m.ones(1))]), "expected torch.Tensor")
    same_error(lambda m: m.nn.utils.vector_to_parameters(m.ones(1), [m.nn.Parameter(m.ones(2))]), "is invalid")
