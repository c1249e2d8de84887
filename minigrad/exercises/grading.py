"""How an answer is judged: forward values, then the rule by the checker, then edge shapes, then the reference's gradient.

The python block of an exercise's "Grade" section calls the methods of ``Grader``; the first that finds a mistake raises a
``Failure`` with its name and a sentence. Nothing is compared with numbers that somebody wrote down: the values come from the
solution, run on the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NoReturn

import numpy as np

from minigrad.autograd.checking.diagnose import diagnose
from minigrad.autograd.checking.problem import caller
from minigrad.autograd.gradcheck import GradcheckError, gradcheck
from minigrad.creation import tensor
from minigrad.exercises.draws import Draw, draws, edges, letters_of
from minigrad.exercises.failure import Failure, failure_of
from minigrad.exercises.values import Wrong, agree, array, copied, expression, named, numbers, slip, tensors
from minigrad.tensor import Tensor

SIMILAR = 1e-9  # what rounding may do to a value computed in another order


class Names:
    """The functions of a module as attributes; one that is missing is the learner's mistake. ``last`` is the one used last."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace, self.last = namespace, ""

    def __getattr__(self, name: str) -> Any:
        if name not in self.namespace:
            raise Failure("missing", f"{name} is not there: keep the name that the exercise gave, and fill its body.")
        self.last = name
        return self.namespace[name]


