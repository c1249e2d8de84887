"""Plain NumPy on tensors: the values and types that NumPy gives for arrays, and gradients like its central differences."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minigrad as torch
from minigrad.numpy_protocol import ACCUMULATIONS, CONSTANT, FUNCTIONS, REDUCTIONS, UFUNCS
from tests.minigrad.numpy_rows import DOMAINS, OF_BITS, POSITIVE, ROWS, UFUNC_METHODS, Call, M


def flat(result: Any) -> list[Any]:
    """The parts of a result: of a tuple or list its elements, unless they are plain numbers."""
    several = isinstance(result, (tuple, list)) and any(
        isinstance(x, (torch.Tensor, np.ndarray, np.generic)) for x in result
    )
    return list(result) if several else [result]


def same(ours: Any, numpys: Any) -> None:
    """Fails unless our result is NumPy's: tensors for arrays, of their type, shape and values."""
    assert len(flat(ours)) == len(flat(numpys))
    for got, wanted in zip(flat(ours), flat(numpys), strict=True):
        if not isinstance(wanted, (np.ndarray, np.generic)):
            assert not isinstance(got, torch.Tensor)
            assert got == wanted
            continue
        wanted = np.asarray(wanted)
        assert isinstance(got, torch.Tensor)
        assert got.array.dtype == wanted.dtype
        assert got.array.shape == wanted.shape
        exact = 1e-12 if wanted.dtype == np.float64 else 2e-5
        np.testing.assert_allclose(got.array, wanted, rtol=exact, atol=exact)


def check_values(call: Call, xs: list[np.ndarray]) -> None:
    for dtype in (np.float64, np.float32):
        cast = [x.astype(dtype) for x in xs]
        with np.errstate(all="ignore"):
            wanted = call(*cast)
        same(call(*[torch.from_numpy(x) for x in cast]), wanted)


def check_gradients(call: Call, xs: list[np.ndarray], eps: float = 1e-6) -> None:
    """Fails unless the gradients of a weighted sum of the results are the central differences of NumPy's results."""
    tensors = [torch.from_numpy(x.copy()).requires_grad_() for x in xs]
    parts = [
        (k, y) for k, y in enumerate(flat(call(*tensors))) if isinstance(y, torch.Tensor) and y.is_floating_point()
    ]
    rng = np.random.default_rng(1)
    weights = {k: rng.uniform(0.5, 1.5, y.shape) for k, y in parts}
    recorded = [(y * torch.from_numpy(np.asarray(weights[k]))).sum() for k, y in parts if y.requires_grad]
    for part in recorded:
        part.backward(retain_graph=True)

    def loss(moved: list[np.ndarray]) -> float:
        with np.errstate(all="ignore"):
            results = flat(call(*moved))
        return float(sum(np.sum(weights[k] * results[k]) for k in weights))

    for x, tensor in zip(xs, tensors, strict=True):
        slope = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            sides = []
            for step in (eps, -eps):
                moved = x.copy()
                moved[at] += step
                sides.append(loss([moved if other is x else other for other in xs]))
            slope[at] = (sides[0] - sides[1]) / (2 * eps)
        got = np.zeros(x.shape) if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(got, slope, rtol=1e-5, atol=1e-6)


def drawn(seed: int, shapes: Any, low: float = -2.5, high: float = 2.5) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(low, high, shape)) for shape in shapes]


few = settings(max_examples=5, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def label(row: Any) -> str:
    return getattr(row, "__qualname__", None) or row.__name__


@pytest.mark.parametrize("ufunc", DOMAINS, ids=label)
@settings(max_examples=10, deadline=None)
@given(data=st.data(), seed=SEEDS)
def test_ufuncs_give_numpys_values_and_its_central_differences(ufunc: Any, data: Any, seed: int) -> None:
    shapes = data.draw(mutually_broadcastable_shapes(num_shapes=ufunc.nin, max_dims=2, max_side=3, min_side=0))
    xs = drawn(seed, shapes.input_shapes, *DOMAINS[ufunc])
    check_values(ufunc, xs)
    check_gradients(ufunc, xs)


@pytest.mark.parametrize("ufunc", OF_BITS, ids=label)
@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint8])
def test_ufuncs_of_bits_give_numpys_values(ufunc: Any, dtype: Any) -> None:
    xs = [np.array([0, 1, 1, 0]).astype(dtype), np.array([1, 1, 0, 0]).astype(dtype)][: ufunc.nin]
    same(ufunc(*map(torch.from_numpy, xs)), ufunc(*xs))


