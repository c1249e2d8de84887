"""detect_anomaly names the first value or gradient that is not finite: where it is, where it was born, and why."""

import inspect
import math
import sys

import numpy as np
import pytest
import torch as real_torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as torch
from minigrad.autograd.anomaly import AnomalyError, Step
from minigrad.autograd.causes import ELEMENTWISE
from minigrad.engine import Primitive
from minigrad.grad_mode import mode
from tests.minigrad.debug.healthy import runs

INF, NAN = math.inf, math.nan


def leaf(*values, dtype=torch.float32):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def found(fault, *args):
    """The anomaly that running ``fault`` raises."""
    with torch.autograd.detect_anomaly(), pytest.raises(AnomalyError) as error:
        fault(*args)
    return error.value.anomaly


def line_of(fault):
    return f"{__file__.rsplit('/', 1)[-1]}:{fault.__code__.co_firstlineno}"


# operation, fault, inputs, index, value, words of the cause
FORWARD = [
    ("log", lambda x: x.log(), (1, 0, 2), (1,), -INF, "logarithm of 0"),
    ("log", lambda x: x.log(), (1, 2, -3), (2,), NAN, "no real number for x < 0"),
    ("log2", lambda x: x.log2(), (0,), (0,), -INF, "logarithm of 0"),
    ("log10", lambda x: x.log10(), (-1, 1), (0,), NAN, "no real number"),
    ("log1p", lambda x: x.log1p(), (0, -1), (1,), -INF, "of 0"),
    ("log1p", lambda x: x.log1p(), (0, -2), (1,), NAN, "no real number"),
    ("sqrt", lambda x: x.sqrt(), (1, -4), (1,), NAN, "no real number for x < 0"),
    ("rsqrt", lambda x: x.rsqrt(), (0, 1), (0,), INF, "divides by 0"),
    ("reciprocal", lambda x: x.reciprocal(), (1, 0), (1,), INF, "divides by 0"),
    ("asin", lambda x: x.asin(), (0.5, 1.5), (1,), NAN, "from -1 to 1"),
    ("acos", lambda x: x.acos(), (0.5, -2), (1,), NAN, "from -1 to 1"),
    ("div", lambda x: x / torch.tensor([1.0, 0.0]), (1, 3), (1,), INF, "divides by 0"),
    ("div", lambda x: x / x, (1, 0), (1,), NAN, "0 / 0"),
    ("exp", lambda x: x.exp(), (0, 100), (1,), INF, "passes 3.4e+38, the largest float32, from |x| = 88.72 on"),
    ("expm1", lambda x: x.expm1(), (100, 0), (0,), INF, "passes 3.4e+38"),
    ("sinh", lambda x: x.sinh(), (-100, 0), (0,), -INF, "|x| = 89.42"),
    ("mul", lambda x: x * 1e30, (1, 1e20), (1,), INF, "passes 3.4e+38"),
    ("mul", lambda x: x * torch.tensor([1.0, INF]), (1, 0), (1,), NAN, "0 * inf"),
    ("sub", lambda x: x.masked_fill(x > 0, INF) - INF, (-1, 1), (1,), NAN, "inf - inf"),
    ("pow", lambda x: x**0.5, (4, -1), (1,), NAN, "no real power 0.5"),
    ("pow", lambda x: x**-1.5, (0, 1), (0,), INF, "0 to the power -1.5"),
    ("pow", lambda x: x ** torch.tensor([1.0, 2.0]), (0, 1e30), (1,), INF, "passes 3.4e+38"),
    ("var", lambda x: x[:1].var(), (1, 2), (), NAN, "n - 1 = 0"),
    ("mean", lambda x: x[:0].mean(), (1, 2), (), NAN, "no elements"),
    ("sum", lambda x: x.sum(), (3e38, 3e38), (), INF, "sums or products"),
    ("softmax", lambda x: x.masked_fill(x < 5, -INF).softmax(0), (1, 2), (0,), NAN, "every entry is -inf"),
]


