"""The other functions of nn.functional against PyTorch: activations, the linear map, normalisation, lookup, padding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from tests.minigrad.nn.twins import agree, close, same_error

quick = settings(max_examples=20, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**31)
shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
dtypes = st.sampled_from([np.float64, np.float32])

ACTIVATIONS = [
    ("relu", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.2}),
    ("elu", {}),
    ("elu", {"alpha": 0.7}),
    ("celu", {"alpha": 0.5}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 1.0}),
    ("logsigmoid", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 0.3}),
    ("relu6", {}),
    ("softsign", {}),
    ("tanhshrink", {}),
    ("softshrink", {}),
    ("hardshrink", {"lambd": 0.3}),
    ("threshold", {"threshold": 0.1, "value": 2.0}),
]


@pytest.mark.parametrize(("name", "options"), ACTIVATIONS)
@quick
@given(shape=shapes, seed=seeds, dtype=dtypes)
def test_activations_match(name, options, shape, seed, dtype):
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype) * 2
    agree(lambda m, x: getattr(m.nn.functional, name)(x, **options), [x])


@pytest.mark.parametrize(
    ("name", "options"), [c for c in ACTIVATIONS if c[0] not in ("mish", "celu", "tanhshrink", "hardtanh", "relu6")]
)
def test_activations_match_at_kinks_and_infinities(name, options):
    x = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 6.0, 30.0, -30.0, np.nan], np.float64)
    agree(lambda m, x: getattr(m.nn.functional, name)(x, **options), [x], second=False)


@pytest.mark.parametrize("name", ["hardtanh", "relu6"])
def test_limited_activations_are_flat_at_their_bounds(name):  # at nan PyTorch's gradient depends on the tensor's length
    agree(lambda m, x: getattr(m.nn.functional, name)(x), [np.array([-1.0, 0.0, 1.0, 6.0, np.inf, -np.inf])])


@pytest.mark.parametrize("name", ["hardsigmoid", "hardswish"])
def test_piecewise_activations_match_to_first_order(name):  # PyTorch has no second derivative of these
    x = np.linspace(-5, 5, 17).astype(np.float32)
    agree(lambda m, x: getattr(m.nn.functional, name)(x), [x], second=False)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmaxes_match(name, dim):
    x = np.random.default_rng(0).standard_normal((3, 4)) * 3
    agree(lambda m, x: getattr(m.nn.functional, name)(x, dim), [x])
    agree(lambda m, x: getattr(m.nn.functional, name)(x, dim=dim, dtype=m.float64), [x.astype(np.float32)])


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_softmax_without_dim_warns_and_chooses_as_pytorch(ndim):
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 2)[:ndim])
    with pytest.warns(UserWarning, match="include dim=X"):
        agree(lambda m, x: m.nn.functional.softmax(x), [x])


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
def test_prelu_matches(size, shape):
    rng = np.random.default_rng(0)
    agree(lambda m, x, w: m.nn.functional.prelu(x, w), [rng.standard_normal(shape), rng.random(size)])


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "silu", "hardtanh", "relu6"])
def test_activations_in_place_change_their_input_and_still_have_gradients(name):
    def program(m, x):
        y = x * 1.5
        z = getattr(m.nn.functional, name)(y, inplace=True)
        assert z is y
        return y

    agree(program, [np.random.default_rng(0).standard_normal((3, 4))], second=False)


# The linear map


@quick
@given(lead=st.lists(st.integers(0, 3), max_size=3).map(tuple), seed=seeds, bias=st.booleans(), dtype=dtypes)
def test_linear_matches(lead, seed, bias, dtype):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(s).astype(dtype) for s in ((*lead, 3), (2, 3), (2,))]
    agree(lambda m, *xs: m.nn.functional.linear(*xs), arrays if bias else arrays[:2])


@pytest.mark.parametrize("lead", [(), (4,), (2, 4)])
def test_linear_with_a_vector_as_weight_matches(lead):
    rng = np.random.default_rng(0)
    agree(lambda m, *xs: m.nn.functional.linear(*xs), [rng.standard_normal((*lead, 3)), rng.standard_normal(3)])


@pytest.mark.parametrize("shape", [(3,), (4, 3), (5, 4, 3)])
def test_linear_names_its_operation_as_pytorch(shape):
    names = []
    for m in (minigrad, torch):
        w = m.ones(2, 3, requires_grad=True)
        names.append(m.nn.functional.linear(m.ones(*shape), w, m.ones(2)).grad_fn.name())
    assert names[0] == names[1]


def test_linear_of_a_transposed_input_matches():
    rng = np.random.default_rng(0)
    agree(
        lambda m, x, w, b: m.nn.functional.linear(x.T, w.T, b), [rng.random((3, 4)), rng.random((3, 2)), rng.random(2)]
    )


# Normalisation


@quick
@given(seed=seeds, last=st.integers(1, 2), affine=st.booleans(), dtype=dtypes)
def test_layer_norm_matches(seed, last, affine, dtype):
    rng = np.random.default_rng(seed)
    shape = (2, 3, 4)
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in (shape, shape[-last:], shape[-last:]))
    arrays = [x, w, b] if affine else [x]
    agree(lambda m, x, *p: m.nn.functional.layer_norm(x, shape[-last:], *p), arrays, second=dtype is np.float64)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (2, 3, 2, 2)])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_matches_and_moves_the_running_values(shape, training, affine):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape)] + ([rng.random(3), rng.random(3)] if affine else [])
    running = {}

    def program(m, x, *parameters):
        mean, var = m.tensor([0.1, 0.2, 0.3], dtype=m.float64), m.tensor([1.0, 2.0, 0.5], dtype=m.float64)
        y = m.nn.functional.batch_norm(x, mean, var, *(parameters or (None, None)), training=training, momentum=0.3)
        running[m.__name__] = mean, var
        return y

    agree(program, arrays)
    for ours, theirs in zip(running["minigrad"], running["torch"], strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize_matches(p, dim):
    x = np.random.default_rng(0).standard_normal((3, 4))
    agree(lambda m, x: m.nn.functional.normalize(x, p, dim), [x])


def test_normalize_of_zero_is_zero():
    agree(lambda m, x: m.nn.functional.normalize(x, dim=0), [np.zeros(3)], second=False)


@pytest.mark.parametrize("dim", [0, 1])
def test_cosine_similarity_matches(dim):
    a, b = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(lambda m, a, b: m.nn.functional.cosine_similarity(a, b, dim), [a, b])
    agree(lambda m, a, b: m.nn.functional.cosine_similarity(a, b, dim), [a, b[:1]])


def test_pairwise_distance_matches():
    a, b = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(lambda m, a, b: m.nn.functional.pairwise_distance(a, b), [a, b])


# Dropout


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("name", ["dropout", "alpha_dropout"])
def test_dropout_drops_the_same_elements_for_the_same_seed(p, name):
    def program(m, x):
        m.manual_seed(3)
        return getattr(m.nn.functional, name)(x, p, training=True)

    agree(program, [np.random.default_rng(0).standard_normal((7, 11)).astype(np.float32)])


def test_dropout_outside_training_is_its_input():
    x = minigrad.ones(3)
    assert minigrad.nn.functional.dropout(x, 0.5, training=False) is x


# Lookup


@pytest.mark.parametrize("padding", [None, 1, -1])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_embedding_matches_also_for_repeated_indices(padding, shape):
    rng = np.random.default_rng(0)
    index = np.asarray(rng.integers(0, 3, shape))
    agree(lambda m, w, i: m.nn.functional.embedding(i, w, padding), [rng.standard_normal((3, 2))], index)


def test_embedding_shortens_long_rows_in_place():
    tables = []
    for m in (minigrad, torch):
        w = m.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
        m.nn.functional.embedding(m.tensor([0, 1]), w, max_norm=1.0)
        tables.append(w)
    close(*tables)


@pytest.mark.parametrize("classes", [-1, 5])
@pytest.mark.parametrize("index", [[0, 2, 1], [[3, 1], [0, 0]], 2])
def test_one_hot_matches(index, classes):
    close(*(m.nn.functional.one_hot(m.tensor(index), classes) for m in (minigrad, torch)))


# Padding


@pytest.mark.parametrize(
    ("shape", "pad"),
    [((3,), (1, 2)), ((2, 3), (1, 2)), ((2, 3), (1, 0, 0, 2)), ((2, 3), (-1, 2)), ((2, 3, 2), (-1, -1, 1, 1, 0, 2))],
)
def test_padding_with_a_value_matches(shape, pad):
    x = np.random.default_rng(0).standard_normal(shape)
    for value in (None, 1.5):
        agree(lambda m, x, v=value: m.nn.functional.pad(x, pad, value=v), [x])


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(("shape", "pad"), [((2, 3), (1, 2)), ((2, 3, 4), (2, 1)), ((1, 2, 3, 4), (1, 2, 1, 2))])
def test_padding_with_the_input_matches(mode, shape, pad):
    if len(shape) == 4 and mode != "replicate":
        pad = (1, 2, 1, 1)
    x = np.random.default_rng(0).standard_normal(shape)
    agree(lambda m, x: m.nn.functional.pad(x, pad, mode), [x])


ERRORS = {
    "linear features": (lambda m, F: F.linear(m.ones(4, 5), m.ones(2, 3)), "this layer takes 3 features"),
    "linear vector": (lambda m, F: F.linear(m.ones(5), m.ones(2, 3), m.ones(2)), "cannot be multiplied"),
    "linear vector with bias": (
        lambda m, F: F.linear(m.ones(4, 3), m.ones(3), m.ones(())),
        r"\(out_features, in_features\)",
    ),
    "linear types": (lambda m, F: F.linear(m.ones(4, 3).double(), m.ones(2, 3)), "same dtype"),
    "linear of integers": (lambda m, F: F.linear(m.ones(4, 3).long(), m.ones(2, 3)), "same dtype"),
    "dropout": (lambda m, F: F.dropout(m.ones(2), 1.5), "between 0 and 1"),
    "layer_norm": (lambda m, F: F.layer_norm(m.ones(2, 3), (4,)), "expected input with shape"),
    "layer_norm weight": (lambda m, F: F.layer_norm(m.ones(2, 3), (3,), m.ones(2)), "same shape as normalized_shape"),
    "batch_norm of one": (lambda m, F: F.batch_norm(m.ones(1, 3), None, None, training=True), "more than 1 value"),
    "batch_norm without statistics": (lambda m, F: F.batch_norm(m.ones(2, 3), None, None), "to be defined"),
    "embedding range": (lambda m, F: F.embedding(m.tensor([3]), m.ones(3, 2)), "index out of range"),
    "embedding float": (lambda m, F: F.embedding(m.ones(3), m.ones(3, 2)), r"\.long\(\)"),
    "one_hot float": (lambda m, F: F.one_hot(m.ones(3)), r"\.long\(\)"),
    "one_hot negative": (lambda m, F: F.one_hot(m.tensor([-1])), "non-negative"),
    "one_hot classes": (lambda m, F: F.one_hot(m.tensor([3]), 2), "smaller than num_classes"),
    "pad odd": (lambda m, F: F.pad(m.ones(2), (1,)), "divisible by 2"),
    "pad too long": (lambda m, F: F.pad(m.ones(2), (1, 1, 1, 1)), "two times the input dimension"),
    "pad mode": (lambda m, F: F.pad(m.ones(2, 2), (1, 1), "mirror"), "mirror"),
    "gelu": (lambda m, F: F.gelu(m.ones(2), approximate="fast"), "none or tanh"),
    "hardtanh": (lambda m, F: F.hardtanh(m.ones(2), 2.0, 1.0), "cannot be greater"),
    "softshrink": (lambda m, F: F.softshrink(m.ones(2), -1.0), "greater or equal to 0"),
    "prelu": (lambda m, F: F.prelu(m.ones(2, 3), m.ones(2)), "channel size"),
}


@pytest.mark.parametrize("case", list(ERRORS))
def test_mistakes_raise_as_in_pytorch_and_say_what_to_do(case):
    program, advice = ERRORS[case]
    same_error(lambda m: program(m, m.nn.functional), advice)


@pytest.mark.parametrize("option", ["sparse", "scale_grad_by_freq"])
def test_what_embedding_lacks_is_refused(option):
    with pytest.raises(NotImplementedError, match="leave them out"):
        minigrad.nn.functional.embedding(minigrad.tensor([0]), minigrad.ones(1, 1), **{option: True})


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [-1, 0])
def test_gumbel_softmax_draws_and_learns_as_in_pytorch(hard, dim):
    found = []
    for m in (minigrad, torch):
        m.manual_seed(0)
        x = m.linspace(-1, 1, 12, dtype=m.float64).reshape(3, 4).requires_grad_()
        y = m.nn.functional.gumbel_softmax(x, tau=0.7, hard=hard, dim=dim)
        (y * m.arange(12.0, dtype=m.float64).reshape(3, 4)).sum().backward()
        found += [y.detach().numpy(), x.grad.numpy()]
    np.testing.assert_allclose(found[0], found[2], 1e-12, 1e-12)
    np.testing.assert_allclose(found[1], found[3], 1e-12, 1e-12)
