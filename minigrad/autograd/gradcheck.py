"""``gradcheck`` and ``gradgradcheck``: is the backward pass the derivative of the forward pass, and if not, what is wrong?

The work is done in ``minigrad/autograd/checking``; how it works is told in ``minigrad/autograd/README.md``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import Tolerance
from minigrad.autograd.checking.examine import examine
from minigrad.autograd.checking.problem import RuleError
from minigrad.autograd.checking.report import CERTAIN, Diagnosis, Report
from minigrad.autograd.checking.second import Gradients, asymmetry
from minigrad.autograd.checking.tensors import TensorProblem

__all__ = ["Diagnosis", "GradcheckError", "Report", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """What ``gradcheck`` raises; ``report`` says what is wrong, ``report.diagnosis`` names it."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report

    @property
    def diagnosis(self) -> Diagnosis | None:
        return self.report.diagnosis

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def _refuse(**unknown: bool) -> None:
    for name, given in unknown.items():
        if given:
            what = "vmap" if "batched" in name else "forward-mode differentiation"
            raise NotImplementedError(f"{name}=True: minigrad has no {what}; leave the argument out")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the gradients of ``func`` against differences: True, or ``GradcheckError`` (False if not ``raise_exception``).

    ``func`` is a function of tensors, the ``apply`` of an ``autograd.Function``, a module (its parameters are checked, too),
    or a plain NumPy function, if ``inputs`` are arrays. Slopes are extrapolated from central differences of float64 values;
    float32 inputs are converted where ``func`` takes it. An entry counts as right if

        |analytic - numeric| <= 10 * (estimated numeric error) + 1e-8 |numeric| + 1e-10 (largest slope beside it),

    or, if ``atol`` or ``rtol`` is given, ``<= atol + rtol |numeric|`` as in PyTorch. ``eps`` is the first, largest step. Entries
    on a kink have no derivative: they are checked beside it, and a warning or the report lists them. ``nondet_tol`` is how far
    two calls may differ, and is added to the tolerance. ``fast_mode``, which inputs of more than 2,000 entries always have,
    compares slopes along random directions and looks for the wrong entry by bisection. ``check_undefined_grad`` also calls
    backward with the gradients of some outputs only, ``check_grad_dtypes`` asks Functions for gradients of their arguments'
    types. ``masked`` is about sparse tensors, which minigrad has not: it changes nothing.

    Raises ValueError if no input requires a gradient, NotImplementedError if forward mode or vmap is to be checked.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
    """
    _refuse(
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
    )
    if not check_backward_ad:
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    problem = TensorProblem(func, inputs)
    report = examine(problem, asked=_asked(eps, atol, rtol, nondet_tol), nondet_tol=nondet_tol, fast=fast_mode)
    return _answer(_further(problem, report, check_undefined_grad, check_grad_dtypes), raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check the gradients of the gradients of ``func`` against differences of its analytic gradient.

    For random ``u`` and ``v`` the second derivative is also checked for symmetry, ``u' H v = v' H u``, which fails if the first
    gradient is the derivative of no function. ``grad_outputs`` are the gradients of the outputs, random if not given; all else
    is as in ``gradcheck``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html
    """
    _refuse(check_batched_grad=check_batched_grad, check_fwd_over_rev=check_fwd_over_rev)
    if not check_rev_over_rev:
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    gradients = Gradients(func, inputs, grad_outputs, gen_non_contig_grad_outputs)
    problem = TensorProblem(gradients, gradients.inputs)
    report = examine(
        problem,
        asked=_asked(eps, atol, rtol, nondet_tol),
        nondet_tol=nondet_tol,
        fast=fast_mode,
        title="second derivative",
    )
    if not report.ok and report.code == "detached":
        report.diagnosis = Diagnosis(
            "detached",
            "The first gradient has no history, though it depends on the inputs: backward computes it with arrays, "
            "under no_grad() or "
            "from detached tensors. Write it with operations on tensors, so that it can be differentiated again.",
            CERTAIN,
            tier="A",
            input=report.diagnosis.input if report.diagnosis else None,
        )
    if report.ok:
        gap = asymmetry(problem, len(gradients.given), _asked(eps, atol, rtol, nondet_tol))
        if gap is not None:
            report = Report(False, gap, shapes=report.shapes, title="second derivative")
    return _answer(_further(problem, report, check_undefined_grad, check_grad_dtypes), raise_exception)


