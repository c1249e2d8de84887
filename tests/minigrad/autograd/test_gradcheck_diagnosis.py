"""Wrong rules get their names, right ones none: the mistakes one by one, and the catalogues, in part or as a whole."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad.autograd import GradcheckError, Report, checking, diagnose
from minigrad.autograd.checking.mutate import WORDS
from tests.minigrad.autograd import correct
from tests.minigrad.autograd.catalogue import LABELS, OPERATIONS
from tests.minigrad.autograd.confusion import accept, by_hand, by_machine
from tests.minigrad.autograd.held_out import HELD_OUT
from tests.minigrad.autograd.held_out_last import LAST
from tests.minigrad.autograd.held_out_later import LATER
from tests.minigrad.autograd.peers import mistakes, raised
from tests.minigrad.ops.table import ROWS

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5))
SQUARE, OTHER = RNG.standard_normal((5, 5)), RNG.standard_normal((5, 5))
BUFFER = np.zeros_like(X)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def kept(g: Any, x: Any) -> Any:
    BUFFER[...] += g * 2 * x
    return BUFFER


def stale_forward(x: Any) -> Any:
    x *= 2
    return x * x


# The mistakes: what they are, forward, rule, inputs, code, confidence, and what the sentence must say.
MISTAKES: list[tuple[str, Any, Any, list[Any], str, str, str]] = [
    ("no upstream", sigmoid, lambda g, y: y * (1 - y), [X], "no_upstream", "certain", "ignores g"),
    ("g squared", sigmoid, lambda g, y: g * g * y * (1 - y), [X], "g_squared", "certain", "changed 4 times"),
    ("buffer reused", np.square, kept, [X], "buffer_reused", "certain", "gave twice the first"),
    ("in place, stale", stale_forward, lambda g, x: g * 2 * x, [X], "stale", "certain", "in place"),
    (
        "no broadcast sum",
        lambda x, b: x + b,
        {"b": lambda g: g},
        [X, X[0]],
        "no_broadcast_sum",
        "certain",
        r"b \(5,\) was stretched to \(3, 5\).*Add up axis 0, as in g.sum\(0\)",
    ),
    (
        "sum for mean",
        np.mean,
        lambda g, a: g * np.ones_like(a),
        [X],
        "missing_mean",
        "high",
        "exactly 15 times too big",
    ),
    ("sign", np.sin, lambda g, x: -g * np.cos(x), [X], "sign", "high", "right except the sign"),
    ("factor 2", lambda x: x * x, lambda g, x: g * x, [X], "factor_2", "medium", "exactly half"),
    ("overwrite", lambda x: x * x + x, lambda g, x: g * 2 * x, [X], "overwrite", "certain", "lost that of use 3"),
    (
        "swapped operands",
        lambda a, b: a * b,
        lambda g, a, b: (g * a, g * b),
        [X, X + 1],
        "swapped",
        "high",
        "each other's",
    ),
    (
        "transpose by shape",
        lambda a, b: a @ b,
        lambda g, a, b: ((g @ b.T).T, a.T @ g),
        [X, SQUARE],
        "transpose",
        "certain",
        r"\(5, 3\).*\(3, 5\)",
    ),
    (
        "transpose of squares",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b, a.T @ g),
        [SQUARE, OTHER],
        "transpose",
        "high",
        r"`g @ z`; the rule is `g @ z.T`",
    ),
    (
        "output for input",
        sigmoid,
        lambda g, x: g * x * (1 - x),
        [X],
        "input_for_output",
        "high",
        r"`g \* x \* \(1 - x\)`; the rule is `g \* y \* \(1 - y\)`",
    ),
    ("missing cross terms", softmax, lambda g, y: g * y * (1 - y), [X], "diagonal_only", "high", "only the diagonal"),
    ("dropped term", np.tan, lambda g, y: g * y * y, [X], "dropped_term", "high", "a term is missing"),
    (
        "mask",
        lambda x: np.where(x > 0, x, 0.1 * x),
        lambda g, x: g * (x > 0),
        [X],
        "mask",
        "high",
        "except where x < 0: there it is 0 and should be 0.1",
    ),
    (
        "float32 noise",
        sigmoid,
        lambda g, y: (g * y * (1 - y)).astype(np.float32),
        [X],
        "low_precision",
        "high",
        "mathematics .* is right",
    ),
    ("zero", sigmoid, lambda g, y: g * 0, [X], "zero", "certain", "still to be written"),
    ("constant", sigmoid, lambda g: np.ones_like(g), [X], "constant", "certain", "still to be written"),
]


@pytest.mark.parametrize(
    ("forward", "rule", "inputs", "code", "confidence", "words"),
    [m[1:] for m in MISTAKES],
    ids=[m[0] for m in MISTAKES],
)
def test_mistake_gets_its_name(forward: Any, rule: Any, inputs: Any, code: str, confidence: str, words: str) -> None:
    BUFFER[...] = 0
    report = diagnose(forward, rule, inputs)
    assert not report
    assert report.diagnosis is not None
    assert (report.code, report.diagnosis.confidence) == (code, confidence), report
    assert re.search(words, report.diagnosis.sentence), report.diagnosis.sentence


def layer_norm(x: Any) -> Any:
    m = x.mean(-1, keepdims=True)
    v = ((x - m) ** 2).mean(-1, keepdims=True)
    return (x - m) / np.sqrt(v + 1e-3)


def test_a_variable_treated_as_constant_is_named() -> None:
    def rule(g: Any, x: Any) -> Any:
        return (g - g.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)

    report = diagnose(layer_norm, rule, [X])
    assert (report.code, report.diagnosis and report.diagnosis.expression) == ("treated_constant", "v")


def test_a_mutant_of_the_reference_is_shown() -> None:
    def forward(x: Any) -> Any:
        return np.sin(x) * np.exp(2 * x)

    report = diagnose(
        forward,
        lambda g, x: g * (np.cos(x) - 2 * np.sin(x)) * np.exp(2 * x),
        [X],
        reference=lambda g, x: g * (np.cos(x) + 2 * np.sin(x)) * np.exp(2 * x),
    )
    assert report.diagnosis is not None
    assert (report.code, report.diagnosis.tier) == ("sign_of_term", "C")
    assert report.diagnosis.expression == "g * (np.cos(x) - 2 * np.sin(x)) * np.exp(2 * x)"


def test_two_edits_of_the_reference_are_found() -> None:
    def forward(x: Any) -> Any:
        return np.sin(x) * np.exp(3 * x)

    report = diagnose(
        forward,
        lambda g, x: g * (np.sin(x) + np.cos(x)) * np.exp(-3 * x),
        [X],
        reference=lambda g, x: g * (np.cos(x) + 3 * np.sin(x)) * np.exp(3 * x),
    )
    assert report.diagnosis is not None
    assert report.diagnosis.tier == "C"


def test_what_has_no_name_is_shown_with_its_worst_entry() -> None:
    noise = RNG.standard_normal(X.shape)
    report = diagnose(np.tanh, lambda g, y: g * (1 - y * y + noise), [X])
    assert report.code == "unknown"
    assert report.diagnosis is not None
    assert report.diagnosis.tier == "D"
    assert report.worst is not None
    assert report.table


def test_a_choice_on_a_kink_that_differs_from_the_reference_is_told_and_passes() -> None:
    report = diagnose(
        lambda x: np.maximum(x, 0),
        lambda g, x: g * (x >= 0),
        [np.array([0.0, 1.0, -1.0])],
        reference=lambda g, x: g * (x > 0),
    )
    assert report.ok
    assert any("you take 1 and the reference 0" in note for note in report.notes)


def test_a_value_on_a_kink_that_is_no_subgradient_fails() -> None:
    report = diagnose(np.abs, lambda g, x: g * np.where(x == 0, 5.0, np.sign(x)), [np.array([0.0, 1.0, -1.0])])
    assert report.code == "kink_value"


def test_ties_that_each_get_all_of_g_fail() -> None:
    x = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 2.0]])
    full = diagnose(lambda x: x.max(1), lambda g, x, y: g[:, None] * (x == y[:, None]), [x])
    assert full.code == "ties"


def test_ties_that_share_g_pass() -> None:
    def share(g: Any, x: Any, y: Any) -> Any:
        winners = x == y[:, None]
        return g[:, None] * winners / winners.sum(1, keepdims=True)

    report = diagnose(lambda x: x.max(1), share, [np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 2.0]])])
    assert report.ok, report
    assert len(report.kinks) == 4


def test_a_rule_that_raises_names_its_line() -> None:
    report = diagnose(np.tanh, lambda g, y: g @ y, [X])
    assert report.code == "raised"
    assert report.diagnosis is not None
    assert "g @ y" in report.diagnosis.sentence


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (lambda g, y: None, "none"),
        (lambda g, y: "text", "wrong_type"),
        (lambda g, y: (g, g), "wrong_count"),
        (lambda g, y: g * np.nan, "nan"),
        (lambda g, y: (g * (1 - y * y)).sum(), "over_summed"),
        (lambda g, y: (g * (1 - y * y))[0], "not_expanded"),
        (lambda g, y: (g * (1 - y * y)).ravel(), "not_reshaped"),
        (lambda g, y: g * (1 - y * y) + RNG.standard_normal(), "not_repeatable"),
        (lambda g, y: np.sign(g) * (1 - y * y), "g_sign"),
        (lambda g, y: g * (g > 0) * (1 - y * y), "mask_on_g"),
        (lambda g, y: g * (1 - y * y) + 0.1, "added_constant"),
    ],
)
def test_what_is_no_linear_map_of_the_right_shape_is_named(rule: Any, code: str) -> None:
    assert diagnose(np.tanh, rule, [X]).code == code


def test_forms_of_rules_and_inputs_are_understood() -> None:
    def forward(x: Any, w: Any, axis: int) -> Any:
        return (x * w).sum(axis)

    def both(g: Any, x: Any, w: Any, x_shape: Any) -> Any:
        wide = np.broadcast_to(np.expand_dims(g, 1), x_shape)
        return wide * w, wide * x

    inputs = [X, X + 1, 1]
    assert diagnose(forward, both, inputs)
    assert diagnose(forward, lambda g, a, b, k: both(g, a, b, X.shape), inputs)  # other names: all inputs in order
    wide = {"w": lambda g, x: np.expand_dims(g, 1) * x}
    assert diagnose(forward, wide, inputs)
    assert diagnose(forward, [wide["w"]], inputs, wrt=["w"])
    assert diagnose(lambda x: (x * 2, x * 3), lambda g: g[0] * 2 + g[1] * 3, [X])
    assert diagnose(lambda x: x * x, lambda g, x: g * 2 * x, [1.5])
    with pytest.raises(ValueError, match="asks for 'mask'"):
        diagnose(forward, lambda g, x, mask: g, inputs)
    with pytest.raises(ValueError, match="at least one input of floats"):
        diagnose(lambda i: i, lambda g: g, [np.arange(3)])


def test_a_forward_may_hand_a_cache_to_its_rule() -> None:
    def affine(x: Any, w: Any) -> Any:
        return x @ w, {"x": x, "w": w}

    def right(dout: Any, cache: Any) -> Any:
        return dout @ cache["w"].T, cache["x"].T @ dout

    def wrong(dout: Any, cache: Any) -> Any:
        return dout @ cache["w"].T, -cache["x"].T @ dout

    assert diagnose(affine, right, [X, SQUARE])
    assert diagnose(affine, wrong, [X, SQUARE]).code == "sign"


def test_further_draws_tell_axes_of_equal_size_apart() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((3, 3)), rng.standard_normal((3, 7))
    report = diagnose(lambda x: x.mean(0), lambda g, x: np.broadcast_to(g, x.shape) / x.shape[1], [two], more=[[one]])
    assert not report


@pytest.mark.parametrize(
    ("forward", "rule", "shape"),
    [
        (lambda x: x**4, lambda g, x: g * x**3, (4, 3)),
        (lambda x: x * x, lambda g, x: g * x, (4, 3)),
        (lambda x: 3 * x, lambda g: g, (3, 5)),
    ],
    ids=["forgets the 4, and an axis has 4", "forgets the 2, the root of 4", "forgets the 3, and an axis has 3"],
)
def test_a_constant_is_not_taken_for_the_length_of_an_axis(forward: Any, rule: Any, shape: tuple[int, ...]) -> None:
    report = diagnose(forward, rule, [RNG.standard_normal(shape)])
    assert report.code in ("factor", "factor_2", "identity")


def test_the_length_of_an_axis_is_no_more_than_likely_where_no_other_can_be_tried() -> None:
    fixed = RNG.standard_normal((3, 5))
    report = diagnose(lambda x: (x * fixed).mean(), lambda g: g * fixed, [X])
    assert report.diagnosis is not None
    assert (report.code, report.diagnosis.confidence) == ("missing_mean", "medium")
    assert "may also be a constant" in report.diagnosis.sentence


def test_a_gradient_whose_shape_depends_on_the_values_is_reported() -> None:
    def rule(g: Any, x: Any) -> Any:
        return (g * 2 * x)[: len(x) - int(abs(g).sum() == 1)]  # a row is lost for unit gradients only

    report = diagnose(lambda x: x * x, rule, [X])
    assert report.code == "wrong_shape"
    assert "for another g" in str(report)


def test_two_edits_of_a_def_are_shown_without_the_rest() -> None:
    def right(g: Any, x: Any) -> Any:
        s = np.sin(x)
        c = np.cos(x)
        e = np.exp(3 * x)
        return g * (c + 3 * s) * e

    def wrong(g: Any, x: Any) -> Any:
        return g * (np.cos(x) - 3 * np.sin(x)) * np.exp(-3 * x)

    report = diagnose(lambda x: np.sin(x) * np.exp(3 * x), wrong, [X], reference=right)
    assert report.diagnosis is not None
    assert report.diagnosis.tier == "C"
    assert "def" not in report.diagnosis.sentence
    assert "`s = -np.sin(x); e = np.exp(-(3 * x))`; the rule is `s = np.sin(x); e = np.exp(3 * x)`" in str(
        report.diagnosis
    )


def test_one_wrong_entry_is_named_by_its_index() -> None:
    def rule(g: Any, x: Any) -> Any:
        r = g * 2 * x
        r[2, 1] *= 1.5
        return r

    report = diagnose(np.square, rule, [X])
    assert (report.code, report.diagnosis and report.diagnosis.expression) == ("one_entry", "[2, 1]")
    assert "1.5 times too big" in str(report)


# Functions of several steps, without a reference


def two_layers(x: Any, w1: Any, w2: Any) -> Any:
    return np.tanh(x @ w1) @ w2


def through(derivative: Any) -> Any:
    """The rule of ``two_layers`` for x with a derivative of tanh, given what goes in and what comes out."""
    return {"x": lambda g, x, w1, w2: (g @ w2.T * derivative(x @ w1, np.tanh(x @ w1))) @ w1.T}


def cross_entropy(x: Any) -> Any:
    z = x - x.max(1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(1, keepdims=True)))[np.arange(3), [0, 4, 2]].mean()


def normalized(x: Any) -> Any:
    return x / np.sqrt((x * x).sum())


LAYERS = [X, RNG.standard_normal((5, 4)), RNG.standard_normal((4, 2))]
STEPS: list[tuple[str, Any, Any, list[Any], str, str]] = [
    (
        "a derivative left out",
        two_layers,
        through(lambda u, h: 1.0),
        LAYERS,
        "dropped_factor",
        r"leaves out the derivative of `np.tanh\(x @ w1\)`",
    ),
    (
        "a rule with input for output",
        two_layers,
        through(lambda u, h: 1 - u * u),
        LAYERS,
        "input_for_output",
        r"At the step `np.tanh\(x @ w1\)`, which is tanh, .* `g \* \(1 - x \* x\)`; right is `g \* \(1 - y \* y\)`",
    ),
    (
        "the sign of a step",
        lambda x: x * np.tanh(2 * x),
        lambda g, x: g * (np.tanh(2 * x) - 2 * x * (1 - np.tanh(2 * x) ** 2)),
        [X],
        "sign_of_term",
        r"What goes through `.*` has the wrong sign",
    ),
    (
        "half of a step",
        lambda x: x * np.sin(2 * x),
        lambda g, x: g * (np.sin(2 * x) + x * np.cos(2 * x)),
        [X],
        "dropped_factor",
        r"leaves out the derivative of `2 \* x`",
    ),
    (
        "a sum for the mean inside",
        lambda x: x * (x * x).mean(),
        lambda g, x: g * (x * x).mean() + 2 * x * (g * x).sum(),
        [X],
        "missing_mean",
        r"What goes through `\(x \* x\).mean\(\)` is 15 times too big",
    ),
    (
        "a use forgotten beside one without effect",
        cross_entropy,
        lambda g, x: g * softmax(x) / 3,
        [X],
        "overwrite",
        "lost that of use 1",
    ),
    (
        "a part of the text held constant",
        normalized,
        lambda g, x: g / np.sqrt((x * x).sum()),
        [X],
        "overwrite",
        r"those of uses 2 and 3 in `np.sqrt\(\(x \* x\).sum\(\)\)`",
    ),
]


@pytest.mark.parametrize(
    ("forward", "rule", "inputs", "code", "words"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_the_step_whose_derivative_is_wrong_is_named(
    forward: Any, rule: Any, inputs: Any, code: str, words: str
) -> None:
    report = diagnose(forward, rule, inputs)
    assert report.diagnosis is not None
    assert report.code == code, report
    assert re.search(words, report.diagnosis.sentence), report.diagnosis.sentence


# The catalogues


def share(results: list[Any]) -> float:
    return sum(r.hit for r in results) / len(results)


def told(results: list[Any]) -> str:
    return "; ".join(f"{r.name}: {r.label} -> {r.report.code}" for r in results if not r.hit)


def test_every_right_rule_of_the_catalogues_passes() -> None:
    failures: dict[str, Report] = {
        op.name: accept(op) for op in [*OPERATIONS, *HELD_OUT, *LATER, *LAST] if not accept(op)
    }
    assert not failures


@pytest.mark.parametrize("reference", [True, False], ids=["with a reference", "without"])
def test_nine_in_ten_mistakes_written_by_hand_get_their_name_and_none_is_accepted(reference: bool) -> None:
    results = by_hand(OPERATIONS if reference else OPERATIONS[::3], reference)
    assert len(results) >= 80
    assert not [r.name for r in results if r.report.ok]
    assert share(results) >= 0.9, told(results)


def test_no_mistake_of_the_held_out_part_is_accepted() -> None:
    for results in (by_hand([*HELD_OUT, *LATER, *LAST], True), by_hand(LAST, False)):
        assert not [r.name for r in results if r.report.ok]
        assert share(results) >= 0.8, told(results)


def test_the_forty_mistakes_shown_beside_pytorch_are_all_found() -> None:
    errors = [raised(minigrad, operation, rule) for operation, _, rule in mistakes()]
    assert all(isinstance(error, GradcheckError) for error in errors)
    assert sum(isinstance(e, GradcheckError) and e.report.code != "unknown" for e in errors) >= 36


def test_a_sample_of_bent_rules_gets_its_names_and_none_is_accepted() -> None:
    results = by_machine(True, every=29)
    assert len(results) > 100
    assert not [r.name for r in results if r.report.ok]
    assert share(results) >= 0.9, told(results)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_sample_of_right_gradients_raises_no_false_alarm() -> None:
    alarms = [f"{t.row} ({t.regime}): {t.report}" for t in correct.trials(3, 5, ROWS[::2]) if t.report is not None]
    assert not alarms


# a single value has a standard deviation of 0, whose derivative is 0 * inf; PyTorch's second derivative is nan there, too
WITHOUT_SECOND = {"std", "std_mean"}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(4))
def test_every_operation_has_the_right_first_and_second_derivative(part: int) -> None:
    rows = ROWS[part::4]
    found = list(correct.twice(rows, 11))
    assert len(found) > len(rows)
    alarms = [f"{t.row}: {t.report}" for t in found if t.report is not None and t.row not in WITHOUT_SECOND]
    assert not alarms


# The documentation


def codes() -> set[str]:
    """All codes that a diagnosis may have, read from the text of the checker."""
    found = set(WORDS)
    for path in [*Path(checking.__file__).parent.glob("*.py"), Path(checking.__file__).parents[1] / "gradcheck.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in ("say", "Diagnosis"):
                    constants = [n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)]
                    found |= {c for c in constants if isinstance(c, str)}
    return found


def test_the_readmes_first_example_prints_what_it_shows() -> None:
    readme = (Path(checking.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    program, shown = readme.split("    import minigrad as mg", 1)[1].split("    GradcheckError: ", 1)
    place = Path(checking.__file__).parent / "example"  # of no file: its text is not read
    code = compile(textwrap.dedent("    import minigrad as mg" + program), str(place), "exec")
    with pytest.raises(GradcheckError) as caught:
        exec(code, {"__name__": "example"})
    told = [line.rstrip() for line in str(caught.value).splitlines()]
    wanted = textwrap.dedent("    " + shown.split("\nThe error is", 1)[0]).rstrip().splitlines()
    assert len(told) == len(wanted)  # what rounding leaves over may differ from machine to machine
    assert not [(a, b) for a, b in zip(told, wanted, strict=True) if a != b and "error" not in b]


def test_every_code_is_documented() -> None:
    readme = (Path(checking.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    every = codes().union(*LABELS.values())
    assert not [code for code in sorted(every) if f"`{code}`" not in readme]
