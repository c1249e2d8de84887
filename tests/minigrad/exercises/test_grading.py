"""What the words of a "Grade" section find: each stage catches what the stages before it cannot."""

import numpy as np
import pytest

from minigrad.exercises.draws import KINDS, draws, edges, letters_of
from minigrad.exercises.failure import Failure, quoted
from minigrad.exercises.grading import Grader
from minigrad.exercises.judge import namespace

RIGHT = """
import numpy as np

def half(x):
    return 0.5 * x

def mean(x):
    return np.mean(x * x)

def mean_vjp(g, x):
    return g * 2 * x / x.size

def kink(x):
    return np.maximum(x, 0)

def kink_vjp(g, x):
    return g * (x > 0)
"""


def verdict(answer, judge, right=RIGHT):
    """The code that a grading ends with; "" if it finds nothing."""
    grader = Grader(namespace(right + answer, "<answer>"), namespace(right, "<right>"))
    try:
        judge(grader)
    except Failure as failure:
        return failure.code
    return ""


def half(body):
    answer = f"\ndef half(x):\n    {body}\n"
    return verdict(answer, lambda grader: grader.values("half", x="n m"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return x / 2", ""),
        ("return list(x / 2)", ""),  # numbers of that shape, whatever holds them
        ("pass", "none"),
        ("return 'x'", "wrong_type"),
        ("return {}", "wrong_type"),
        ("return x[0] / 2", "wrong_shape"),
        ("x *= 0.5; return x", "input_changed"),
        ("return 0 * x", "zero"),
        ("return 0 * x + 3", "constant"),
        ("return np.arange(x.size).reshape(x.shape)", "constant"),
        ("return x.copy()", "identity"),
        ("return x * np.nan", "nan"),
        ("return -x / 2", "sign"),
        ("return x / 2 + 1e-7", "epsilon"),
        ("return (x / 2).astype(np.float32)", "epsilon"),
        ("return x / 2 * x.size", "missing_mean"),
        ("return x / 2 / x.size", "extra_mean"),
        ("return x + 0.5", "operator"),
        ("return 0.5 * x + (x.shape[0] == 1)", "wrong_value"),  # wrong for a single row only
        ("return x**7", "wrong_value"),
    ],
)
def test_wrong_value_is_named(body, code):
    assert half(body) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return g * x * 2 / x.size", ""),
        ("return g * 2 * x", "missing_mean"),
        ("return g * 2 * np.squeeze(x) / x.size", "not_reshaped"),  # the shapes 3, 5, 7 pass, a single row fails
        ("return g * 2 * x / max(x.size, 2)", "factor_2"),  # a single entry fails
    ],
)
def test_rule_that_fails_at_edge_shapes_only_is_found(body, code):
    answer = f"\ndef mean_vjp(g, x):\n    {body}\n"
    assert verdict(answer, lambda grader: grader.rule("mean_vjp", of="mean", x="n m")) == code


def test_shape_that_is_right_in_some_draws_only_is_found():
    answer = "\ndef kink_vjp(g, x):\n    return g * (x < 0) if len(x) < 5 else (g * (x > 0))[1:]\n"
    assert verdict(answer, lambda grader: grader.rule("kink_vjp", of="kink", x="n m")) == "comparison"


def test_choice_at_a_kink_is_the_references():
    answer = "\ndef kink_vjp(g, x):\n    return g * (x >= 0)\n"
    assert verdict(answer, lambda grader: grader.rule("kink_vjp", of="kink", x="n m")) == ""
    assert verdict(answer, lambda grader: grader.rule("kink_vjp", of="kink", x="n m: zeros")) == "subgradient"


def test_rule_is_checked_against_the_right_function_whatever_the_learner_made_of_it():
    answer = "\ndef mean(x):\n    return np.sum(x * x)\n\ndef mean_vjp(g, x):\n    return g * 2 * x\n"
    assert verdict(answer, lambda grader: grader.rule("mean_vjp", of="mean", x="n")) == "missing_mean"


def test_mistake_that_nothing_names_is_known_from_the_exercise():
    strange = "\ndef half(x):\n    return np.cos(x) ** 5 + x[::-1]\n"
    grader = Grader(
        namespace(RIGHT + strange, "<answer>"),
        namespace(RIGHT, "<right>"),
        {"strange": namespace(RIGHT + strange, "<known>")},
    )
    with pytest.raises(Failure, match="a known mistake: strange") as info:
        grader.values("half", x="n m")
    assert info.value.code == "known_mistake"


def named(answer, judge, titled=()):
    """The failure of an answer that is itself the known mistake "slip"."""
    known = {"slip": namespace(RIGHT + answer, "<known>")}
    grader = Grader(namespace(RIGHT + answer, "<answer>"), namespace(RIGHT, "<right>"), known, titled)
    with pytest.raises(Failure) as info:
        judge(grader)
    return info.value


