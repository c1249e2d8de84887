"""The solutions beside PyTorch: those on tensors run unchanged with torch in minigrad's place; the rules agree with its own."""

import sys
import types
from unittest import mock

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from minigrad.autograd.checking.problem import caller
from minigrad.exercises.exercise import load
from minigrad.exercises.judge import namespace

SOLUTIONS = {e.name: e.solution for e in load()}
IN_ITS_PLACE = {"minigrad": torch, "minigrad.nn": torch.nn, "minigrad.nn.functional": F}


def solution(name, on_torch=False):
    """The names that a solution defines, with minigrad or with torch in its place."""
    with mock.patch.dict(sys.modules, IN_ITS_PLACE if on_torch else {}):
        return types.SimpleNamespace(**namespace(SOLUTIONS[name], f"<{name}, {'torch' if on_torch else 'minigrad'}>"))


def arrays(*shapes):
    rng = np.random.default_rng(3)
    return [rng.uniform(0.05, 0.95, shape) for shape in shapes]


def elbo(names, x, mu, logvar, eps, W):
    return names.negative_elbo(x, mu, logvar, eps, W)


def contractive_penalty(names, x, W, b):
    return names.penalty(x, W, b)


def double_backward(names, x, W):
    return names.gradient_penalty(lambda x: names.torch.tanh(x @ W).sum(1), x)


def checkpointing(names, x, W):
    def block(x):
        x = names.torch.tanh(x @ W)
        return x * (names.torch.rand(*x.shape) < 0.5)

    names.torch.manual_seed(5)
    return (names.checkpoint(block, names.checkpoint(block, x * 2)) ** 2).sum()


ON_TENSORS = {
    "elbo": (elbo, [(4, 6), (4, 3), (4, 3), (4, 3), (3, 6)], [1, 2, 4]),
    "contractive_penalty": (contractive_penalty, [(4, 6), (3, 6), (3,)], [1, 2]),
    "double_backward": (double_backward, [(4, 6), (6, 3)], [1]),
    "checkpointing": (checkpointing, [(4, 6), (6, 6)], [0, 1]),
}


def test_every_solution_on_tensors_is_tried():
    assert set(ON_TENSORS) == {name for name, text in SOLUTIONS.items() if "import minigrad" in text}


@pytest.mark.parametrize("name", ON_TENSORS)
def test_solution_runs_unchanged_on_torch_with_the_same_numbers(name):
    program, shapes, wrt = ON_TENSORS[name]
    found = []
    for names in (solution(name), solution(name, on_torch=True)):
        xs = [names.torch.tensor(a, requires_grad=i in wrt) for i, a in enumerate(arrays(*shapes))]
        y = program(names, *xs)
        y.backward()
        found.append([y.detach().numpy(), *(xs[i].grad.numpy() for i in wrt)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


INDEX = np.array([0, 2, 2, 1, 0])
TARGETS = np.array([0, 2, 1, 2])

RULES = [  # exercise, rule, the same function on torch, its inputs, which of them have gradients
    ("chain_rule", "sin_of_square_vjp", lambda x: torch.sin(x**2), arrays((4,)), [0]),
    ("add_mul", "add_vjp", lambda a, b: a + b, arrays((4,), (4,)), [0, 1]),
    ("add_mul", "mul_vjp", lambda a, b: a * b, arrays((4,), (4,)), [0, 1]),
    ("sub_div_pow", "sub_vjp", lambda a, b: a - b, arrays((4,), (4,)), [0, 1]),
    ("sub_div_pow", "div_vjp", lambda a, b: a / b, arrays((4,), (4,)), [0, 1]),
    ("sub_div_pow", "power_vjp", lambda a, n: a**n, [*arrays((4,)), 2.5], [0]),
    ("accumulate", "backward", lambda x: x * x + x, arrays((4,)), [0]),
    ("exp_log_tanh", "exp_vjp", lambda x: torch.exp(x), arrays((4,)), [0]),
    ("exp_log_tanh", "log_vjp", lambda x: torch.log(x), arrays((4,)), [0]),
    ("exp_log_tanh", "tanh_vjp", lambda x: torch.tanh(x), arrays((4,)), [0]),
    ("sigmoid", "sigmoid_vjp", lambda x: torch.sigmoid(x), arrays((4,)), [0]),
    ("relu", "relu_vjp", lambda x: torch.relu(x), [np.array([-1.0, 0.0, 2.0])], [0]),
    ("relu", "leaky_relu_vjp", lambda x, s: F.leaky_relu(x, s), [np.array([-1.0, 0.0, 2.0]), 0.2], [0]),
    ("sum_mean", "sum_vjp", lambda x, axis: x.sum(axis), [*arrays((4, 3)), 1], [0]),
    ("sum_mean", "mean_vjp", lambda x, axis: x.mean(axis), [*arrays((4, 3)), 0], [0]),
    ("max", "max_vjp", lambda x, axis: x.amax(axis), [np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]]), 1], [0]),
    ("indexing", "gather_vjp", lambda x, i: x[torch.tensor(i)], [*arrays((3, 2)), INDEX], [0]),
    (
        "indexing",
        "scatter_add_vjp",
        lambda x, i: torch.zeros(3, 2, dtype=x.dtype).index_add(0, torch.tensor(i), x),
        [*arrays((5, 2)), INDEX],
        [0],
    ),
    ("matmul", "matmul_vjp", lambda a, b: a @ b, arrays((2, 3), (3, 4)), [0, 1]),
    ("matmul", "batched_vjp", lambda a, b: a @ b, arrays((5, 2, 3), (5, 3, 4)), [0, 1]),
    ("linear", "linear_vjp", F.linear, arrays((4, 3), (2, 3), (2,)), [0, 1, 2]),
    ("bce", "bce_vjp", F.binary_cross_entropy, arrays((4, 3), (4, 3)), [0]),
    ("bce_with_logits", "bce_with_logits_vjp", F.binary_cross_entropy_with_logits, arrays((4, 3), (4, 3)), [0]),
    ("softmax", "softmax_vjp", lambda x: torch.softmax(x, -1), arrays((4, 3)), [0]),
    ("cross_entropy", "cross_entropy_vjp", lambda x, t: F.cross_entropy(x, torch.tensor(t)), [*arrays((4, 3)), TARGETS], [0]),
    ("layer_norm", "layer_norm_vjp", lambda x: F.layer_norm(x, x.shape[-1:]), arrays((4, 3)), [0]),
    ("reparameterization", "sample_vjp", lambda m, v, e: m + torch.exp(v / 2) * e, arrays((4, 3), (4, 3), (4, 3)), [0, 1]),
    ("gaussian_kl", "kl_vjp", lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum() / len(m), arrays((4, 3), (4, 3)), [0, 1]),
]  # fmt: skip