CALLS = [
    pytest.param(function, shapes, call, id=f"{label(function)}-{k}")
    for function, rows in (*ROWS.items(), *UFUNC_METHODS.items())
    for k, (shapes, call) in enumerate(rows)
]


@pytest.mark.parametrize(("function", "shapes", "call"), CALLS)
@few
@given(seed=SEEDS)
def test_functions_give_numpys_values_and_its_central_differences(
    function: Any, shapes: Any, call: Call, seed: int
) -> None:
    xs = drawn(seed, shapes)
    check_values(lambda *args: call(function, *args), xs)
    check_gradients(lambda *args: call(function, *args), xs)


def test_every_entry_of_the_tables_has_a_row() -> None:
    assert set(UFUNCS) == {*DOMAINS, *OF_BITS, np.matmul}
    assert set(FUNCTIONS) | CONSTANT == set(ROWS)
    assert not set(FUNCTIONS) & CONSTANT
    methods = {*(u.reduce for u in REDUCTIONS), *(u.accumulate for u in ACCUMULATIONS)}
    assert methods <= set(UFUNC_METHODS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=label)
def test_arguments_have_numpys_names_and_places(function: Any) -> None:
    numpys = list(inspect.signature(function).parameters)
    for place, parameter in enumerate(inspect.signature(FUNCTIONS[function]).parameters.values()):
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.name in numpys or "kwargs" in numpys
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            assert numpys[place] == parameter.name


# Operators with arrays and NumPy's scalars on the left

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "//": lambda a, b: a // b, "%": lambda a, b: a % b, "**": lambda a, b: a**b, "@": lambda a, b: a @ b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
@few
@given(seed=SEEDS)
def test_an_array_and_a_tensor_give_a_recorded_tensor(operator: str, seed: int) -> None:
    a, b = drawn(seed, M * 2, *POSITIVE)
    check_values(
        lambda t: OPERATORS[operator](a.astype(t.dtype if isinstance(t, np.ndarray) else t.array.dtype), t), [b]
    )
    check_gradients(lambda t: OPERATORS[operator](a, t), [b])


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"@"}))
@pytest.mark.parametrize("scalar", [np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5)], ids=repr)
def test_a_numpy_scalar_does_not_promote_a_tensor(operator: str, scalar: Any) -> None:
    t = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    found = OPERATORS[operator](scalar, t)
    wanted = OPERATORS[operator](np.float32(scalar), np.array([1.0, 2.0, 4.0], np.float32))
    assert found.dtype == (torch.bool if wanted.dtype == bool else torch.float32)
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-6)


def test_integers_become_the_default_floating_type() -> None:
    t = torch.tensor([1, 2, 4])
    for found in (np.exp(t), np.mean(t), np.var(t), np.linalg.norm(t), np.true_divide(t, 2)):
        assert found.dtype == torch.float32


def test_types_meet_in_products() -> None:
    a, t = np.ones((2, 3)), torch.ones(3, 2)
    for found in (a @ t, np.dot(a, t), np.tensordot(a, t, 1), np.einsum("ij,jk->ik", a, t), np.inner(a, t.T)):
        assert found.dtype == torch.float64