@pytest.mark.parametrize(("operation", "fault", "inputs", "index", "value", "words"), FORWARD)
def test_a_value_born_in_the_forward_pass_is_named(operation, fault, inputs, index, value, words):
    anomaly = found(fault, leaf(*map(float, inputs)))
    assert (anomaly.phase, anomaly.operation, anomaly.born) == ("forward", operation, True)
    assert anomaly.index == index
    np.testing.assert_equal(anomaly.value, value)
    assert words in str(anomaly)
    assert line_of(fault) in str(anomaly)
    assert anomaly.origin.carets
    assert anomaly.origin.code in inspect.getsource(fault)


def where_fault(x):
    y = torch.where(x > 0, x.sqrt(), 0.0)
    y.sum().backward()


def test_the_root_that_where_hides_is_explained():
    anomaly = found(where_fault, leaf(4.0, 0.0))
    assert (anomaly.phase, anomaly.operation, anomaly.rule) == ("backward", "sqrt", "SqrtBackward0")
    assert (anomaly.index, anomaly.upstream, anomaly.slope) == ((1,), 0.0, INF)
    assert anomaly.values == {"x": 0.0, "y": 0.0}
    assert anomaly.formula == "g / (2 * y)"
    text = str(anomaly)
    assert text.startswith("Function 'SqrtBackward0' returned nan values in its 0th output.")
    assert "0 * inf is nan" in text
    assert "The 0 comes from where" in text
    assert "chose its other branch there" in text
    assert "where(c, sqrt(where(c, x, 1)), other)" in text
    at = where_fault.__code__.co_firstlineno + 1
    assert f"test_anomaly.py:{at}:" in text
    assert "    y = torch.where(x > 0, x.sqrt(), 0.0)\n                           ^^^^^^^^\n" in text


def test_the_remedy_for_where_works():
    x = leaf(4.0, 0.0)
    with torch.autograd.detect_anomaly():
        torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0).sum().backward()
    assert x.grad.tolist() == [0.25, 0.0]


# the operation blamed, fault, inputs, index, words of the explanation
BACKWARD = [
    ("sqrt", lambda x: x.sqrt().sum(), (4, 0), (1,), "the slope of sqrt there is inf"),
    ("sqrt", lambda x: (x.sqrt() * 0).sum(), (4, 0), (1,), "which multiplied by 0 there"),
    ("sqrt", lambda x: x.sqrt()[:1].sum(), (4, 0), (1,), "which did not take this element"),
    ("pow", lambda x: (x**0.5).sum(), (4, 0), (1,), "the slope of pow there is inf"),
    ("pow", lambda x: torch.where(x > 0, x**0.5, x).sum(), (4, 0), (1,), "chose its other branch"),
    ("asin", lambda x: x.asin().sum(), (0, 1), (1,), "the slope of asin there is inf"),
    ("acos", lambda x: x.acos().sum(), (0, -1), (1,), "slope of acos there is"),
    ("div", lambda x: (torch.ones(2) * 1e-10 / x).sum(), (1, 1e-30), (1,), "the slope of div there is"),
    ("mul", lambda x: (x * 1e30 * 1e30).sum(), (1e-30, 1e-35), (0,), "a product on the way passes"),
]


@pytest.mark.parametrize(("operation", "fault", "inputs", "index", "words"), BACKWARD)
def test_a_gradient_born_in_a_rule_is_named(operation, fault, inputs, index, words):
    anomaly = found(lambda x: fault(x).backward(), leaf(*map(float, inputs)))
    assert (anomaly.phase, anomaly.operation, anomaly.born) == ("backward", operation, True)
    assert anomaly.index == index
    assert words in str(anomaly)
    assert line_of(fault) in str(anomaly)


def test_the_gradient_of_a_broadcast_input_names_the_element_it_came_from():
    x, scale = torch.ones(2, 3), leaf(1.0, 2.0, 0.0)
    anomaly = found(lambda: (x * torch.where(scale > 0, scale.sqrt(), 0.0)).sum().backward())
    assert (anomaly.operation, anomaly.index) == ("sqrt", (2,))
    divisor = leaf(2.0, 1e-30)
    anomaly = found(lambda: (torch.full((3, 2), 1e-10) / divisor).sum().backward())
    assert (anomaly.argument, anomaly.position) == ("other", 1)
    assert anomaly.values["other"] == pytest.approx(1e-30)


