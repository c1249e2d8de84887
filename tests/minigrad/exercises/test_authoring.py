"""A teacher makes an exercise from a function and its rule, and learners get it."""

import shutil

import pytest

from minigrad.exercises.cli import main
from minigrad.exercises.exercise import ExerciseError, load, parse, patched
from minigrad.exercises.judge import grade
from minigrad.exercises.proof import prove

SOFTPLUS = '''import numpy as np


def softplus(x):
    """softplus(x) = log(1 + exp(x))."""
    return np.logaddexp(0, x)


def softplus_vjp(g, x, y):
    """dL/dx of y = softplus(x)."""
    return g * (1 - np.exp(-y))
'''

SCALED = """import numpy as np


def scaled(x, s):
    return x * s


def rule_of_scaled(g, x, s):
    s_bar = np.sum(g * x, axis=0)
    return g * s, s_bar
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of one exercise, as `learn new` makes it."""
    folder = tmp_path_factory.mktemp("teacher")
    path = folder / "mine.py"
    path.write_text(SOFTPLUS, encoding="utf-8")
    assert main(["learn", "new", "softplus", "--from", str(path), "--course", str(folder / "course")]) == 0
    return folder / "course"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(SOFTPLUS, encoding="utf-8")
    return path


def test_new_writes_an_exercise_that_is_proven(course):
    (exercise,) = load(course)
    assert exercise.file == "01_softplus.py"
    assert len(exercise.mutants) >= 5
    assert len({m.codes for m in exercise.mutants}) == len(exercise.mutants)
    assert all(proof.ok for proof in prove(exercise))
    assert "np.exp(-y)" not in exercise.stub + exercise.hints[2]


def test_learner_works_on_a_teachers_course(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "init", "mine", "--course", str(course)]) == 0
    assert [p.name for p in (tmp_path / "mine").glob("*.py")] == ["01_softplus.py"]
    (tmp_path / "mine" / "01_softplus.py").write_text(SOFTPLUS, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "mine")
    assert main(["learn", "check"]) == 0
    assert "All exercises are solved" in capsys.readouterr().out


def test_several_inputs_statements_and_other_names(file, tmp_path):
    file.write_text(SCALED, encoding="utf-8")
    arguments = ["learn", "new", "scaled", "--from", str(file), "--rule", "rule_of_scaled", "--inputs", "x=n m", "s=m"]
    assert main(arguments) == 0
    (exercise,) = load(tmp_path / "course")
    assert 'x="n m", s="m"' in exercise.grade
    assert grade(exercise, SCALED).passed
    assert grade(exercise, SCALED.replace(", axis=0", "")).code == "over_summed"


def test_second_exercise_gets_the_next_number(course, file, tmp_path):
    shutil.copytree(course, tmp_path / "course")
    main(["learn", "new", "again", "--from", str(file), "--forward", "softplus"])
    assert [e.number for e in load(tmp_path / "course")] == ["01", "02"]


def test_name_that_is_taken_is_refused(course, file, capsys):
    assert main(["learn", "new", "softplus", "--from", str(file), "--course", str(course)]) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (("softplus_vjp", "other"), [], "no function softplus_vjp"),
        (("1 - np", "2 - np"), [], "the rule itself does not pass"),
        (("def softplus(x)", "def softplus(x"), [], "line 4"),
        (("", ""), ["--inputs", "z=n"], "--inputs names z"),
        (("", ""), ["--inputs", "x=n: prime"], "'prime' is none of"),
        (("", ""), ["--inputs", "x=rows m"], "'rows' is no size"),
        (("", ""), ["--inputs", "x=a b c d"], "three different ones at most"),
        (("import numpy", "import nothing_of_that_name\nimport numpy"), [], "No module named 'nothing_of_that_name'"),
    ],
)
def test_what_a_teacher_got_wrong_is_said(file, capsys, change, arguments, words):
    file.write_text(SOFTPLUS.replace(*change), encoding="utf-8")
    assert main(["learn", "new", "softplus", "--from", str(file), *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (file.parent / "course").exists()


@pytest.mark.parametrize("name", ["../softplus", "soft plus", "Softplus", "2"])
def test_name_that_is_no_files_name_is_refused(name, file, capsys):
    assert main(["learn", "new", name, "--from", str(file), "--forward", "softplus"]) == 2
    assert "no name for an exercise" in capsys.readouterr().err


def test_other_exercises_in_a_teachers_file_are_left_out(file, tmp_path):
    helper = "\n\ndef scaled(x, s):\n    return product(x, s)\n\n\ndef product(a, b):\n    return a * b\n"
    file.write_text(SOFTPLUS + helper + SCALED[SCALED.index("\n\ndef rule_of") :], encoding="utf-8")
    arguments = ["--from", str(file), "--rule", "rule_of_scaled", "--inputs", "x=n m", "s=m"]
    assert main(["learn", "new", "scaled", *arguments]) == 0
    (exercise,) = load(tmp_path / "course")
    assert "softplus" not in exercise.stub + exercise.solution
    assert "def product(a, b)" in exercise.stub
    assert all(proof.ok for proof in prove(exercise))


def test_prove_fails_if_a_mutant_gets_another_diagnosis(course, tmp_path, capsys):
    shutil.copytree(course, tmp_path / "course")
    path = tmp_path / "course" / "01_softplus.md"
    path.write_text(path.read_text(encoding="utf-8").replace(": sign\n", ": swapped\n"), encoding="utf-8")
    capsys.readouterr()
    assert main(["learn", "prove", "--course", str(tmp_path / "course")]) == 1
    assert "BAD" in capsys.readouterr().out


def test_exercise_without_a_section_is_refused(tmp_path):
    with pytest.raises(ExerciseError, match="missing Stub, Solution, Grade, Hints, Mutants"):
        parse("# Title\n\ntext\n", tmp_path / "01_x.md")


def test_diff_that_does_not_fit_is_refused():
    with pytest.raises(ExerciseError, match="stand 0 times"):
        patched("a = 1\n", "-a = 2\n+a = 3\n", "here")


def test_diff_may_change_several_places():
    assert patched("a\nb\nc\nd\n", "-a\n+A\n b\n-c\n-d\n+C\n", "here") == "A\nb\nC\n"
