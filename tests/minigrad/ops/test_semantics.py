"""PyTorch's fine print on operations, a case a line: kinks, ties, edges, empty tensors, in-place changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad.ops import activation as a

INF, NAN = math.inf, math.nan


def gradient(m: Any, f: Callable[[Any, Any], Any], at: Any) -> np.ndarray:
    x = m.tensor(at, dtype=m.float64, requires_grad=True)
    f(m, x).sum().backward()
    return x.grad.numpy()


def relu_second(m: Any, x: Any) -> Any:
    (g,) = m.autograd.grad(m.relu(x).sum(), x, create_graph=True)
    return g + 0 * x


GRADIENTS = [
    ("relu at 0", lambda m, x: m.relu(x), [0.0], [0.0]),
    ("relu's second derivative at 0", relu_second, [0.0], [0.0]),
    ("relu at nan", lambda m, x: m.relu(x), [NAN], [1.0]),
    ("relu6 at its bounds", lambda m, x: m.nn.functional.relu6(x), [0.0, 6.0, 3.0], [0, 0, 1]),
    ("l1_loss where it is 0", lambda m, x: m.nn.functional.l1_loss(x, x.detach()), [2.0, 0.0], [0, 0]),
    ("abs at 0", lambda m, x: m.abs(x), [0.0, -0.0, 2.0], [0, 0, 1]),
    ("sign", lambda m, x: m.sign(x), [0.0, 3.0], [0, 0]),
    ("max with ties", lambda m, x: x.max(), [3.0, 1.0, 3.0], [0.5, 0, 0.5]),
    ("min with ties", lambda m, x: x.min(), [3.0, 1.0, 1.0], [0, 0.5, 0.5]),
    ("amax with ties", lambda m, x: x.amax(0), [3.0, 1.0, 3.0], [0.5, 0, 0.5]),
    ("max along a dim with ties", lambda m, x: x.max(0).values, [3.0, 1.0, 3.0], [1, 0, 0]),
    ("sort with ties", lambda m, x: x.sort(stable=True).values * m.tensor([1.0, 2.0, 3.0]), [2.0, 1.0, 2.0], [2, 1, 3]),
    ("maximum at a tie", lambda m, x: m.maximum(x, m.ones_like(x)), [1.0], [0.5]),
    ("minimum at a tie", lambda m, x: m.minimum(x, m.ones_like(x)), [1.0], [0.5]),
    ("fmax at a tie", lambda m, x: m.fmax(x, m.ones_like(x)), [1.0], [1]),
    ("fmax's second operand at a tie", lambda m, x: m.fmax(m.ones_like(x), x), [1.0], [0]),
    ("clamp at its bounds", lambda m, x: m.clamp(x, -1, 1), [-1.0, 1.0, 2.0, NAN], [1, 1, 0, 0]),
    ("sqrt at 0", lambda m, x: m.sqrt(x), [0.0], [INF]),
    ("where with an infinite branch", lambda m, x: m.where(x > 0, m.sqrt(x), 0.0), [0.0], [NAN]),
    ("norm at 0", lambda m, x: m.norm(x), [0.0, 0.0], [0, 0]),
    ("prod with a zero", lambda m, x: x.prod(), [0.0, 2.0, 3.0], [6, 0, 0]),
    ("prod with two zeros", lambda m, x: x.prod(), [0.0, 0.0, 3.0], [0, 0, 0]),
    ("x**0 at 0", lambda m, x: x**0, [0.0], [0]),
    ("0**y", lambda m, x: m.zeros_like(x) ** x, [0.0, 2.0], [0, 0]),
    ("(-2)**y", lambda m, x: (m.zeros_like(x) - 2) ** x, [2.0], [NAN]),
    ("std of a constant", lambda m, x: x.std(), [3.0, 3.0, 3.0], [0, 0, 0]),
    ("saturated sigmoid", lambda m, x: m.sigmoid(x), [800.0, -800.0], [0, 0]),
    ("logsumexp of -inf", lambda m, x: m.logsumexp(x, 0), [-INF, -INF], [NAN, NAN]),
    ("repeated indices", lambda m, x: x[[0, 0, 2]], [1.0, 2.0, 3.0], [2, 0, 1]),
    ("sum of none", lambda m, x: x.sum(), [], []),
    ("prod of none", lambda m, x: x.prod(), [], []),
    ("logsumexp of none", lambda m, x: m.logsumexp(x, 0), [], []),
    ("softplus above its threshold", lambda m, x: m.nn.functional.softplus(x), [20.5, 1000.0], [1, 1]),
    ("kl_div of a target of 0", lambda m, x: m.nn.functional.kl_div(m.zeros_like(x), x, reduction="sum"), [0.0], [NAN]),
    ("unused but multiplied by 0", lambda m, x: 0 * x, [1.0], [0]),
]


@pytest.mark.parametrize(("name", "f", "at", "expected"), GRADIENTS, ids=[g[0] for g in GRADIENTS])
def test_gradient_at_an_edge(name: str, f: Any, at: Any, expected: Any) -> None:
    found = gradient(minigrad, f, at)
    np.testing.assert_array_equal(found, np.array(expected, np.float64))
    np.testing.assert_array_equal(found, gradient(torch, f, at), "PyTorch has another")


ACTIVATIONS_AT_0 = [
    ("leaky_relu", lambda x: a.leaky_relu(x, 0.1), 0.1),
    ("elu", lambda x: a.elu(x, 1.0), 1.0),
    ("gelu", lambda x: a.gelu(x), 0.5),
    ("hardtanh at its bound", lambda x: a.hardtanh(x, 0.0, 6.0), 0.0),
]


@pytest.mark.parametrize(("name", "f", "expected"), ACTIVATIONS_AT_0, ids=[a[0] for a in ACTIVATIONS_AT_0])
def test_gradient_of_an_activation_at_0(name: str, f: Any, expected: float) -> None:
    x = minigrad.tensor([0.0], requires_grad=True)
    f(x).sum().backward()
    assert x.grad.tolist() == pytest.approx([expected])


VALUES = [
    ("nan passes relu", lambda m: m.relu(m.tensor([NAN]))),
    ("var is unbiased", lambda m: m.tensor([1.0, 2.0, 4.0]).var()),
    ("var of one element", lambda m: m.tensor([1.0]).var()),
    ("std of one element", lambda m: m.tensor([[1.0]]).std(0)),
    ("biased var of one element", lambda m: m.tensor([[1.0]]).var(0, correction=0)),
    ("softplus above its threshold", lambda m: m.nn.functional.softplus(m.tensor([20.5, 1e4]))),
    ("sigmoid far out", lambda m: m.sigmoid(m.tensor([200.0, -200.0]))),
    ("logsumexp of -inf", lambda m: m.logsumexp(m.tensor([-INF, -INF]), 0)),
    ("sum of none", lambda m: m.tensor([]).sum()),
    ("mean of none", lambda m: m.tensor([]).mean()),
    ("prod of none", lambda m: m.tensor([]).prod()),
    ("logsumexp of none", lambda m: m.logsumexp(m.tensor([]), 0)),
    ("float32 times a Python float", lambda m: m.ones(2) * 2.5),
    ("float32 times NumPy's float64", lambda m: m.ones(2) * np.float64(2.5)),
    ("float32 times a 0-d float64", lambda m: m.ones(2) * m.tensor(2.5, dtype=m.float64)),
    ("float32 times float64", lambda m: m.ones(2) * m.ones(2, dtype=m.float64)),
    ("float32 plus int64", lambda m: m.ones(2) + m.tensor([1, 2])),
    ("int64 times a Python float", lambda m: m.tensor([1, 2]) * 2.5),
    ("int64 divided", lambda m: m.tensor([1, 2]) / m.tensor([2, 2])),
    ("sum of bools", lambda m: m.tensor([True, True]).sum()),
    ("last assignment wins", lambda m: assigned(m)),
    ("+= by repeated indices adds once", lambda m: added_once(m)),
]


def assigned(m: Any) -> Any:
    y = m.zeros(3)
    y[[0, 0]] = m.tensor([1.0, 2.0])
    return y


def added_once(m: Any) -> Any:
    y = m.zeros(3)
    y[[0, 0]] += 1
    return y


@pytest.mark.filterwarnings("ignore:(var|std)..:UserWarning")  # PyTorch's advice on too few degrees of freedom
@pytest.mark.parametrize(("name", "f"), VALUES, ids=[v[0] for v in VALUES])
def test_value_and_type_at_an_edge(name: str, f: Any) -> None:
    ours, theirs = f(minigrad), f(torch)
    assert (str(ours.dtype), tuple(ours.shape)) == (str(theirs.dtype), tuple(theirs.shape))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_relu_of_many_rows_is_that_of_each_row(dtype: Any) -> None:
    x = np.random.default_rng(0).standard_normal((64, 129)).astype(dtype)
    x[0, :6] = [0.0, -0.0, NAN, -NAN, INF, -INF]
    whole = a.relu(minigrad.tensor(x)).numpy()
    assert whole.tobytes() == np.stack([a.relu(minigrad.tensor(row)).numpy() for row in x]).tobytes()


def test_assignment_through_repeated_indices_gives_every_value_a_gradient() -> None:
    v = minigrad.tensor([1.0, 2.0], requires_grad=True)
    y = minigrad.zeros(3)
    y[[0, 0]] = v
    y.sum().backward()
    assert v.grad.tolist() == [1, 1]


def test_each_leaf_of_mixed_types_keeps_its_own() -> None:
    a = minigrad.ones(2, requires_grad=True)
    b = minigrad.ones(2, dtype=minigrad.float64, requires_grad=True)
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (minigrad.float32, minigrad.float64)


def test_gradient_of_a_0d_operand_is_0d() -> None:
    a = minigrad.tensor(2.0, requires_grad=True)
    (a * minigrad.ones(3)).sum().backward()
    assert (a.grad.shape, a.grad.item()) == ((), 3.0)


def test_the_gradients_of_a_sum_are_two_arrays() -> None:
    a, b = minigrad.ones(2, requires_grad=True), minigrad.ones(2, requires_grad=True)
    (a + b).sum().backward()
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())


def test_backward_leaves_the_gradient_it_was_given_alone() -> None:
    a = minigrad.ones(2, requires_grad=True)
    g = minigrad.tensor([1.0, 2.0])
    (a.reshape(2) + a).backward(g)
    a.grad.add_(1)
    assert g.tolist() == [1, 2]


SAVING = [
    ("relu", lambda x: x.relu(), "y"),
    ("exp", lambda x: x.exp(), "y"),
    ("sigmoid", lambda x: x.sigmoid(), "y"),
    ("tanh", lambda x: x.tanh(), "y"),
    ("mul", lambda x: x * x, "x"),
    ("sin", lambda x: x.sin(), "x"),
]


@pytest.mark.parametrize(("name", "f", "saved"), SAVING, ids=[s[0] for s in SAVING])
@pytest.mark.parametrize("changed", ["x", "y"])
def test_only_a_change_of_what_was_saved_stops_backward(name: str, f: Any, saved: str, changed: str) -> None:
    leaf = minigrad.ones(2, requires_grad=True)
    x = leaf * 1
    y = f(x)
    z = y * 1
    with minigrad.no_grad():
        (x if changed == "x" else y).add_(1)
    if saved == changed:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.sum().backward()
    else:
        z.sum().backward()


def test_an_in_place_change_after_add_is_legal() -> None:
    leaf = minigrad.ones(2, requires_grad=True)
    x = leaf * 1
    y = x + 1
    x.mul_(3)
    y.sum().backward()
    assert leaf.grad.tolist() == [1, 1]


ERRORS = [
    ("max of none", lambda m: m.tensor([]).max()),
    ("argmax of none", lambda m: m.tensor([]).argmax()),
    ("amax of none", lambda m: m.zeros(0, 2).amax(0)),
    ("mean of integers", lambda m: m.tensor([1, 2]).mean()),
    ("dim too large", lambda m: m.ones(2, 3).sum(2)),
    ("dim too small", lambda m: m.ones(2, 3).softmax(-3)),
    ("dim twice", lambda m: m.ones(2, 3).sum((0, 0))),
    ("dim of a 0-d tensor", lambda m: m.tensor(1.0).sum(1)),
    ("dim that is no integer", lambda m: m.ones(2).sum(0.5)),
    ("shapes that do not broadcast", lambda m: m.ones(2) + m.ones(3)),
    ("where of shapes that do not broadcast", lambda m: m.where(m.ones(2) > 0, m.ones(3), 0.0)),
    ("matmul of shapes that do not match", lambda m: m.ones(2, 3) @ m.ones(2, 3)),
    ("matmul of vectors of other lengths", lambda m: m.ones(2) @ m.ones(3)),
    ("matmul with a 0-d tensor", lambda m: m.ones(2) @ m.tensor(1.0)),
    ("matmul of mixed types", lambda m: m.ones(2, 2) @ m.ones(2, 2, dtype=m.float64)),
    ("mm of a vector", lambda m: m.mm(m.ones(2), m.ones(2, 2))),
    ("bmm of other batches", lambda m: m.bmm(m.ones(2, 2, 2), m.ones(3, 2, 2))),
    ("dot of matrices", lambda m: m.dot(m.ones(2, 2), m.ones(2, 2))),
    ("einsum with too few operands", lambda m: m.einsum("ij,jk", m.ones(2, 2))),
    ("einsum with too many letters", lambda m: m.einsum("ijk", m.ones(2, 2))),
    ("reshape to another size", lambda m: m.ones(6).reshape(4)),
    ("reshape with two -1", lambda m: m.ones(6).reshape(-1, -1)),
    ("view of a transposed", lambda m: m.ones(2, 3).t().view(6)),
    ("t of three dimensions", lambda m: m.ones(2, 3, 4).t()),
    ("permute with too few dims", lambda m: m.ones(2, 3).permute(0)),
    ("expand of a size other than 1", lambda m: m.ones(2).expand(3)),
    ("expand to fewer dimensions", lambda m: m.ones(2, 2).expand(2)),
    ("cat of nothing", lambda m: m.cat([])),
    ("cat of 0-d tensors", lambda m: m.cat([m.tensor(1.0)])),
    ("cat of other sizes", lambda m: m.cat([m.ones(2, 2), m.ones(2, 3)])),
    ("stack of other shapes", lambda m: m.stack([m.ones(2), m.ones(3)])),
    ("split into wrong sizes", lambda m: m.split(m.ones(5), [2, 2])),
    ("split into negative sizes", lambda m: m.split(m.ones(5), -1)),
    ("chunk into none", lambda m: m.chunk(m.ones(5), 0)),
    ("narrow too far", lambda m: m.ones(3).narrow(0, 2, 2)),
    ("index out of range", lambda m: m.ones(3)[3]),
    ("index out of range, negative", lambda m: m.ones(3)[-4]),
    ("too many indices", lambda m: m.ones(3)[0, 0]),
    ("index of a 0-d tensor", lambda m: m.tensor(1.0)[0]),
    ("float as an index", lambda m: m.ones(3)[m.tensor([0.5])]),
    ("mask of another size", lambda m: m.ones(3)[m.tensor([True, False])]),
    ("list out of range", lambda m: m.ones(3)[[0, 5]]),
    ("gather out of range", lambda m: m.ones(3).gather(0, m.tensor([3]))),
    ("gather with other dimensions", lambda m: m.ones(3, 2).gather(0, m.tensor([0]))),
    ("gather with a float index", lambda m: m.ones(3).gather(0, m.tensor([0.0]))),
    ("index_select out of range", lambda m: m.ones(3).index_select(0, m.tensor([5]))),
    ("index_add of mixed types", lambda m: m.ones(3).index_add(0, m.tensor([0]), m.ones(1, dtype=m.float64))),
    ("masked_fill with a number mask", lambda m: m.ones(3).masked_fill(m.ones(3), 0.0)),
    ("topk of too many", lambda m: m.ones(3).topk(4)),
    ("diag of three dimensions", lambda m: m.diag(m.ones(2, 2, 2))),
    ("unbind of a 0-d tensor", lambda m: m.tensor(1.0).unbind()),
    ("clamp without bounds", lambda m: m.ones(2).clamp()),
    ("negation of bools", lambda m: -m.tensor([True])),
    ("subtraction of bools", lambda m: m.tensor([True]) - m.tensor([True])),
    ("integer to a negative power", lambda m: m.tensor([2]) ** -1),
    ("integer division by zero", lambda m: m.tensor([2]) // m.tensor([0])),
    ("unknown rounding_mode", lambda m: m.div(m.ones(2), 2, rounding_mode="up")),
    ("mT of a vector", lambda m: m.ones(2).mT),
    ("bool of several", lambda m: bool(m.ones(2))),
    ("item of several", lambda m: m.ones(2).item()),
    ("gradient of integers", lambda m: m.tensor([1, 2], requires_grad=True)),
    ("squeeze of a wrong dim", lambda m: m.ones(2).squeeze(3)),
    ("unflatten into wrong sizes", lambda m: m.ones(6).unflatten(0, (4, 2))),
    ("repeat with too few counts", lambda m: m.ones(2, 2).repeat(2)),
    ("in-place on a leaf", lambda m: m.ones(2, requires_grad=True).add_(1)),
    ("in-place growing", lambda m: m.ones(1).add_(m.ones(3))),
    ("in-place to another kind", lambda m: m.tensor([1, 2]).add_(1.5)),
]


@pytest.mark.parametrize(("name", "f"), ERRORS, ids=[e[0] for e in ERRORS])
def test_mistake_raises_the_type_that_pytorch_raises(name: str, f: Any) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011  # the type is what is compared
        f(torch)
    known = next(base for base in theirs.type.__mro__ if base.__module__ == "builtins")
    with pytest.raises(known) as ours:
        f(minigrad)
    assert len(str(ours.value)) > 20, "an error says what was given and what is needed"


def minors(a: np.ndarray) -> np.ndarray:
    """The cofactors of a matrix, from its definition."""
    n = len(a)
    rest = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * np.linalg.det(rest[i][j]) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("rank", [3, 2, 1, 0])
def test_the_gradient_of_a_determinant_exists_at_a_singular_matrix_where_torchs_may_be_0(rank: int) -> None:
    rng = np.random.default_rng(rank)
    a = rng.standard_normal((4, 3, rank)) @ rng.standard_normal((4, rank, 3))
    x = minigrad.tensor(a, requires_grad=True)
    minigrad.linalg.det(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [minors(one) for one in a], atol=1e-12)


def test_batch_norm_of_an_infinite_value_gives_nan_without_a_warning():
    results = []
    for m in (minigrad, torch):
        layer = m.nn.BatchNorm1d(2)
        y = layer(m.tensor([[1.0, float("inf")], [2.0, 3.0]]))
        results.append([y.detach().numpy(), layer.running_mean.numpy(), layer.running_var.numpy()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