def test_the_first_of_two_gradients_to_one_tensor_is_told_from_the_second():
    anomaly = found(lambda x: (x / x * 1e20).sum().backward(), leaf(1e-30))
    assert (anomaly.operation, anomaly.position, anomaly.argument) == ("div", 0, "x")


def test_a_value_passed_on_names_where_it_was_born():
    def fault(x):
        with torch.no_grad():
            zero = torch.tensor([0.0, 1.0])
            scaled = zero / zero
        shifted = scaled + 1
        return x * shifted

    anomaly = found(fault, leaf(1.0, 2.0))
    assert (anomaly.operation, anomaly.born, anomaly.index) == ("mul", False, (0,))
    assert (anomaly.source.operation, anomaly.source.born) == ("div", True)
    text, first = str(anomaly), fault.__code__.co_firstlineno
    assert f"test_anomaly.py:{first + 5}:\n    return x * shifted" in text
    assert f"test_anomaly.py:{first + 3}:\n        scaled = zero / zero\n                 ^^^^^^^^^^^" in text
    assert "Passed on: its input other[0] is nan" in text


def test_nan_in_the_data_is_passed_on():
    anomaly = found(lambda w: w * torch.tensor([1.0, NAN]), leaf(1.0, 1.0))
    assert not anomaly.born
    assert "its input other[1] is nan, in a tensor of shape (2,)" in str(anomaly)


def test_nan_given_as_a_number_is_passed_on():
    for fault in (lambda x: x.masked_fill(x > 1, NAN), lambda x: x * NAN):
        anomaly = found(fault, leaf(1.0, 2.0))
        assert not anomaly.born
        assert "is nan" in anomaly.cause
        assert "its argument" in anomaly.cause


def test_nan_written_in_place_is_passed_on():
    def fault(x):
        y = x * 2
        y[1] = NAN

    anomaly = found(fault, leaf(1.0, 2.0))
    assert (anomaly.born, anomaly.index) == (False, (1,))
    assert "y[1] = NAN" in str(anomaly)


def test_an_operation_in_place_is_seen_before_it_writes():
    y = leaf(1.0, 0.0) * 1
    with torch.autograd.detect_anomaly(), pytest.raises(AnomalyError, match="log gave -inf"):
        y.log_()
    assert y.tolist() == [1.0, 0.0]


class TwoOutputs(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, g, h):
        return g / 0 if float(g.sum()) > 5 else g * 2 + h * 3


def test_a_function_of_two_outputs_is_watched():
    def program(x, scale):
        a, b = TwoOutputs.apply(x)
        (a.sum() * scale + b.sum()).backward()

    x = leaf(1.0, 2.0)
    with torch.autograd.detect_anomaly():
        program(x, 1.0)
    assert x.grad.tolist() == [5.0, 5.0]
    anomaly = found(program, leaf(1.0, 2.0), 100.0)
    assert (anomaly.rule, anomaly.operation) == ("TwoOutputsBackward", "TwoOutputs")


@pytest.mark.parametrize("fault", [row[1] for row in BACKWARD[1:3]])
def test_the_first_sentence_is_pytorchs(fault):
    x = real_torch.tensor([4.0, 0.0], requires_grad=True)
    warned = pytest.warns(UserWarning, match="Error detected in SqrtBackward0")
    with warned, pytest.raises(RuntimeError) as theirs, real_torch.autograd.set_detect_anomaly(True):
        fault(x).backward()
    assert str(found(lambda x: fault(x).backward(), leaf(4.0, 0.0))).splitlines()[0] == str(theirs.value)


@pytest.mark.parametrize("module", [sys.modules[name] for name in sorted(ELEMENTWISE)], ids=lambda m: m.__name__)
@np.errstate(all="ignore")
def test_what_counts_as_elementwise_is(module):
    """Changing one element of one input changes no other element of the output."""
    rng, tried = np.random.default_rng(0), 0
    for primitive in vars(module).values():
        if not isinstance(primitive, Primitive) or primitive.variadic:
            continue
        count = sum(name not in primitive.defaults for name in primitive.names)
        for dtype in (np.float64, np.bool_):
            args = [rng.uniform(0.1, 0.9, (3, 3)).astype(dtype) for _ in range(count)]
            args += list(primitive.defaults.values())
            try:
                output = primitive.forward(*args)
                step = Step(primitive, args, output, None)
                if not step.elementwise:
                    continue
                for i in range(count):
                    changed = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
                    changed[i][0, 2] = 0.95 if dtype is np.float64 else not changed[i][0, 2]
                    differs = ~np.isclose(primitive.forward(*changed), output, equal_nan=True)
                    differs[0, 2] = False
                    assert not differs.any(), primitive.__name__
            except (TypeError, ValueError, LookupError, RuntimeError, AttributeError):
                continue  # not an operation on such arrays
            tried += 1
    assert tried or module.__name__ == "minigrad.engine"