class Grader:
    """The words of a "Grade" section; ``learner`` and ``solution`` hold the names of the two files."""

    def __init__(
        self,
        learner: dict[str, Any],
        solution: dict[str, Any],
        mistakes: dict[str, dict[str, Any]] | None = None,
        titled: Collection[str] = (),
        trusted: bool = True,
    ) -> None:
        self.learner, self.solution = Names(learner), Names(solution)
        self.mistakes = {
            title: Names(names) for title, names in (mistakes or {}).items()
        }  # known ones, by their titles
        self.titled = titled  # the mistakes whose title is a better name than any that is found
        self.trusted = trusted  # whether the solution may be compared with; it cannot name its own mistakes
        self.give = tensors if "torch" in solution else lambda value: value  # what the functions of the exercise take
        self.finite: set[str] = set()  # the functions that have given finite values so far

    def words(self) -> dict[str, Any]:
        """What the python block of a "Grade" section can use."""
        methods = (self.values, self.rule, self.gradient, self.no_overflow, self.compare, self.expect, self.fail)
        named = {m.__name__: m for m in methods}
        return {
            **named,
            "learner": self.learner,
            "solution": self.solution,
            "np": np,
            "draws": draws,
            "edges": edges,
            "torch": self.solution.namespace.get("torch"),
        }

    def fail(self, code: str, sentence: str, *details: str) -> NoReturn:
        """End the grading with a diagnosis."""
        raise Failure(code, sentence, list(details))

    def expect(self, truth: Any, code: str, sentence: str, *details: str) -> None:
        """End the grading with a diagnosis unless ``truth`` holds."""
        if not truth:
            raise Failure(code, sentence, list(details))

    def values(self, name: str, **specs: Any) -> None:
        """The learner's function ``name`` gives the solution's values on random inputs, and leaves the inputs alone."""
        letters = letters_of(specs)
        for given in [*draws(letters, **specs), *edges(letters, **specs)]:
            before = {k: self.give(v) for k, v in copied(given).items()}
            function = getattr(self.learner, name)
            found = function(*before.values())
            changed = next((k for k, v in given.items() if not _same(before[k], v)), None)
            self.expect(
                changed is None, "input_changed", f"{name} changes its argument {changed} in place: work on a copy."
            )
            try:
                self.compare(name, found, self._run(getattr(self.solution, name), given), given)
            except Failure:
                self._without_arguments(name, found, given, specs)
                raise

    def _without_arguments(self, name: str, found: Any, given: Draw, specs: dict[str, Any]) -> None:
        """A wrong value that has nothing to do with the arguments: it is random, or always the same."""

        mine, right = getattr(self.learner, name), getattr(self.solution, name)
        now, again = numbers(found), numbers(self._run(mine, given))
        if now is None or again is None:
            return
        if not np.array_equal(now, again, equal_nan=True):
            text = f"{name} returns other values each time it is called with the same arguments: draw nothing in it."
            self.fail("not_repeatable", text)
        others = [d for d in draws(letters_of(specs), **specs) if _alike(d, given)]
        kinds = [len({array(self._run(f, d)).tobytes() for d in others}) for f in (mine, right)]
        if np.isfinite(now).all() and now.any() and kinds[0] == 1 < kinds[1]:
            self.fail(
                "constant", f"{name} returns {now.flat[0]:g} whatever its arguments are: it is still to be written."
            )

    def no_overflow(self, name: str, *arguments: Any) -> None:
        """The learner's function ``name`` takes no exponential of a large number at these arguments."""
        with np.errstate(over="raise"):
            try:
                getattr(self.learner, name)(*arguments)
            except FloatingPointError:
                shown = [f"in {name}, with x = {v}" for v in arguments if isinstance(v, np.ndarray)][:1]
                text = "exp() overflows for large |x|: give it -|x|, so that its argument is never above 0."
                self.fail("overflow", text, *shown)

    def _run(self, function: Callable[..., Any], given: Draw) -> Any:
        return function(*(self.give(v) for v in copied(given).values()))

    def compare(self, name: str, found: Any, right: Any, given: Draw | None = None) -> None:
        """One result of the function ``name`` with the right one; ``given`` are the arguments, to name the mistake."""
        if isinstance(right, (tuple, list)):
            kind = type(right).__name__
            ok = isinstance(found, (tuple, list)) and len(found) == len(right)
            what = f"{len(found)} values" if isinstance(found, (tuple, list)) else _kind(found)
            self.expect(ok, "wrong_type", f"{name} returned {what}; it should return a {kind} of {len(right)} values.")
            for i, (a, b) in enumerate(zip(found, right, strict=True)):
                self._compare_one(f"Value {i + 1} of {name}", name, a, b, {})
        else:
            self._compare_one(name, name, found, right, given or {})

    def _compare_one(self, label: str, name: str, found: Any, right: Any, given: Draw) -> None:
        self.expect(found is not None, "none", f"{label} returned None: a return statement is missing.")
        right = array(right)
        mine = numbers(found)
        if mine is None:
            self.fail("wrong_type", f"{label} returned {_kind(found)}; numbers of shape {right.shape} are needed.")
        self.expect(
            mine.shape == right.shape, "wrong_shape", f"{label} has the shape {mine.shape}; it should be {right.shape}."
        )
        gap = np.abs(mine - right)
        bad = ~(gap <= SIMILAR * (1 + np.abs(right))) & ~(mine == right)
        was_finite = name in self.finite
        if np.isfinite(mine).all():
            self.finite.add(name)
        if bad.any():
            at = tuple(
                int(i) for i in np.unravel_index(int(np.argmax(np.where(bad, np.nan_to_num(gap), -1))), right.shape)
            )
            if not np.isfinite(mine).all():
                at = tuple(int(i) for i in np.argwhere(~np.isfinite(mine))[0])
            details = [f"yours    {mine[at]:.9g}", f"expected {right[at]:.9g}   {label}{list(at) if at else ''}"]
            code, sentence = self._named(Wrong(label, mine, right, given), name, was_finite)
            raise Failure(code, sentence, details + _shown(given, at))

    def _named(self, wrong: Wrong, name: str, was_finite: bool) -> tuple[str, str]:
        """What is wrong with a value: the surest name first."""
        found = self._mistake(wrong, name, self.titled) or named(wrong, was_finite)
        if found is None and wrong.given:
            found = slip(wrong, getattr(self.solution, name), self._run) or self._mistake(wrong, name, self.mistakes)
        return found or ("wrong_value", f"{wrong.label} has other values than asked for.")

    def _mistake(self, wrong: Wrong, name: str, titles: Collection[str]) -> tuple[str, str] | None:
        """The one of these known mistakes that gives the learner's values."""
        for title in titles if wrong.given else ():
            try:
                found = array(self._run(getattr(self.mistakes[title], name), wrong.given))
            except Exception:  # some known mistakes are that it raises
                continue
            if agree(found, wrong.mine):
                return "known_mistake", f"Your values are those of a known mistake: {title}."
        return None

    def rule(
        self, name: str | Callable[..., Any], of: str | Callable[..., Any], wrt: list[str] | None = None, **specs: Any
    ) -> None:
        """The learner's rule ``name`` is the gradient of the solution's function ``of``.

        The specs are the arguments of ``of`` in their order. ``name`` and ``of`` may be functions of a namespace (of
        ``learner`` or ``solution``), where the rule or the function is made of several.
        """
        forward = getattr(self.solution, of) if isinstance(of, str) else of
        rule = getattr(self.learner, name) if isinstance(name, str) else name(self.learner)
        known = expression(getattr(self.solution, name) if isinstance(name, str) else name(self.solution))
        right = known if self.trusted else None
        letters = letters_of(specs)
        given = next(draws(letters, **specs))
        y = forward(*copied(given).values())
        try:
            call = caller(rule, list(given))
        except ValueError as error:
            raise Failure("signature", f"Keep the parameters that the exercise gave: {error}.") from None
        found = call(np.ones(np.shape(y)), copied(given), y)  # what this raises is told with its line
        tensor_found = any(isinstance(f, Tensor) for f in (found if isinstance(found, (tuple, list)) else [found]))
        self.expect(not tensor_found, "wrong_type", "The rule returned a tensor; this exercise works on NumPy arrays.")
        points = list(draws(letters, **specs))
        everywhere = [*points, *edges(letters, **specs)]
        titled = self._titled(self.titled, name, forward, rule, known, everywhere)
        if titled is not None:
            raise titled
        try:
            first, *more = [list(d.values()) for d in points]
            self._check(forward, rule, right, first, more, wrt)
            for given in edges(letters, **specs):
                shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in given.items() if isinstance(v, np.ndarray))
                self._check(forward, rule, right, list(given.values()), [], wrt, f"Only at the edge shapes {shapes}: ")
            for given in everywhere:
                self._beside_reference(forward, rule, known, given)
        except Failure as failure:
            if failure.sure:
                raise
            raise self._titled(self.mistakes, name, forward, rule, known, everywhere) or failure from None

    def _check(
        self, forward: Any, rule: Any, right: Any, inputs: list[Any], more: list[Any], wrt: Any, where: str = ""
    ) -> None:
        try:
            report = diagnose(forward, rule, inputs, reference=right, wrt=wrt, more=more)
        except ValueError:  # as where the shapes are right in some draws only: then each draw by itself
            reports = [diagnose(forward, rule, given, reference=right, wrt=wrt) for given in [inputs, *more]]
            report = next((r for r in reports if not r.ok), reports[0])
        if not report.ok:
            raise failure_of(report, where)

    def _titled(
        self, titles: Collection[str], name: Any, forward: Any, rule: Any, right: Any, points: list[Draw]
    ) -> Failure | None:
        """The one of these known mistakes that gives the learner's gradients."""
        for title in titles:
            names = self.mistakes[title]
            theirs = getattr(names, name) if isinstance(name, str) else name(names)
            try:
                pulled = [[_pulled(forward, f, given) for f in (rule, theirs, right)] for given in points]
            except Exception:  # some known mistakes are that it raises
                continue
            apart = [i for i, (mine, _, wanted) in enumerate(pulled) if not agree(mine, wanted)]
            if apart and all(agree(mine, other) for mine, other, _ in pulled):
                mine, _, wanted = pulled[apart[0]]
                text = f"Your gradient is that of a known mistake: {title}."
                return Failure("known_mistake", text, _apart(mine, wanted, points[apart[0]]))
        return None

    def _beside_reference(self, forward: Any, rule: Any, right: Any, given: Draw) -> None:
        """The same subgradient as the reference's at kinks, where the slopes leave a choice."""
        found, wanted = (_pulled(forward, f, given) for f in (rule, right))
        bad = ~(np.abs(found - wanted) <= 1e-6 * (1 + np.abs(wanted)))
        if bad.any():
            i = int(np.argmax(bad))
            first = next(v for v in given.values() if isinstance(v, np.ndarray))
            at = tuple(int(k) for k in np.unravel_index(i, first.shape)) if i < first.size else ()
            raise Failure(
                "subgradient",
                f"Your gradient is {found[i]:.6g} where {wanted[i]:.6g} is asked for, at a place where the function has a "
                "kink. Slopes cannot decide there; follow the text of the exercise, which chooses as PyTorch does.",
                _shown(given, at),
            )

    def gradient(self, name: str | Callable[..., Any], wrt: list[str] | None = None, **specs: Any) -> None:
        """The learner's function ``name`` of tensors can be differentiated, and its gradients are right."""
        function = getattr(self.learner, name) if isinstance(name, str) else name(self.learner)
        letters = letters_of(specs)
        for given in [*list(draws(letters, **specs))[::4], *edges(letters, **specs)]:
            inputs = [
                tensor(v, requires_grad=(k in wrt) if wrt else v.dtype.kind == "f") if isinstance(v, np.ndarray) else v
                for k, v in given.items()
            ]
            y = function(*inputs)
            who = name if isinstance(name, str) else "The function"
            text = f"{who} returned {_kind(y)}; a tensor is needed, so that it can be differentiated."
            self.expect(isinstance(y, Tensor), "wrong_type", text)
            text = (
                "The value is right, and no gradient flows through it: a detach(), .item() or no_grad() cuts the graph."
            )
            self.expect(y.requires_grad, "detached", text)
            try:
                gradcheck(function, inputs, check_undefined_grad=False)
            except GradcheckError as error:
                raise failure_of(error.report).called(list(given)) from None