@pytest.mark.parametrize(
    ("answer", "judge", "code"),
    [
        ("\ndef half(x):\n    return -x / 2\n", lambda g: g.values("half", x="n m"), "sign"),
        (
            "\ndef mean_vjp(g, x):\n    return g * 2 * x\n",
            lambda g: g.rule("mean_vjp", of="mean", x="n m"),
            "missing_mean",
        ),
    ],
)
def test_title_of_a_known_mistake_comes_first_where_the_exercise_wants_it(answer, judge, code):
    assert named(answer, judge).code == code
    assert named(answer, judge, ["slip"]).code == "known_mistake"
    assert named(answer, judge, ["slip"]).sentence.endswith("a known mistake: slip.")


def test_mistake_without_a_name_but_with_a_title_is_shown_without_saying_that_it_has_no_name():
    answer = "\ndef mean_vjp(g, x):\n    return g * np.cos(x) ** 3\n"
    failure = named(answer, lambda grader: grader.rule("mean_vjp", of="mean", x="n m"))
    assert failure.code == "known_mistake"
    assert "cannot name" not in "".join(failure.details)


@pytest.mark.parametrize(("number", "code"), [("0.0", "zero"), ("3.0", "constant"), ("np.mean(x)", "dropped_factor")])
def test_number_that_has_nothing_to_do_with_the_arguments_is_named(number, code):
    answer = f"\ndef mean(x):\n    return {number}\n"
    assert verdict(answer, lambda grader: grader.values("mean", x="n m")) == code


def test_title_is_no_name_for_a_right_answer():
    tied = "\ndef kink_vjp(g, x):\n    return g * (x >= 0)\n"  # the same where nothing is 0
    grader = Grader(
        namespace(RIGHT, "<a>"), namespace(RIGHT, "<b>"), {"tied": namespace(RIGHT + tied, "<c>")}, ["tied"]
    )
    grader.rule("kink_vjp", of="kink", x="n m")


def test_choice_at_a_kink_shows_where():
    answer = "\ndef kink_vjp(g, x):\n    return g * (x >= 0)\n"
    failure = named(answer, lambda grader: grader.rule("kink_vjp", of="kink", x="n m: zeros"))
    assert failure.code == "subgradient"
    assert failure.details[0].endswith("] = 0")


@pytest.mark.parametrize(("body", "code"), [("np.exp(x)", "overflow"), ("np.exp(-np.abs(x))", "")])
def test_overflow_is_found_even_where_the_value_ends_well(body, code):
    answer = f"\ndef half(x):\n    return 1 / (1 + {body})\n"
    assert verdict(answer, lambda grader: grader.no_overflow("half", np.array([1e3]))) == code


def test_noise_in_an_answer_is_named():
    assert half("return x / 2 + 0.1 * np.random.standard_normal(x.shape)") == "not_repeatable"


def test_one_gradient_of_several_is_quoted_alone():
    assert quoted("return (g * b, g * a)", 1, 2) == "`g * a`"
    assert quoted("return (g * b, g * a)", 0, 1) == "`(g * b, g * a)`"


def test_inputs_are_called_by_their_names():
    told = Failure("x", "of input 1", ["input 0[2]"]).called(["x", "W"])
    assert (told.sentence, told.details) == ("of W", ["x[2]"])


def test_draws_are_of_three_shapes_with_three_seeds():
    shapes = [d["x"].shape for d in draws("nm", x="n m")]
    assert [shapes.count(s) for s in dict.fromkeys(shapes)] == [3, 3, 3]
    assert len({d["x"].tobytes() for d in draws("nm", x="n m")}) == 9
    assert {d["x"].shape for d in edges("nm", x="n m")} == {(1, 5), (5, 1), (1, 1)}


def test_letters_mean_the_same_size_everywhere():
    specs = {"x": "n m", "W": "k m: positive", "t": "n: below k", "axis": 1, "s": "2 n"}
    assert letters_of(specs) == "nmk"
    for d in draws("nmk", **specs):
        (n, m), k = d["x"].shape, d["W"].shape[0]
        assert d["W"].shape == (k, m)
        assert d["t"].shape == (n,)
        assert d["t"].max() < k
        assert d["s"].shape == (2, n)
        assert d["axis"] == 1


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("positive", lambda x: x.min() > 0),
        ("unit", lambda x: x.min() > 0 and x.max() < 1),
        ("binary", lambda x: set(np.unique(x)) == {0.0, 1.0}),
        ("tied", lambda x: len(np.unique(x)) < x.size),
        ("distinct", lambda x: len(np.unique(x)) == x.size),
        ("large", lambda x: np.abs(x).min() > 100),
        ("zeros", lambda x: 0 < np.sum(x == 0) < x.size),
        ("normal", lambda x: x.min() < 0 < x.max()),
    ],
)
def test_kind_of_values_is_as_named(kind, holds):
    assert holds(KINDS[kind](np.random.default_rng(0), (7, 5)))


def test_every_kind_is_tested():
    assert len(KINDS) == 8