@pytest.mark.parametrize("row", RULES, ids=lambda row: row[1])
def test_rule_agrees_with_torchs_autograd(row):
    name, rule, function, inputs, wrt = row
    xs = [
        torch.tensor(v, requires_grad=True) if i in wrt or (isinstance(v, np.ndarray) and v.dtype.kind == "f") else v
        for i, v in enumerate(inputs)
    ]
    y = function(*[x if i in wrt or not isinstance(x, torch.Tensor) else x.detach() for i, x in enumerate(xs)])
    g = np.random.default_rng(4).standard_normal(tuple(y.shape))
    theirs = torch.autograd.grad(y, [xs[i] for i in wrt], torch.tensor(g).reshape(y.shape))
    function = getattr(solution(name), rule)
    values = dict(
        zip(
            [p for p in function.__code__.co_varnames[1 : function.__code__.co_argcount] if p != "y"],
            inputs,
            strict=True,
        )
    )
    ours = caller(function, list(values))(g, values, y.detach().numpy())
    for a, b in zip(ours if isinstance(ours, tuple) else [ours], theirs, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-13)


def test_adam_takes_the_steps_of_torch():
    step = solution("adam").adam_step
    w, g = arrays((4, 3), (4, 3))
    parameter = torch.nn.Parameter(torch.tensor(w))
    optimizer = torch.optim.Adam([parameter], lr=0.01)
    m = v = np.zeros((4, 3))
    for done in range(5):
        parameter.grad = torch.tensor(g * (done - 2))
        optimizer.step()
        w, m, v = step(w, g * (done - 2), m, v, done, lr=0.01)
        np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("shape", [(5,), (3, 1), (1, 5), (), (3, 5)])
def test_broadcasting_is_undone_as_in_torch(shape):
    b = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    (g,) = arrays((2, 3, 5))
    b.expand(2, 3, 5).backward(torch.tensor(g))
    np.testing.assert_allclose(solution("undo_broadcasting").sum_to(g, shape), b.grad.numpy(), rtol=1e-12)


def test_losses_are_those_of_torch():
    p, t = arrays((4, 3), (4, 3))
    p[0], t[0] = [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]
    x = np.concatenate([p, -900 * p])
    with np.errstate(divide="ignore"):  # log 0, which the solution bounds
        bce = solution("bce").bce(p, t)
    for ours, theirs in (
        (bce, F.binary_cross_entropy(torch.tensor(p), torch.tensor(t))),
        (
            solution("bce_with_logits").bce_with_logits(x, np.concatenate([t, t])),
            F.binary_cross_entropy_with_logits(torch.tensor(x), torch.tensor(np.concatenate([t, t]))),
        ),
        (solution("cross_entropy").cross_entropy(p, TARGETS), F.cross_entropy(torch.tensor(p), torch.tensor(TARGETS))),
    ):
        np.testing.assert_allclose(ours, theirs.item(), rtol=1e-12)