def _pulled(forward: Any, rule: Any, given: Draw) -> np.ndarray:
    """The gradients of a rule for a random g, as one vector."""
    y = forward(*copied(given).values())
    g = np.random.default_rng(1).standard_normal(np.shape(y))
    found = caller(rule, list(given))(g, copied(given), y)
    return np.concatenate([np.ravel(v) for v in (found if isinstance(found, (tuple, list)) else [found])]).astype(float)


def _alike(a: Draw, b: Draw) -> bool:
    """Whether two draws have the same shapes."""
    return all(np.shape(a[k]) == np.shape(b[k]) for k in a)


def _apart(mine: np.ndarray, right: np.ndarray, given: Draw) -> list[str]:
    """Where two gradients, each as one vector of all inputs, differ first."""
    if mine.shape != right.shape:
        return [f"yours    {mine.size} numbers", f"expected {right.size}", *_shown(given, ())]
    i = int(np.argmax(~np.isclose(mine, right, rtol=1e-9, atol=1e-12)))
    first = next(v for v in given.values() if isinstance(v, np.ndarray))
    at = tuple(int(k) for k in np.unravel_index(i, first.shape)) if i < first.size else ()
    return [f"yours    {mine[i]:.9g}", f"expected {right[i]:.9g}   for a random g", *_shown(given, at)]


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _same(a: Any, b: Any) -> bool:
    return not isinstance(b, np.ndarray) or (np.shape(array(a)) == b.shape and bool(np.array_equal(array(a), b)))


def _shown(given: Draw, at: tuple[int, ...]) -> list[str]:
    """The arguments, short, with the entry in question where there is one."""
    lines = []
    for name, value in given.items():
        if isinstance(value, np.ndarray) and value.size > 8:
            entry = (
                f", {name}{list(at)} = {value[at]:.6g}" if at and len(at) == value.ndim and _inside(at, value) else ""
            )
            lines.append(f"with {name} of shape {value.shape}{entry}")
        elif isinstance(value, np.ndarray):
            lines.append(f"with {name} = {np.array2string(value, precision=4, separator=', ')}")
        elif isinstance(value, (int, float)):
            lines.append(f"with {name} = {value}")
    return lines


def _inside(at: tuple[int, ...], value: np.ndarray) -> bool:
    return all(i < n for i, n in zip(at, value.shape, strict=True))
