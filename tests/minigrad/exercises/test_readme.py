"""What the README beside the exercises says is so."""

import json
import re
from pathlib import Path

import minigrad.exercises
from minigrad.exercises.cli import main, parser
from minigrad.exercises.draws import KINDS
from minigrad.exercises.exercise import load
from minigrad.exercises.judge import grade

README = (Path(minigrad.exercises.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_session_is_what_the_judge_says():
    chain = load()[0]
    verdict = grade(chain, chain.solution.replace(" * (2 * x)", ""))
    assert verdict.message in README


def test_fields_of_the_json_are_all_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["learn", "init"])
    capsys.readouterr()
    main(["learn", "check", "--json"])
    fields = set(json.loads(capsys.readouterr().out)["exercises"][0])
    table = README.partition("| field of an exercise")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == fields


def test_every_command_is_told():
    learn = parser()._subparsers._group_actions[0].choices["learn"]
    for name in learn._subparsers._group_actions[0].choices:
        assert f"`{name}" in README or f"learn {name}" in README, name


def test_kinds_of_inputs_are_told():
    assert [k for k in KINDS if f"`{k}`" not in README] == ["normal"]


def test_table_of_exercises_ends_with_the_last():
    rows = [re.findall(r"\d+", row.split("|")[1]) for row in README.splitlines() if re.match(r"\| \d+", row)]
    covered = [n for row in rows for n in range(int(row[0]), int(row[-1]) + 1)]
    assert covered == [int(e.number) for e in load()]