def test_a_parameter_that_a_step_made_infinite_names_the_step():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e38)

    def steps():
        for _ in range(2):
            optimizer.zero_grad()
            (model(torch.ones(4, 3)).square().sum() * 100).backward()
            optimizer.step()

    text = str(found(steps))
    assert "a leaf with requires_grad=True, last changed by SGD.step()" in text
    assert "in Linear(in_features=3, out_features=2, bias=True)" in text


def test_an_infinite_parameter_is_blamed_before_an_overflow():
    anomaly = found(lambda x: x.sum(), leaf(INF, 3e38, 3e38))
    assert not anomaly.born
    assert "its input x[0] is inf" in str(anomaly)


def test_a_gradient_given_to_backward_is_passed_on():
    anomaly = found(lambda x: (x * 2).backward(torch.tensor([1.0, NAN])), leaf(1.0, 2.0))
    assert not anomaly.born
    assert "it was given to backward()" in str(anomaly)


def test_gradients_whose_sum_overflows_are_named():
    def fault(x):
        y = x * 1
        return (y * 3e38 + y * 2e38).sum()

    anomaly = found(lambda x: fault(x * 0.1).backward(), leaf(1.0))
    assert (anomaly.operation, anomaly.born) == ("mul", True)
    assert "each of the 2 gradients that arrived is finite, their sum is not" in str(anomaly)


def test_a_hook_that_spoils_a_gradient_is_suspected():
    def fault(x):
        y = x * 2
        y.register_hook(lambda g: g * NAN)
        (y * 3).sum().backward()

    assert "a hook on this tensor" in str(found(fault, leaf(1.0)))


class Careless(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.log()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g / (x - x)


def test_the_forward_of_a_function_is_seen_inside():
    anomaly = found(lambda x: Careless.apply(x), leaf(1.0, 0.0))
    assert (anomaly.operation, anomaly.index) == ("log", (1,))
    assert "return x.log()" in str(anomaly)


def test_the_backward_of_a_function_is_blamed():
    anomaly = found(lambda x: Careless.apply(x).sum().backward(), leaf(1.0, 2.0))
    assert (anomaly.rule, anomaly.operation) == ("CarelessBackward", "Careless")
    assert "the backward of Careless made it of a finite g, up to |g| = 1" in str(anomaly)


def test_a_graph_from_before_the_context_has_no_line():
    x = leaf(0.0)
    y = x.sqrt()
    anomaly = found(lambda: y.sum().backward())
    assert (anomaly.rule, anomaly.origin) == ("SqrtBackward0", None)
    assert "before detect_anomaly was on" in str(anomaly)


def test_double_backward_is_watched_too():
    def fault(x):
        (first,) = torch.autograd.grad((x**1.5).sum(), x, create_graph=True)
        first.sum().backward()

    anomaly = found(fault, leaf(1.0, 0.0))
    assert (anomaly.phase, anomaly.index) == ("backward", (1,))


def test_a_step_inside_a_rule_may_pass_through_inf():
    x, exponent = leaf(1.0, 0.0), leaf(2.0, 2.0)
    with torch.autograd.detect_anomaly():  # the rule for the exponent takes log(x) and masks it
        (found,) = torch.autograd.grad((x**exponent).sum(), exponent, create_graph=True)
    assert found.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "program",
    [
        lambda x: (x.masked_fill(x > 2, -INF)).softmax(0).sum().backward(),
        lambda x: (x + torch.tensor([0.0, -INF, 0.0])).softmax(0).sum().backward(),
        lambda x: (x + torch.tensor([1.0, 0.0, 1.0]).log()).softmax(0).sum().backward(),
        lambda x: torch.logsumexp(x + torch.tensor([0.0, -INF, 0.0]), 0).backward(),
        lambda x: x.clamp(max=INF).sum().backward(),
        lambda x: torch.maximum(x, torch.tensor(-INF)).sum().backward(),
    ],
)
def test_an_infinity_put_in_on_purpose_may_stay(program):
    x = leaf(1.0, 2.0, 3.0)
    with torch.autograd.detect_anomaly():
        program(x)
    assert np.isfinite(x.grad.numpy()).all()


