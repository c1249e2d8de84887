"""Whatever a learner's file does, the answer is a plain sentence, with its line where there is one."""

from pathlib import Path

import pytest

from minigrad.exercises.exercise import find, load, read
from minigrad.exercises.judge import grade, run

CHAIN = find(load(), "chain_rule")
HEAD = "import numpy as np\n\n\ndef sin_of_square_vjp(g, x):\n"


def with_body(body):
    return HEAD + "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize(
    ("body", "code", "line", "words"),
    [
        ("return g * np.cos(x**2", "syntax_error", 5, "not Python yet"),
        ("return g\n  * 2", "indentation", 6, "not Python yet"),
        ("return g * cosine(x)", "raised", 5, "name 'cosine' is not defined"),
        ("a = x\nreturn g * a[100]", "raised", 6, "IndexError"),
        ("raise NotImplementedError('soon')", "not_implemented", 5, "still to be written"),
        ("exit()", "exit", 5, "leave exit() out"),
        ("return sin_of_square_vjp(g, x)", "recursion", 5, "calls itself"),
        ("y = g\nx = x * y\nreturn sin_of_square_vjp(g, x)", "recursion", 7, "calls itself"),
        ("return {}[CHAIN]", "raised", 5, "name 'CHAIN'"),
        ("return {}[Exception]", "raised", 5, "there is no entry for <class 'Exception'> yet"),
        ("class A:\n    pass\nreturn {}[A()]", "raised", 7, "there is no entry for this A yet"),
        ("raise ValueError", "raised", 5, "raised ValueError."),
        ("return g * 1j", "wrong_type", 5, "an array of complex128"),
        ("g * np.cos(x**2)", "none", 4, "return statement is missing"),
        ("return 'cos'", "wrong_type", 5, "str"),
        ("return [g, x, g]", "wrong_count", 5, "in no list or tuple"),
        ("return g.sum()", "over_summed", 5, "shape"),
        ("g *= np.cos(x**2) * 2 * x\nreturn g", "upstream_changed", 6, "changes g in place"),
    ],
)
def test_mistake_in_python_gets_a_plain_sentence_and_its_line(body, code, line, words):
    verdict = grade(CHAIN, with_body(body))
    assert (verdict.passed, verdict.code, verdict.line) == (False, code, line)
    assert words in verdict.message


def test_wrong_answer_names_the_line_of_the_function_that_is_wrong():
    both = find(load(), "add_mul")
    verdict = grade(both, both.solution.replace("return g * b, g * a", "return g * a, g * b"))
    assert both.solution.splitlines()[verdict.line - 1].strip() == "return g * b, g * a"


def test_function_that_was_renamed_is_missed():
    verdict = grade(CHAIN, "def other(g, x):\n    return g\n")
    assert verdict.code == "missing"
    assert "sin_of_square_vjp" in verdict.message


def test_other_parameters_are_named():
    verdict = grade(CHAIN, "def sin_of_square_vjp(g, x, scale, more):\n    return g\n")
    assert verdict.code == "signature"
    assert "scale" in verdict.message


def test_answer_that_differs_from_the_solution_in_form_passes():
    assert grade(CHAIN, with_body("u = x * x\ndu = g * np.cos(u)\nreturn du * x + du * x")).passed


def test_diagnosis_does_not_print_the_right_rule():
    verdict = grade(CHAIN, with_body("return g * np.cos(x) * (2 * x)"))
    assert verdict.code == "power"
    assert "np.cos(x ** 2)" not in verdict.message + "".join(verdict.details)


def test_error_shows_the_shapes_that_met():
    verdict = grade(CHAIN, with_body("return g + np.ones((2, 7))"))
    assert verdict.code == "raised"
    assert verdict.details[1] == "shapes there: g (3,), x (3,)"


def test_mistake_without_a_name_comes_with_all_that_is_known():
    verdict = grade(CHAIN, with_body("return g * np.where(x > 0.1, np.cos(3 * x), np.exp(x) * x**2)"))
    assert verdict.code == "unknown"
    assert any(">" in line and "numeric error" in line for line in verdict.details)


def test_named_mistake_shows_the_worst_entry():
    verdict = grade(CHAIN, with_body("return g * np.cos(x**2) * (2 * x) * 2"))
    assert verdict.code == "factor_2"
    assert verdict.details[0].startswith("3 of 9 slopes along x differ")
    yours, numeric = (float(line.split()[-1]) for line in verdict.details[1:])
    assert yours == pytest.approx(2 * numeric)


def answer(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "answer.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_endless_loop_is_ended_and_its_line_named(tmp_path):
    verdict = run(CHAIN, answer(tmp_path, with_body("while True:\n    g = g + 1")), timeout=2)
    assert verdict.code == "timeout"
    assert verdict.line in (5, 6)
    assert "never ends" in verdict.message


def test_what_the_answer_prints_is_kept_apart(tmp_path):
    verdict = run(CHAIN, answer(tmp_path, "print('hello')\n" + CHAIN.solution))
    assert verdict.passed
    assert verdict.output == "hello\n"


def test_answer_that_waits_for_a_key_is_told_so(tmp_path):
    verdict = run(CHAIN, answer(tmp_path, with_body("input('x? ')\nreturn g")))
    assert verdict.code == "raised"
    assert "EOFError" in verdict.message


def test_long_prints_are_cut(tmp_path):
    verdict = run(CHAIN, answer(tmp_path, "print('x' * 50_000)\n" + CHAIN.solution))
    assert len(verdict.output) == 10_000


def test_end_of_python_itself_is_reported(tmp_path):
    verdict = run(
        CHAIN, answer(tmp_path, "import os\n" + with_body("os._exit(3)").replace("import numpy", "import numpy"))
    )
    assert verdict.code == "crashed"
    assert "3" in verdict.message


def test_file_that_is_no_text_is_reported(tmp_path):
    file = tmp_path / "answer.py"
    file.write_bytes(b"\xff\xfe\x00")
    assert run(CHAIN, file).code == "not_text"


def test_checker_that_is_still_at_work_is_not_called_an_endless_loop(tmp_path):
    slow = tmp_path / "01_slow.md"
    text = CHAIN.path.read_text(encoding="utf-8").replace(
        "## Grade\n\n```python\n", "## Grade\n\n```python\nwhile True: pass\n"
    )
    slow.write_text(text, encoding="utf-8")
    verdict = run(read(slow), answer(tmp_path, CHAIN.solution), timeout=1)
    assert (verdict.code, verdict.line) == ("timeout", None)
    assert "--timeout 3" in verdict.message
    assert "loop" not in verdict.message