def test_a_gradient_can_be_differentiated_again() -> None:
    t = torch.tensor([[0.1, 0.2], [0.3, 0.5]], requires_grad=True, dtype=torch.float64)
    (g,) = torch.autograd.grad(np.sum(np.exp(np.dot(t, t))) ** 0.5, t, create_graph=True)
    (h,) = torch.autograd.grad(np.sum(g * g), t)

    def slope(x: np.ndarray) -> np.ndarray:
        inner = np.exp(x @ x)
        return (inner @ x.T + x.T @ inner) * (0.5 / np.sqrt(inner.sum()))

    x, eps = t.detach().numpy(), 1e-6
    np.testing.assert_allclose(g.detach().numpy(), slope(x), rtol=1e-9)
    wanted = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = eps
        wanted[at] = ((slope(x + step) ** 2).sum() - (slope(x - step) ** 2).sum()) / (2 * eps)
    np.testing.assert_allclose(h.numpy(), wanted, rtol=1e-6)


def test_ties_share_the_gradient_of_an_extreme() -> None:
    t = torch.tensor([[3.0, 3.0, 1.0]], requires_grad=True)
    np.max(t, axis=1).sum().backward()
    assert t.grad.tolist() == [[0.5, 0.5, 0.0]]


def test_the_product_of_zeros_has_the_right_gradient() -> None:
    t = torch.tensor([[0.0, 2.0], [3.0, 1.0]], requires_grad=True)
    np.prod(t, axis=(0, 1)).backward()
    assert t.grad.tolist() == [[6.0, 0.0], [0.0, 0.0]]


def test_results_without_a_gradient_are_tensors_of_indices_and_truth() -> None:
    t = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    assert np.argsort(t).tolist() == [1, 2, 0]
    assert np.isclose(t, 2.0).dtype == torch.bool
    assert not np.argmax(t).requires_grad
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((3,), 1, 3)
    assert np.allclose(t, [3.0, 1.0, 2.0]) is True


