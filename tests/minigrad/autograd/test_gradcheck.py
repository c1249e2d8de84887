"""``gradcheck`` and ``gradgradcheck`` on functions of tensors, Functions, modules and NumPy functions."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad import nn
from minigrad.autograd import Function, GradcheckError, gradcheck, gradgradcheck
from minigrad.engine import Primitive
from minigrad.ops.kinks import maximum


def leaf(*shape: int, seed: int = 0, low: float | None = None) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) if low is None else rng.uniform(low, low + 2, shape)
    return mg.tensor(x, dtype=mg.float64, requires_grad=True)


def error_of(check: Any, *args: Any, **options: Any) -> GradcheckError:
    with pytest.raises(GradcheckError) as caught:
        check(*args, **options)
    return caught.value


class WrongTanh(Function):
    """Uses the input for the output."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return mg.tanh(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * (1 - x * x)


class Unsummed(Function):
    """Leaves the sum over the rows to the engine."""

    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g


class OnceOnly(Function):
    """Right, but its gradient has no history."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = mg.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        y = ctx.saved_tensors[0].detach()
        return g * (1 - y * y)


# PyTorch's face


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_arguments_have_the_names_and_kinds_of_pytorch(name: str) -> None:
    ours = inspect.signature(getattr(mg.autograd, name)).parameters
    theirs = inspect.signature(getattr(torch.autograd, name)).parameters
    assert [(p.name, p.kind) for p in ours.values()] == [(p.name, p.kind) for p in theirs.values()]


def test_the_error_is_a_runtime_error_of_pytorchs_name() -> None:
    assert issubclass(GradcheckError, RuntimeError)
    assert GradcheckError.__name__ == torch.autograd.gradcheck.__globals__["GradcheckError"].__name__


def test_a_right_gradient_returns_true() -> None:
    assert gradcheck(lambda x, w: mg.tanh(x @ w).sum(0), (leaf(3, 5), leaf(5, 7, seed=1))) is True
    assert gradgradcheck(lambda x, w: mg.tanh(x @ w).sum(0), (leaf(3, 5), leaf(5, 7, seed=1))) is True


def test_a_wrong_gradient_returns_false_without_raise_exception() -> None:
    assert gradcheck(WrongTanh.apply, leaf(3), raise_exception=False) is False


def test_no_input_with_a_gradient_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradcheck(mg.tanh, mg.ones(3))


@pytest.mark.parametrize("name", ["check_batched_grad", "check_forward_ad", "check_batched_forward_grad"])
def test_what_minigrad_has_not_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match=name):
        gradcheck(mg.tanh, leaf(3), **{name: True})


@pytest.mark.parametrize("m", [mg, torch], ids=["minigrad", "torch"])
def test_nothing_to_check_is_an_assertion_error(m: Any) -> None:
    x = m.ones(3, dtype=m.float64, requires_grad=True)
    with pytest.raises(AssertionError, match="at least one of check_forward_ad or check_backward_ad to be True"):
        m.autograd.gradcheck(m.tanh, x, check_backward_ad=False, check_undefined_grad=False)
    with pytest.raises(AssertionError, match="at least one of check_fwd_over_rev or check_rev_over_rev to be True"):
        m.autograd.gradgradcheck(m.tanh, x, check_rev_over_rev=False, check_undefined_grad=False)


def test_eps_atol_and_rtol_mean_what_they_mean_in_pytorch() -> None:
    class Slightly(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * (1 - mg.tanh(x) ** 2) * 1.0005

    assert gradcheck(Slightly.apply, leaf(3), eps=1e-6, atol=1e-5, rtol=1e-3)
    assert error_of(gradcheck, Slightly.apply, leaf(3)).report.code == "factor"
    text = str(error_of(gradcheck, WrongTanh.apply, leaf(3), atol=1e-5, rtol=1e-3))
    assert "1e-05 + 0.001 * |numeric|" in text


# Kinds of functions


def test_a_module_is_checked_with_its_parameters_and_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    before = [p.detach().numpy().copy() for p in model.parameters()]
    x = mg.rand(5, 4, requires_grad=True)  # float32, as the parameters are
    assert gradcheck(model, x)
    assert gradgradcheck(model, x)
    for p, b in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), b)
        assert p.dtype == mg.float32


def test_a_wrong_parameter_gradient_of_a_module_is_named_by_its_parameter() -> None:
    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(mg.rand(4))

        def forward(self, x: Any) -> Any:
            return x * self.weight.detach() + x * self.weight

    report = error_of(gradcheck, Layer(), leaf(4)).report
    assert report.diagnosis is not None
    assert report.diagnosis.input == "parameter 'weight'"
    assert report.worst is not None
    assert report.worst.input == "parameter 'weight'"


def test_a_numpy_function_is_checked_on_arrays() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    assert gradcheck(lambda x: np.sum(np.exp(x) * x, axis=0), x)


def test_scalars_are_checked_to_second_order() -> None:
    x = mg.tensor(0.7, dtype=mg.float64, requires_grad=True)
    for check in (gradcheck, gradgradcheck):
        assert check(lambda x: mg.sin(x) * x, x)
        assert check(lambda v: v[0] * v[1].exp(), leaf(2))


def test_several_inputs_and_outputs_and_integers_among_them() -> None:
    index = mg.tensor([2, 0, 0])
    assert gradcheck(lambda x, i, w: (x[i] * w, (x * 2).sum()), (leaf(3, 2), index, leaf(2, seed=1)))


def test_an_output_without_history_is_reported_as_detached() -> None:
    assert error_of(gradcheck, lambda x: x.detach() * 2, leaf(3)).report.code == "detached"
    assert error_of(gradcheck, lambda x: x.detach() * x + x * 0, leaf(3)).report.code == "detached"


def test_dropout_is_reported_as_not_deterministic() -> None:
    assert error_of(gradcheck, nn.Dropout(0.5), leaf(30)).report.code == "nondeterministic"


def test_a_function_without_real_outputs_has_nothing_to_be_wrong() -> None:
    for m in (mg, torch):
        x = m.tensor([1.0, 3.0, 2.0], dtype=m.float64, requires_grad=True)
        assert m.autograd.gradcheck(lambda x: x.argmax(), x)


def test_noise_below_nondet_tol_is_forgiven() -> None:
    class Noisy(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 - mg.tanh(ctx.saved_tensors[0]) ** 2) + 1e-7 * mg.rand(3, dtype=mg.float64) * g

    assert error_of(gradcheck, Noisy.apply, leaf(3)).report.code == "not_repeatable"
    assert gradcheck(Noisy.apply, leaf(3), nondet_tol=1e-6)


def test_an_empty_input_is_right() -> None:
    assert gradcheck(lambda x: mg.tanh(x), leaf(0, 3))


# What is not forgiven


def test_a_broadcast_sum_that_the_engine_does_is_reported() -> None:
    x, b = leaf(3, 4), leaf(4, seed=1)
    report = error_of(gradcheck, Unsummed.apply, (x, b)).report
    assert report.code == "no_broadcast_sum"
    assert report.diagnosis is not None
    assert report.diagnosis.axis == 0
    assert "g.sum(0)" in report.diagnosis.sentence
    theirs = [torch.tensor(v.detach().numpy(), requires_grad=True) for v in (x, b)]

    class TorchUnsummed(torch.autograd.Function):
        forward = staticmethod(Unsummed.forward)
        backward = staticmethod(Unsummed.backward)

    assert torch.autograd.gradcheck(TorchUnsummed.apply, theirs)  # PyTorch lets it pass


def test_a_sum_left_to_the_engine_inside_a_larger_function_is_reported() -> None:
    report = error_of(gradcheck, lambda x, b: mg.tanh(Unsummed.apply(x * 2, b)).sum(), (leaf(3, 4), leaf(4))).report
    assert report.code == "no_broadcast_sum"


def test_a_gradient_of_another_type_is_reported_if_asked_for() -> None:
    class Casts(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return (g * (1 - mg.tanh(x) ** 2)).float()

    options = {"atol": 1e-5, "rtol": 1e-3}
    assert gradcheck(Casts.apply, leaf(3), **options)
    report = error_of(gradcheck, Casts.apply, leaf(3), check_grad_dtypes=True, **options).report
    assert report.code == "wrong_dtype"


def test_backward_with_one_of_two_gradients_must_work() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 2 + h * 3

    assert gradcheck(Two.apply, leaf(3), check_undefined_grad=False)
    assert error_of(gradcheck, Two.apply, leaf(3)).report.code == "undefined_gradient"


def test_a_gradient_lost_where_another_output_has_none_is_reported() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return None if g is None or h is None else g * 2 + h * 3

    report = error_of(gradcheck, Two.apply, leaf(3)).report
    assert report.code == "undefined_gradient"
    assert "only output 0 gets a gradient" in str(report)


def test_a_function_that_changes_its_input_in_place_is_reported() -> None:
    class Doubles(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            array = x.detach().numpy()
            array *= 2  # the caller's own memory
            ctx.save_for_backward(x)
            return mg.from_numpy(array * array)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 4 * ctx.saved_tensors[0]

    report = error_of(gradcheck, Doubles.apply, leaf(3)).report
    assert report.code == "stale"
    assert "changes input 0 in place" in str(report)


def test_a_gradient_that_differs_from_call_to_call_has_pytorchs_words() -> None:
    calls = []

    class Grows(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            calls.append(1)
            return g * len(calls)

    text = str(error_of(gradcheck, Grows.apply, leaf(3)))
    assert text.startswith("Backward is not reentrant")
    assert "multiple times gives different values" in text


def test_the_text_of_a_function_is_read_as_that_of_a_rule() -> None:
    class Residual(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            h = mg.tanh(x)
            ctx.save_for_backward(h)
            return x + h

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 - ctx.saved_tensors[0] ** 2)

    report = error_of(gradcheck, Residual.apply, leaf(4, 3)).report
    assert report.code == "overwrite"
    assert "in `return x + h`" in str(report)


def test_backward_that_returns_none_is_reported_as_still_to_be_written() -> None:
    class Unwritten(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None

    assert error_of(gradcheck, Unwritten.apply, leaf(3)).report.code == "zero"


def test_backward_that_raises_names_its_line() -> None:
    class Raises(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g @ mg.ones(7, 7, dtype=mg.float64)  # the line that is named

    report = error_of(gradcheck, Raises.apply, leaf(3, 4)).report
    assert report.code == "raised"
    assert "the line that is named" in str(report)


# Built-in rules


def test_a_rule_planted_in_a_built_in_operation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    x = leaf(3, 4)
    assert gradcheck(lambda x: mg.sin(x) * 2, x)
    monkeypatch.setattr(mg.sin, "rules", dict(mg.sin.rules))
    monkeypatch.setattr(mg.sin, "plans", {})
    mg.sin.vjp(x=lambda g, x: -g * mg.cos(x))
    report = error_of(gradcheck, lambda x: mg.sin(x) * 2, x).report
    assert report.code == "sign"


def test_a_built_in_forward_with_a_wrong_rule_is_named() -> None:
    wrong = Primitive(maximum.forward)
    wrong.vjp(x=lambda g, x, other: g * (x > other), other=lambda g, x, other: g * (x > other))
    report = error_of(gradcheck, lambda x, y: wrong(x, y), (leaf(3, 4), leaf(3, 4, seed=1))).report
    assert report.diagnosis is not None
    assert report.diagnosis.input == "input 1"


# Kinks


def test_an_entry_on_a_kink_is_reported_and_checked_beside() -> None:
    x = mg.tensor([0.0, 1.0, -2.0], dtype=mg.float64, requires_grad=True)
    with pytest.warns(UserWarning, match=r"(?s)1 entry lies on a kink.*input 0\[0\] = 0: not checked here"):
        assert gradcheck(mg.relu, x)
    from_report = mg.autograd.diagnose(
        lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), [np.array([0.0, 1.0, -2.0])]
    )
    assert from_report.ok
    (kink,) = from_report.kinks
    assert (kink.left, kink.right) == pytest.approx((0.0, 1.0))
    assert kink.beside is not None
    assert "not checked here (kink" in str(from_report)


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 3e-7, 1e-9, 1e-11, -1e-10, -1e-8, -1e-6])
def test_a_right_gradient_near_a_kink_passes(distance: float) -> None:
    x = mg.tensor([distance, 1.0, -2.0], dtype=mg.float64, requires_grad=True)
    assert gradcheck(mg.relu, x)
    assert gradcheck(mg.abs, x)


def test_a_gradient_wrong_by_one_percent_beside_a_kink_fails() -> None:
    class Relu(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return mg.relu(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * (x > 0) * 1.01

    for distance in (0.0, 1e-9, 1e-6):
        x = mg.tensor([distance], dtype=mg.float64, requires_grad=True)
        assert not gradcheck(Relu.apply, x, raise_exception=False)


# Many entries


class OneEntryWrong(Function):
    at = (123, 456)

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (x * x).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        x_bar = (g * 2 * x).detach().numpy().copy()
        x_bar[OneEntryWrong.at] *= -1
        return mg.from_numpy(x_bar)


def test_a_wrong_entry_among_a_million_is_found_by_bisection() -> None:
    x = leaf(1000, 1000)
    assert gradcheck(lambda x: (x * x).sum(), x)
    report = error_of(gradcheck, OneEntryWrong.apply, x).report
    assert report.worst is not None
    assert report.worst.index == OneEntryWrong.at
    assert report.code == "one_entry"
    assert "entries looked at one by one, only one" in str(report).replace("\n ", "")
    assert any("*" in cell for row in report.table for cell in row)


def test_fast_mode_finds_a_wrong_gradient_and_passes_a_right_one() -> None:
    assert gradcheck(lambda x: mg.softmax(x, 1), leaf(6, 5), fast_mode=True)
    report = error_of(gradcheck, WrongTanh.apply, leaf(6, 5), fast_mode=True).report
    assert report.worst is not None
    assert "random sum" in report.worst.what


# Second order


def test_a_first_gradient_without_history_is_reported() -> None:
    assert gradcheck(OnceOnly.apply, leaf(3))
    report = error_of(gradgradcheck, OnceOnly.apply, leaf(3)).report
    assert report.code == "detached"
    assert "no history" in str(report)


def test_a_field_that_is_no_gradient_is_asymmetric() -> None:
    class Twisted(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return (x * x).sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * mg.cat([x[1:], x[:1] * x[1:2]])

    assert error_of(gradgradcheck, Twisted.apply, leaf(3)).report.code == "asymmetric"


def test_gradgradcheck_takes_gradients_of_the_outputs() -> None:
    g = mg.tensor(np.ones(3), requires_grad=True)
    assert gradgradcheck(lambda x: x**3, leaf(3), g)
    assert gradgradcheck(lambda x: x**3, leaf(3), gen_non_contig_grad_outputs=True)
    with pytest.raises(ValueError, match="one for each"):
        gradgradcheck(lambda x: x**3, leaf(3), (g, g))


def test_types_and_missing_gradients_are_checked_in_the_second_derivative_too() -> None:
    class Gradient(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, g: Any) -> Any:
            ctx.save_for_backward(x)
            return g * x.cos()

        @staticmethod
        def backward(ctx: Any, h: Any) -> Any:
            (x,) = ctx.saved_tensors
            return (-h * x.sin()).float(), h * x.cos()

    class Sine(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return Gradient.apply(ctx.saved_tensors[0], g)

    g = mg.ones(3, dtype=mg.float64)
    options = {"atol": 1e-5, "rtol": 1e-3}
    assert gradgradcheck(Sine.apply, leaf(3), g, **options)
    report = error_of(gradgradcheck, Sine.apply, leaf(3), g, check_grad_dtypes=True, **options).report
    assert report.code == "wrong_dtype"


def test_a_wrong_second_derivative_is_told_in_its_own_words() -> None:
    class Third(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return 3 * x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3 * ctx.saved_tensors[0]

    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * Third.apply(ctx.saved_tensors[0])

    text = str(error_of(gradgradcheck, Cube.apply, leaf(3)))
    assert "the slope of the gradient of input 0" in text
    assert "Of the second derivative" in text


# How it is told


def test_the_report_shows_entry_values_inequality_table_and_diagnosis() -> None:
    error = error_of(gradcheck, WrongTanh.apply, leaf(3, 4))
    text = str(error)
    report = error.report
    assert report.worst is not None
    assert text.startswith("Jacobian mismatch for output 0 with respect to input 0,")
    assert f"input 0{list(report.worst.index)}" in text
    assert f"{report.worst.analytic: .9g}" in text
    assert f"{report.worst.numeric: .9g}" in text
    assert "numeric error" in text
    assert "  >  " in text
    assert "[input_for_output, confidence: high]" in text
    assert error.diagnosis is report.diagnosis
    assert "\n" not in report.log()
    assert max(len(line) for line in text.splitlines()) < 220


def test_the_table_of_an_elementwise_function_shows_each_entrys_own_slope() -> None:
    report = error_of(gradcheck, WrongTanh.apply, leaf(3, 3)).report
    assert report.of_own
    assert all("*" in cell for row in report.table[1:] for cell in row[1:])
    assert "each the slope of the output in its place" in str(report)


def test_the_table_shows_the_digits_that_differ() -> None:
    class Nearly(WrongTanh):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 - mg.tanh(ctx.saved_tensors[0]) ** 2) * (1 + 1e-6)

    cells = [c for row in error_of(gradcheck, Nearly.apply, leaf(2, 2)).report.table[1:] for c in row[1:]]
    pairs = [c.rstrip("*").split(" / ") for c in cells]
    assert all(yours != numeric for yours, numeric in pairs)


def test_the_report_is_html_in_a_notebook_and_escapes_text() -> None:
    report = mg.autograd.diagnose(
        lambda x: np.where(x > 0, x, 0.1 * x), lambda g, x: g * (x > 0), [np.array([[1.0, -2.0, 3.0, -0.5]])]
    )
    page = report._repr_html_()
    assert "<table>" in page
    assert "x &lt; 0" in page
    assert page.count("<div") == page.count("</div>")
    report = error_of(gradcheck, WrongTanh.apply, leaf(3, 4)).report
    page = report._repr_html_()
    assert "<code>g * (1 - x * x)</code>" in page
    assert report.worst is not None
    assert f"yours <code>{report.worst.analytic:.9g}</code>, numeric <code>{report.worst.numeric:.9g}</code>" in page


def test_a_right_report_says_so() -> None:
    report = mg.autograd.diagnose(np.tanh, lambda g, y: g * (1 - y * y), [np.ones((2, 3))])
    assert report
    assert str(report).startswith("The gradient is right")
    assert report.log() == "gradcheck ok"
    assert "is right" in report._repr_html_()