def _asked(eps: float | None, atol: float | None, rtol: float | None, nondet_tol: float) -> Tolerance:
    for name, value in (("eps", eps), ("atol", atol), ("rtol", rtol)):
        if value is not None and (value < 0 or (name == "eps" and value == 0)):
            raise ValueError(f"{name} must be {'positive' if name == 'eps' else 'at least 0'}, got {value}")
    return Tolerance(eps, atol, rtol, nondet_tol)


def _answer(report: Report, raise_exception: bool) -> bool:
    if report.ok and report.kinks:
        count = len(report.kinks)
        text = (
            f"{count} {'entry lies on a kink and has' if count == 1 else 'entries lie on kinks and have'} no derivative"
        )
        warnings.warn("\n".join([f"gradcheck: {text}; all else is right.", *report.notes]), UserWarning, stacklevel=3)
    if report.ok or not raise_exception:
        return report.ok
    raise GradcheckError(report)


def _further(problem: TensorProblem, report: Report, undefined: bool, dtypes: bool) -> Report:
    """The checks that are asked for beside that of the values, once these are right."""
    for check in [_undefined] * undefined + [_types] * dtypes:
        found = check(problem) if report.ok else None
        report = report if found is None else found
    return report


def _undefined(problem: TensorProblem) -> Report | None:
    """Whether backward takes None for the gradients of some outputs as it takes zeros: of all but one, and of one."""
    rng = np.random.default_rng(0)
    with problem.placed(problem.xs) as (given, leaves):
        outputs = problem.run(given)
        row = [rng.standard_normal(o.array.shape) for o in outputs]
        every = range(len(outputs))
        kept = dict.fromkeys([(i,) for i in every] + [tuple(j for j in every if j != i) for i in every])
        for some in kept if len(outputs) > 1 else ():
            zeros = problem._one(outputs, leaves, [g if i in some else g * 0 for i, g in enumerate(row)])
            which = (
                f"only output{'s' * (len(some) > 1)} {', '.join(map(str, some))} get{'s' * (len(some) == 1)} a gradient"
            )
            try:
                found = problem._one([outputs[i] for i in some], leaves, [row[i] for i in some])
            except RuleError as failure:
                return _not_defined(f"backward fails if {which} ({failure})")
            if not all(_same(a, b) for a, b in zip(found, zeros, strict=True)):
                return _not_defined(f"If {which}, backward does not give what it gives for zeros in the others' places")
    return None


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    if a is None or b is None:
        return not np.any(a if b is None else b) if (a is None) != (b is None) else True
    return bool(np.allclose(a, b, rtol=1e-5, atol=1e-8 * float(np.abs(b).max(initial=0.0)), equal_nan=True))


def _not_defined(what: str) -> Report:
    sentence = f"{what}: treat the gradients that are None as zeros."
    return Report(False, Diagnosis("undefined_gradient", sentence, CERTAIN, tier="A"))


def _types(problem: TensorProblem) -> Report | None:
    """Whether Functions return gradients of their arguments' types."""
    row = [np.ones(y.shape) for y in problem.forward([x.copy() for x in problem.xs])]
    for r in problem.returned([x.copy() for x in problem.xs], row):
        if r.dtype != r.needed_dtype:
            d = Diagnosis(
                "wrong_dtype",
                f"{r.function}.backward returns {r.dtype} for argument {r.argument}, which is {r.needed_dtype}: the "
                "engine converts it here.",
                CERTAIN,
                tier="A",
            )
            return Report(False, d, headline="Gradient has dtype mismatch.")
    return None