def test_the_median_of_nan_is_nan() -> None:
    x = np.array([[1.0, np.nan, 2.0], [3.0, 1.0, 2.0]])
    same(np.median(torch.from_numpy(x), axis=1), np.median(x, axis=1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_nan_to_num_takes_the_largest_finite_numbers_for_infinities(dtype: Any) -> None:
    x = np.array([1, -2]).astype(dtype) if dtype is np.int64 else np.array([np.inf, -np.inf, np.nan, 1], dtype)
    same(np.nan_to_num(torch.from_numpy(x)), np.nan_to_num(x))


def test_an_index_from_a_tensor_takes_from_an_array() -> None:
    found = np.take_along_axis(np.array([1.0, 2.0, 3.0]), torch.tensor([2, 0]), axis=0)
    assert isinstance(found, torch.Tensor)
    assert found.tolist() == [3.0, 1.0]


# What is refused


def leaf() -> torch.Tensor:
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


def add_to_an_array(t: torch.Tensor) -> None:
    a = np.ones(3)
    a += t


IN_PLACE: dict[str, Callable[[torch.Tensor], Any]] = {
    "array += tensor": add_to_an_array,
    "out=tensor": lambda t: np.add(np.ones(3), np.ones(3), out=t),
    "out=array": lambda t: np.exp(t, out=np.ones(3)),
    "sum with out=tensor": lambda t: np.sum(np.ones((2, 3)), axis=0, out=t),
    "reduce with out=array": lambda t: np.add.reduce(t, out=np.ones(())),
}


@pytest.mark.parametrize("change", IN_PLACE)
def test_writing_in_place_raises_and_says_what_to_write(change: str) -> None:
    with pytest.raises(TypeError, match=r"in place.*write y = y \+ x, or x\.add_\(y\)"):
        IN_PLACE[change](leaf())


UNSUPPORTED: dict[str, Callable[[torch.Tensor], Any]] = {
    "np.spacing": np.spacing,
    "np.gcd": lambda t: np.gcd(t, t),
    "np.subtract.reduce": np.subtract.reduce,
    "np.maximum.accumulate": np.maximum.accumulate,
    "np.add.reduceat": lambda t: np.add.reduceat(t, [0, 1]),
    "np.add.at": lambda t: np.add.at(t, [0], 1.0),
    "np.exp with where": lambda t: np.exp(t, where=np.array([True, False, True])),
    "np.percentile": lambda t: np.percentile(t, 50),
    "np.interp": lambda t: np.interp(t, [0, 1], [0, 1]),
    "np.copyto": lambda t: np.copyto(np.ones(3), t),
    "np.fft.fft": np.fft.fft,
    "np.linalg.svd": lambda t: np.linalg.svd(np.reshape(t, (3, 1))),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_not_supported_raises_with_its_name_and_the_way_out(name: str) -> None:
    with pytest.raises(TypeError, match=r"tensor\.detach\(\)\.numpy\(\)") as caught:
        UNSUPPORTED[name](leaf())
    assert str(caught.value).startswith(f"{name} of a tensor is not supported")


ARGUMENTS: dict[str, tuple[Callable[[torch.Tensor], Any], str]] = {
    "sum where": (
        lambda t: np.sum(t, where=np.array([True, False, True])),
        r"np\.sum of a tensor: .*'where'; it takes a",
    ),
    "sum initial": (lambda t: np.sum(t, initial=2.0), r"'initial'; it takes a, axis, dtype, keepdims"),
    "positional out": (lambda t: np.sum(t, 0, None, np.ones(())), "too many positional arguments"),
    "order K": (lambda t: np.ravel(t, order="K"), "'C' or 'F'"),
    "pad mode": (lambda t: np.pad(t, 1, mode="mean"), "mode 'mean' of a tensor|in mode 'mean' is not supported"),
    "singular values": (lambda t: np.linalg.norm(np.reshape(t, (3, 1)), 2), "needs singular values"),
    "einsum by lists": (lambda t: np.einsum(t, [0], [0]), "write the equation as a string"),
    "complex": (lambda t: np.array([1j, 2, 3]) * t, "no tensors of type complex128"),
    "text": (lambda t: np.add(t, ["a", "b", "c"]), "no tensors of type <U1"),
    "complex dtype": (lambda t: np.sum(t, dtype=complex), "no tensors of type complex128"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_are_not_supported_raise_type_errors(name: str) -> None:
    call, message = ARGUMENTS[name]
    with pytest.raises(TypeError, match=message):
        call(leaf())


SHAPES: dict[str, tuple[Callable[[torch.Tensor], Any], type[Exception]]] = {
    "axis": (lambda t: np.sum(t, axis=1), np.exceptions.AxisError),
    "axis twice": (lambda t: np.mean(t, axis=(0, 0)), ValueError),
    "squeeze": (lambda t: np.squeeze(t, axis=0), ValueError),
    "split": (lambda t: np.split(t, 2), ValueError),
    "array_split by 0": (lambda t: np.array_split(t, 0), ValueError),
    "where of two": (lambda t: np.where(t > 0, t), ValueError),
    "tensordot": (lambda t: np.tensordot(t, np.ones((2, 2)), 1), ValueError),
    "norm of a cube": (lambda t: np.linalg.norm(np.reshape(t, (3, 1, 1)), 1), ValueError),
    "order of a vector's norm": (lambda t: np.linalg.norm(t, "fro"), ValueError),
    "cross": (lambda t: np.cross(t, np.ones(4)), ValueError),
    "indexing": (lambda t: np.meshgrid(t, t, indexing="yx"), ValueError),
    "weights": (lambda t: np.average(np.reshape(t, (3, 1)), axis=0, weights=np.ones(2)), ValueError),
}


@pytest.mark.parametrize("name", SHAPES)
def test_wrong_shapes_raise_what_numpy_raises(name: str) -> None:
    call, error = SHAPES[name]
    with pytest.raises(error):
        call(leaf())
    with pytest.raises(error):
        call(np.array([1.0, 2.0, 3.0]))  # type: ignore[arg-type]  # NumPy's own answer


def test_a_foreign_array_type_is_asked_in_turn() -> None:
    class Foreign:
        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> str:
            return "foreign"

    assert np.concatenate([leaf(), Foreign()]) == "foreign"