def test_metrics_outside_the_graph_may_be_infinite():
    with torch.autograd.detect_anomaly(), torch.no_grad():
        assert torch.log10(torch.tensor(0.0)).item() == -INF


@pytest.mark.parametrize("make", runs(24))
def test_healthy_training_raises_nothing_and_computes_the_same(make):
    expected = make().train()
    with torch.autograd.detect_anomaly():
        assert make().train() == expected
    assert mode.tape is None


PLANTED = {
    "log": (torch.log, 0.0),
    "sqrt": (torch.sqrt, -1.0),
    "exp": (torch.exp, 1e4),
    "reciprocal": (torch.reciprocal, 0.0),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(PLANTED)), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_the_planted_element_is_the_one_named(name, shape, data):
    operation, bad = PLANTED[name]
    values = np.ones(shape)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    values[index] = bad
    x = torch.tensor(values).requires_grad_()
    anomaly = found(lambda: operation(x * 1 + 0).sum())
    assert (anomaly.operation, anomaly.index, anomaly.count, anomaly.size) == (name, index, 1, values.size)
    assert anomaly.values == {"x": bad}


def test_check_nan_false_raises_nothing():
    x = leaf(0.0)
    with torch.autograd.detect_anomaly(check_nan=False):
        x.sqrt().sum().backward()
        assert not torch.autograd.anomaly_mode.is_anomaly_check_nan_enabled()
    assert x.grad.item() == INF


def test_the_switch_turns_detection_on_and_off():
    enabled = torch.autograd.anomaly_mode.is_anomaly_enabled
    torch.autograd.set_detect_anomaly(True)
    assert enabled()
    with pytest.raises(AnomalyError):
        leaf(0.0).log()
    with torch.autograd.set_detect_anomaly(False):
        leaf(0.0).log()
    assert enabled()
    torch.autograd.set_detect_anomaly(False)
    assert not enabled()
    assert mode.tape is None


def test_contexts_nest_and_leave_as_they_came():
    with torch.autograd.detect_anomaly():
        with torch.autograd.detect_anomaly(check_nan=False):
            leaf(0.0).log()
        with pytest.raises(AnomalyError):
            leaf(0.0).log()
    leaf(0.0).log()


def test_the_error_is_a_runtime_error_as_in_pytorch():
    said = "Function 'SqrtBackward0' returned nan values in its 0th output"
    with pytest.raises(RuntimeError, match=said), torch.autograd.detect_anomaly():
        where_fault(leaf(0.0))


def test_a_compiled_step_is_looked_at_as_it_runs():
    w = leaf(1.0, 2.0)

    @torch.compile
    def step(x):
        w.grad = None
        loss = (w * x).log().sum()
        loss.backward()
        return loss

    for _ in range(4):
        step(torch.ones(2))
    assert found(step, torch.tensor([1.0, 0.0])).operation == "log"
    assert step(torch.ones(2)).item() == pytest.approx(math.log(2))


def test_history_is_not_kept_alive_after_the_graph():
    with torch.autograd.detect_anomaly():
        x = leaf(1.0, 2.0)
        for _ in range(3):
            (x.exp() * 2).sum().backward()
        watch = mode.tape
        assert len(watch.steps) == 0


def test_a_loss_that_overflows_has_a_usual_remedy() -> None:
    x = torch.tensor([1e30, -1e30], requires_grad=True)
    with pytest.raises(AnomalyError) as caught, torch.autograd.detect_anomaly():
        torch.nn.functional.mse_loss(x, torch.zeros(2))
    assert "a smaller learning rate" in str(caught.value)
