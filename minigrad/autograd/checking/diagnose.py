"""``diagnose``: the checker for a rule written as a plain function of arrays, as in a student's exercise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minigrad.autograd.checking.compare import Tolerance
from minigrad.autograd.checking.examine import examine
from minigrad.autograd.checking.problem import Problem, RuleProblem
from minigrad.autograd.checking.report import Report

Rule = Callable[..., Any]


def diagnose(
    forward: Callable[..., Any],
    rule: Rule | Sequence[Rule] | Mapping[str, Rule],
    inputs: Sequence[Any],
    *,
    reference: Rule | Sequence[Rule] | Mapping[str, Rule] | None = None,
    wrt: Sequence[str | int] | None = None,
    more: Sequence[Sequence[Any]] = (),
    atol: float | None = None,
    rtol: float | None = None,
    seed: int = 0,
) -> Report:
    """Check a rule for the gradient of ``forward``, written on NumPy arrays, and say what is wrong with it.

        report = diagnose(sigmoid, lambda g, x: g * x * (1 - x), [x], reference=lambda g, y: g * y * (1 - y))
        report.ok, report.code, report.diagnosis.sentence, print(report)

    ``forward(*inputs)`` returns an array or a tuple of arrays; inputs that are not floats (indices, masks, axes as integers,
    shapes) are passed on as they are, and so are Python numbers named neither in ``wrt`` nor in ``rule``'s keys if these are
    given. Without ``wrt`` the inputs with a gradient are all floats.

    ``rule`` is one function that returns the gradient of the one input, or a tuple with one for each input; or a mapping from
    the names of ``forward``'s parameters to a function each; or a sequence of functions in their order. A rule is called as
    ``Primitive.vjp`` calls it: first ``g``, dL/dy of the shape of the output (a tuple if there are several), then what its
    parameters name: inputs by the names ``forward`` gives them, ``y`` (or ``out``, ``output``) for the output, ``x_shape`` for
    the shape of ``x``, and ``cache`` for what a forward that returns ``(y, cache)`` keeps. A rule whose parameters have other
    names gets all inputs in order, and then the output. Gradients must have the shape of their input: nothing is summed over
    broadcast axes on the rule's behalf.

    ``reference`` is the right rule in the same form; with it a wrong rule is compared with mutants of the right one. For some
    forty functions that are recognised by their values it is not needed. ``more`` are further tuples of inputs, of other
    shapes best of 3, 5 and 7: a name is given only if all draws agree on it. ``atol`` and ``rtol`` replace the tolerance that
    follows from the numeric error.

    Returns a ``Report``: ``bool(report)`` and ``report.ok`` say whether the gradient is right, ``report.code`` is one of the
    codes in minigrad/autograd/README.md, ``report.diagnosis`` has the sentence, confidence, axis and expression, ``report.worst``
    the worst entry and ``report.kinks`` what could not be checked. A rule that raises is a diagnosis ("raised", with its line),
    an error of ``forward`` itself is passed on. Raises ValueError if no input is a float, or if a rule's parameters cannot be
    told.
    """
    problem = RuleProblem(forward, rule, inputs, wrt, reference)
    draws: list[Problem] = [RuleProblem(forward, rule, given, wrt, reference) for given in more]
    return examine(problem, more=draws, asked=Tolerance(None, atol, rtol), seed=seed)
