"""Every exercise grades well: its solution passes, and all wrong answers fail, each mutant with its diagnosis."""

import re

import pytest

from minigrad.exercises.exercise import load
from minigrad.exercises.judge import grade
from minigrad.exercises.proof import NOT_AN_ANSWER, answers, asked, replace_answers

EXERCISES = {e.name: e for e in load()}
ATTEMPTS = {f"{e.name}: {name}": attempt for e in EXERCISES.values() for name, attempt in answers(e).items()}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_answer_gets_the_right_verdict(attempt):
    proof = ATTEMPTS[attempt]()
    assert proof.ok, str(proof) + "\n" + "\n".join(proof.verdict.details)


@pytest.mark.parametrize("name", EXERCISES)
def test_exercise_has_all_that_a_learner_needs(name):
    exercise = EXERCISES[name]
    assert len(exercise.hints) == 3
    assert len(exercise.mutants) >= 3
    assert 200 < len(exercise.text) < 2600
    assert max(map(len, exercise.start().splitlines())) <= 120
    assert "learn" not in exercise.stub


@pytest.mark.parametrize("name", EXERCISES)
def test_no_number_that_is_compared_is_written_down(name):
    exercise = EXERCISES[name]
    decimals = re.findall(r"(?<![\w.])\d+\.\d{4,}", exercise.grade)
    assert not decimals, f"results belong to the solution, not to the grading: {decimals}"


OTHER = {
    "text": "x",
    "nothing": None,
    "a list": [],
    "a dictionary": {},
    "an object": object(),
    "a function": len,
    "a complex number": 1j,
    "ragged lists": [[1.0], [1.0, 2.0]],
    "four values": (1.0, 2.0, 3.0, 4.0),
}


@pytest.mark.parametrize("other", OTHER)
@pytest.mark.parametrize("name", EXERCISES)
def test_answer_of_another_type_is_the_learners_mistake(name, other):
    exercise = EXERCISES[name]
    verdict = grade(
        exercise, exercise.solution, alter=lambda n: replace_answers(n, asked(exercise.stub), lambda *_: OTHER[other])
    )
    assert not verdict.passed
    assert verdict.code not in NOT_AN_ANSWER, verdict.message


def test_fault_of_an_exercise_is_not_blamed_on_the_learner():
    broken = EXERCISES["relu"]._replace(grade="1 / 0")
    assert grade(broken, broken.start()).code == "broken_exercise"


def test_numbers_are_in_order():
    numbers = [e.number for e in EXERCISES.values()]
    assert numbers == [f"{i + 1:02d}" for i in range(len(numbers))]
