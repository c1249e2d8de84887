"""The usual mistakes of someone who learns: each raises, and the message says what to do."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd


def weights():
    return mg.ones(3, requires_grad=True)


class _Wrong(autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x)
        return x * y

    @staticmethod
    def backward(ctx, g):
        return g


class _Shape(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sum()

    @staticmethod
    def backward(ctx, g):
        return mg.ones(4, 7)


class _SavesNumber(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(2.0)
        return x

    @staticmethod
    def backward(ctx, g):
        return g


def backward_twice():
    loss = (weights() ** 2).sum()
    loss.backward()
    loss.backward()


def change_a_leaf():
    weights().add_(1)


def change_a_saved_tensor():
    y = weights() * 1
    z = y.exp().sum() + (y * y).sum()
    y.mul_(0)
    z.backward()


def assign_a_leaf_element():
    weights()[0] = 5.0


def freeze_an_inner_tensor():
    (weights() * 2).requires_grad_(False)


MISTAKES = [
    ("backward of a vector", lambda: (weights() * 2).backward(), RuntimeError, "reduce it first, as in loss.sum"),
    ("backward without a leaf", lambda: mg.ones(3).sum().backward(), RuntimeError, "requires_grad=True"),
    ("backward twice", backward_twice, RuntimeError, "retain_graph=True"),
    (
        "gradient of the wrong shape",
        lambda: (weights() * 2).backward(mg.ones(4)),
        RuntimeError,
        "has the shape of its tensor",
    ),
    ("updating a leaf without no_grad", change_a_leaf, RuntimeError, r"no_grad\(\)"),
    ("assigning into a leaf", assign_a_leaf_element, RuntimeError, r"no_grad\(\)"),
    ("overwriting what backward needs", change_a_saved_tensor, RuntimeError, "out-of-place form"),
    ("numpy() of a tracked tensor", lambda: weights().numpy(), RuntimeError, r"detach\(\)\.numpy\(\)"),
    ("np.asarray of a tracked tensor", lambda: np.asarray(weights()), RuntimeError, r"detach\(\)\.numpy\(\)"),
    ("item() of many", lambda: weights().item(), RuntimeError, r"tolist\(\)"),
    ("if on many", lambda: bool(weights() > 0), RuntimeError, r"\.any\(\) or \.all\(\)"),
    ("gradient of integers", lambda: mg.tensor([1, 2], requires_grad=True), RuntimeError, r"convert with \.float\(\)"),
    ("mean of integers", lambda: mg.tensor([1, 2]).mean(), RuntimeError, r"convert with \.float\(\)"),
    ("matmul of other sizes", lambda: mg.ones(2, 3) @ mg.ones(2, 3), RuntimeError, r"2x3 and 2x3.*must equal"),
    (
        "matmul of mixed types",
        lambda: mg.ones(2, 2) @ mg.ones(2, 2, dtype=mg.float64),
        RuntimeError,
        r"\.to\(other\.dtype\)",
    ),
    ("adding shapes that do not fit", lambda: mg.ones(3) + mg.ones(4), RuntimeError, r"add: .*\(3,\), \(4,\)"),
    ("reshape to another size", lambda: mg.ones(6).reshape(4, 2), RuntimeError, "invalid for input of size 6"),
    ("view of a transposed tensor", lambda: mg.ones(2, 3).t().view(6), RuntimeError, r"Use \.reshape"),
    ("dimension out of range", lambda: mg.ones(2, 3).sum(2), IndexError, r"range of \[-2, 1\], but got 2"),
    ("index out of range", lambda: mg.ones(3)[5], IndexError, r"out of bounds.*shape \[3\]"),
    ("index of floats", lambda: mg.ones(3)[mg.tensor([0.0])], IndexError, r"convert with \.long\(\)"),
    ("unused input", lambda: autograd.grad(weights().sum(), weights()), RuntimeError, "allow_unused=True"),
    ("input without grad", lambda: autograd.grad(weights().sum(), mg.ones(3)), RuntimeError, r"requires_grad_\(\)"),
    ("cat of nothing", lambda: mg.cat([]), ValueError, "non-empty list"),
    ("cat of numbers", lambda: mg.cat([1.0, 2.0]), TypeError, "list of Tensors"),
    ("stack of other shapes", lambda: mg.stack([mg.ones(2), mg.ones(3)]), RuntimeError, r"\[2\] at entry 0 and \[3\]"),
    ("cuda", lambda: mg.ones(3).to("cuda"), NotImplementedError, "on device 'cpu' only"),
    ("complex", lambda: mg.complex64, AttributeError, "real numbers only"),
    ("ragged rows", lambda: mg.tensor([[1.0, 2.0], [3.0]]), ValueError, "equal length"),
    ("words", lambda: mg.tensor(["a"]), TypeError, "holds numbers"),
    (
        "too few gradients of a Function",
        lambda: _Wrong.apply(weights(), weights()).sum().backward(),
        RuntimeError,
        "one for each",
    ),
    (
        "a Function's gradient of another shape",
        lambda: _Shape.apply(weights()).backward(),
        RuntimeError,
        r"\[4, 7\].*\[3\]",
    ),
    (
        "saving a number for backward",
        lambda: _SavesNumber.apply(weights()),
        TypeError,
        "set other values as attributes",
    ),
    ("an instance of a Function", _Wrong, RuntimeError, "_Wrong.apply"),
    ("freezing an inner tensor", freeze_an_inner_tensor, RuntimeError, r"\.detach\(\)"),
    (
        "deepcopy of an inner tensor",
        lambda: __import__("copy").deepcopy(weights() * 2),
        RuntimeError,
        r"detach\(\) first",
    ),
    ("hook on a constant", lambda: mg.ones(3).register_hook(print), RuntimeError, "doesn't require gradient"),
    ("where on floats", lambda: mg.where(mg.ones(3), mg.ones(3), 0.0), RuntimeError, "as x > 0 gives"),
    ("minus of bools", lambda: -(mg.ones(3) > 0), RuntimeError, "logical_not"),
    ("cat of tensors without a list", lambda: mg.cat(weights(), weights()), TypeError, r"cat\(\[x, y\]\)"),
    ("a shape of floats", lambda: mg.zeros(5 / 2, 3), TypeError, "use // or int"),
    (
        "a gradient of another shape",
        lambda: setattr(weights(), "grad", mg.ones(4)),
        RuntimeError,
        "reshape or sum it first",
    ),
    ("changing an expanded tensor", lambda: mg.ones(1, 3).expand(2, 3).add_(1), RuntimeError, r"clone\(\)"),
    ("out= of what is learned", lambda: mg.exp(weights(), out=mg.empty(3)), RuntimeError, r"no_grad\(\)"),
    ("a list where a tensor is needed", lambda: mg.exp([1.0, 2.0]), TypeError, r"make one with tensor\(\.\.\.\)"),
    ("loading from nowhere", lambda: mg.save({}, "no/such/folder/model.pt"), RuntimeError, "os.makedirs"),
    ("len of a scalar", lambda: len(mg.tensor(1.0)), TypeError, "0-d tensor"),
]


@pytest.mark.parametrize(("act", "error", "advice"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_raises_with_advice(act, error, advice):
    with pytest.raises(error, match=advice):
        act()
