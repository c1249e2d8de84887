"""The losses against PyTorch: every option, reduction and edge, with first and second gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad.ops.loss import gaussian_kl
from tests.minigrad.nn.twins import agree, close, same_error

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
REDUCTIONS = ("mean", "sum", "none")
reductions = st.sampled_from(REDUCTIONS)
seeds = st.integers(0, 2**31)
shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
dtypes = st.sampled_from([np.float64, np.float32])

REAL = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.3}, {"beta": 0.0}],
    "huber_loss": [{}, {"delta": 0.4}],
}
REAL_CASES = [(name, options) for name, cases in REAL.items() for options in cases]


@pytest.mark.parametrize(("name", "options"), REAL_CASES)
@quick
@given(shape=shapes, seed=seeds, reduction=reductions, dtype=dtypes)
def test_losses_of_real_targets_match(name, options, shape, seed, reduction, dtype):
    rng = np.random.default_rng(seed)
    x, t = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    agree(lambda m, x, t: getattr(m.nn.functional, name)(x, t, reduction=reduction, **options), [x, t])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_losses_match(name, reduction):
    x, t, w = np.random.default_rng(0).random((3, 4, 2))
    agree(lambda m, x, t, w: getattr(m.nn.functional, name)(x, t, reduction=reduction, weight=w), [x, t], w)


@pytest.mark.parametrize("name", list(REAL))
def test_sizes_that_differ_are_broadcast_with_a_warning(name):
    with pytest.warns(UserWarning, match="different to the input size"):
        agree(lambda m, x, t: getattr(m.nn.functional, name)(x, t), [np.ones((3, 1)) * 0.2, np.arange(3.0)])


def test_losses_of_equal_inputs_have_gradient_zero():
    for name in REAL:
        agree(lambda m, x, t, name=name: getattr(m.nn.functional, name)(x, t), [np.ones(3), np.ones(3)], second=False)


@quick
@given(shape=shapes, seed=seeds, reduction=reductions, weighted=st.booleans(), dtype=dtypes)
def test_binary_cross_entropy_matches_also_for_targets_that_are_learned(shape, seed, reduction, weighted, dtype):
    rng = np.random.default_rng(seed)
    p, t = (rng.uniform(0.05, 0.95, shape).astype(dtype) for _ in range(2))
    w = rng.random(shape).astype(dtype) if weighted else None
    agree(lambda m, p, t, w: m.nn.functional.binary_cross_entropy(p, t, weight=w, reduction=reduction), [p, t], w)


def test_binary_cross_entropy_clamps_the_logarithm_and_the_denominator():
    p = np.array([0.0, 0.0, 1.0, 1.0, 1e-14, 0.3], np.float32)
    t = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.5], np.float32)
    for reduction in REDUCTIONS:
        agree(lambda m, p, t, r=reduction: m.nn.functional.binary_cross_entropy(p, t, reduction=r), [p], t)


def test_binary_cross_entropy_weights_broadcast():
    p, t = np.random.default_rng(0).random((2, 3, 4))
    agree(lambda m, p, t, w: m.nn.functional.binary_cross_entropy(p, t, w), [p, t], np.array([1.0, 2, 3, 0]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("t", [255.0, 1.001, -0.1, -1e-7, float("nan"), float("inf"), -float("inf")])
def test_a_target_outside_0_and_1_is_refused(t, dtype):
    def loss(m):
        p, target = (m.tensor([0.5, x], dtype=getattr(m, dtype)) for x in (0.5, t))
        return m.nn.functional.binary_cross_entropy(p, target)

    same_error(loss, "all elements of target should be between 0 and 1")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_target_from_negative_zero_to_one_is_accepted(dtype):
    targets = np.array([[-0.0, 0.0, 6e-8], [0.5, np.nextafter(dtype(1), dtype(0)), 1.0]], dtype)
    for t in (targets, targets.T, targets[:, ::2], targets[1, 2, ...], targets[:0]):
        p = np.full(t.shape, 0.3, dtype)
        ours = minigrad.nn.functional.binary_cross_entropy(
            minigrad.from_numpy(p), minigrad.from_numpy(t), reduction="sum"
        )
        theirs = torch.nn.functional.binary_cross_entropy(
            torch.from_numpy(p), torch.from_numpy(t.copy()), reduction="sum"
        )
        np.testing.assert_allclose(ours.item(), theirs.item(), 2e-3 if dtype == np.float16 else 1e-6)


def test_binary_cross_entropy_of_many_rows_is_that_of_each_row():
    rng = np.random.default_rng(0)
    p, t = rng.random((64, 200), np.float32), rng.random((64, 200), np.float32)
    p[0, :4], t[0, :4] = [0, 0, 1, 1], [0, 1, 0, 1]  # where the logarithm is kept from -100, and p (1 - p) from 0

    def run(p, t):
        x = minigrad.tensor(p, requires_grad=True)
        losses = minigrad.nn.functional.binary_cross_entropy(x, minigrad.tensor(t), reduction="none")
        losses.sum().backward()
        return losses.detach().numpy(), x.grad.numpy()

    rows = [run(*row) for row in zip(p, t, strict=True)]
    for whole, parts in zip(run(p, t), zip(*rows, strict=True), strict=True):
        assert whole.tobytes() == np.stack(parts).tobytes()


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), float("inf")])
def test_binary_cross_entropy_refuses_what_is_no_probability(p):
    same_error(
        lambda m: m.nn.functional.binary_cross_entropy(m.tensor([0.5, p]), m.tensor([1.0, 1.0])), "between 0 and 1"
    )


@quick
@given(shape=shapes, seed=seeds, reduction=reductions, weighted=st.booleans(), positive=st.booleans(), dtype=dtypes)
def test_binary_cross_entropy_with_logits_matches(shape, seed, reduction, weighted, positive, dtype):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal(shape).astype(dtype) * 3, rng.random(shape).astype(dtype)
    w = rng.random(shape).astype(dtype) if weighted else None
    pos = rng.uniform(0.5, 3, shape[-1:]).astype(dtype) if positive else None
    agree(
        lambda m, x, t, w, pos: m.nn.functional.binary_cross_entropy_with_logits(
            x, t, w, reduction=reduction, pos_weight=pos
        ),
        [x, t],
        w,
        pos,
    )


def test_logits_of_any_size_neither_overflow_nor_vanish():
    x = np.array([-1000.0, -200, -40, -15, 0, 15, 40, 200, 1000], np.float32)
    for target in (0.0, 1.0):
        t = np.full_like(x, target)
        agree(
            lambda m, x, t: m.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none"),
            [x],
            t,
            second=False,
        )


CLASS_SHAPES = [(4,), (3, 4), (1, 1), (2, 3, 4), (2, 3, 2, 2)]


def class_case(seed, shape, dtype):
    rng = np.random.default_rng(seed)
    classes = shape[min(1, len(shape) - 1)]
    index_shape = () if len(shape) == 1 else (shape[0], *shape[2:])
    target = rng.integers(0, classes, index_shape)
    return rng.standard_normal(shape).astype(dtype), np.asarray(target), rng.uniform(0.2, 2, classes).astype(dtype)


@pytest.mark.parametrize("shape", CLASS_SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(seed=seeds, weighted=st.booleans(), smoothing=st.sampled_from([0.0, 0.0, 0.1, 1.0]), dtype=dtypes)
def test_cross_entropy_of_class_indices_matches(shape, reduction, seed, weighted, smoothing, dtype):
    x, t, w = class_case(seed, shape, dtype)
    agree(
        lambda m, x, t, w: m.nn.functional.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing),
        [x],
        t,
        w if weighted else None,
    )


@pytest.mark.parametrize("shape", CLASS_SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_probabilities_matches(shape, reduction, smoothing):
    x, _, w = class_case(1, shape, np.float64)
    t = np.random.default_rng(2).random(shape)
    for weight in (None, w):
        agree(
            lambda m, x, t, w: m.nn.functional.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing),
            [x, t],
            weight,
        )


@pytest.mark.parametrize("shape", CLASS_SHAPES[1:])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("ignore_index", [-100, 0])
@pytest.mark.parametrize("weighted", [True, False])
def test_ignored_targets_count_for_nothing(shape, reduction, name, ignore_index, weighted):
    x, t, w = class_case(3, shape, np.float64)
    t.flat[0] = ignore_index
    agree(
        lambda m, x, t, w: getattr(m.nn.functional, name)(x, t, w, ignore_index=ignore_index, reduction=reduction),
        [x],
        t,
        w if weighted else None,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_label_smoothing_leaves_ignored_targets_out(reduction):
    x, t, w = class_case(4, (4, 3), np.float64)
    t[1] = -100
    for weight in (None, w):
        agree(
            lambda m, x, t, w: m.nn.functional.cross_entropy(x, t, w, reduction=reduction, label_smoothing=0.3),
            [x],
            t,
            weight,
        )


def test_ignored_rows_may_hold_infinite_logits():
    x = np.array([[0.0, -np.inf], [1.0, 2.0]])
    agree(lambda m, x, t: m.nn.functional.nll_loss(x, t, ignore_index=1), [x], np.array([1, 0]))


def test_targets_that_are_all_ignored_give_nan():
    agree(lambda m, x, t: m.nn.functional.cross_entropy(x, t), [np.ones((2, 3))], np.array([-100, -100]), second=False)


def test_large_logits_do_not_overflow():
    x = np.array([[1e4, -1e4, 0.0], [88.0, 89.0, 90.0]], np.float32)
    agree(lambda m, x, t: m.nn.functional.cross_entropy(x, t), [x], np.array([0, 2]))


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.filterwarnings("ignore:reduction")
def test_kl_div_matches(reduction, log_target):
    rng = np.random.default_rng(5)
    x, t = np.log(rng.dirichlet(np.ones(4), 3)), rng.dirichlet(np.ones(4), 3)
    t = np.log(t) if log_target else t
    agree(lambda m, x, t: m.nn.functional.kl_div(x, t, reduction=reduction, log_target=log_target), [x, t])


def test_kl_div_of_a_target_of_zero_is_zero():
    x, t = np.log([0.25, 0.75]), np.array([0.0, 1.0])
    agree(lambda m, x, t: m.nn.functional.kl_div(x, t, reduction="sum"), [x], t)


def test_kl_div_by_mean_warns_that_it_is_not_the_divergence():
    with pytest.warns(UserWarning, match="batchmean"):
        minigrad.nn.functional.kl_div(minigrad.zeros(2), minigrad.ones(2))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (3,)])
def test_gaussian_nll_matches(full, reduction, shape):
    rng = np.random.default_rng(6)
    x, t, v = rng.standard_normal((3, 4)), rng.standard_normal((3, 4)), rng.uniform(0.2, 2, shape)
    agree(lambda m, x, t, v: m.nn.functional.gaussian_nll_loss(x, t, v, full=full, reduction=reduction), [x, t, v])


def test_gaussian_nll_keeps_the_variance_from_zero():
    arrays = [np.array([1.0, 2.0]), np.array([1.0, 2.5]), np.array([0.0, 1e-9])]
    agree(lambda m, x, t, v: m.nn.functional.gaussian_nll_loss(x, t, v), arrays, second=False)


@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_nll_matches(log_input, full):
    x, t = np.array([0.3, 1.2, 2.0]), np.array([0.0, 1.0, 4.0])
    agree(lambda m, x, t: m.nn.functional.poisson_nll_loss(x, t, log_input, full), [x], t)


@quick
@given(seed=seeds, dtype=dtypes)
def test_gaussian_kl_is_the_formula_of_the_variational_autoencoder(seed, dtype):
    mu, logvar = np.random.default_rng(seed).standard_normal((2, 3, 4)).astype(dtype)

    def kl(m, mu, logvar):
        if m is torch:
            return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return gaussian_kl(mu, logvar)

    agree(kl, [mu, logvar])


ERRORS = {
    "bce sizes": (lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(3)), "ensure they have the same size"),
    "bce broadcast": (lambda m, F: F.binary_cross_entropy(m.ones(2, 1), m.ones(2)), "ensure they have the same size"),
    "bce types": (lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(2).double()), "convert the target"),
    "bce integer target": (lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(2).long()), "convert the target"),
    "logits sizes": (
        lambda m, F: F.binary_cross_entropy_with_logits(m.ones(2), m.ones(3)),
        "must be the same as input",
    ),
    "reduction": (lambda m, F: F.mse_loss(m.ones(2), m.ones(2), reduction="avg"), "use 'none', 'mean' or 'sum'"),
    "reduction bce": (lambda m, F: F.binary_cross_entropy(m.ones(2), m.ones(2), reduction="avg"), "avg"),
    "class too large": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 3])), "between 0 and 2"),
    "class negative": (lambda m, F: F.nll_loss(m.ones(2, 3), m.tensor([0, -1])), "Target -1 is out of bounds"),
    "float classes": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2)), r"\.long\(\)"),
    "int32 classes": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2, dtype=m.int32)), r"\.long\(\)"),
    "batches": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0])), r"batch_size \(2\)"),
    "multi-target": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.ones(2, 3).long()), "multi-target"),
    "class weights": (lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 1]), m.ones(2)), "all or no classes"),
    "smoothing": (
        lambda m, F: F.cross_entropy(m.ones(2, 3), m.tensor([0, 1]), label_smoothing=2.0),
        "between 0.0 and 1",
    ),
    "negative variance": (lambda m, F: F.gaussian_nll_loss(m.ones(2), m.ones(2), -m.ones(2)), "negative"),
    "variance size": (lambda m, F: F.gaussian_nll_loss(m.ones(2, 3), m.ones(2, 3), m.ones(3, 2)), "incorrect size"),
    "negative beta": (lambda m, F: F.smooth_l1_loss(m.ones(2), m.ones(2), beta=-1.0), "negative values for beta"),
    "delta": (lambda m, F: F.huber_loss(m.ones(2), m.ones(2), delta=0.0), "non-positive"),
}


@pytest.mark.parametrize("case", list(ERRORS))
def test_mistakes_raise_as_in_pytorch_and_say_what_to_do(case):
    program, advice = ERRORS[case]
    same_error(lambda m: program(m, m.nn.functional), advice)


@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_a_weight_that_wants_a_gradient_is_refused(name):
    weight = minigrad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        minigrad.nn.functional.binary_cross_entropy_with_logits(minigrad.ones(2), minigrad.ones(2), **{name: weight})


@pytest.mark.filterwarnings("ignore:size_average")
def test_the_arguments_that_reduction_replaced_still_work():
    for options in ({"size_average": False}, {"reduce": False}, {"size_average": True}):
        ours, theirs = (m.nn.functional.mse_loss(m.ones(3), m.zeros(3), **options) for m in (minigrad, torch))
        close(ours, theirs)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mse_loss", (2, 0)), ("binary_cross_entropy", (0,)), ("binary_cross_entropy_with_logits", (0, 3))],
)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_nothing_match(name, shape, reduction):
    x = np.zeros(shape)
    agree(lambda m, x, t: getattr(m.nn.functional, name)(x, t, reduction=reduction), [x], x)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x: m.nn.functional.mse_loss(x, x.detach()),
        lambda m, x: m.nn.functional.l1_loss(x, x.detach()),
        lambda m, x: m.nn.functional.smooth_l1_loss(x, x.detach()),
        lambda m, x: m.nn.functional.huber_loss(x, x.detach()),
        lambda m, x: m.nn.functional.binary_cross_entropy(x, x.detach()),
        lambda m, x: m.nn.functional.binary_cross_entropy_with_logits(x, x.detach()),
        lambda m, x: m.nn.functional.cross_entropy(x, m.tensor([0, 1])),
        lambda m, x: m.nn.functional.kl_div(x, x.detach(), reduction="batchmean"),
    ],
)
def test_a_loss_prints_as_in_pytorch(call):
    ours, theirs = (call(m, m.full((2, 2), 0.25).requires_grad_()) for m in (minigrad, torch))
    assert repr(ours) == repr(theirs)
