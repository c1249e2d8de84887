"""The commands of ``python -m minigrad learn``, as a learner types them."""

import json
import os

import pytest

from minigrad.exercises.cli import main, watch
from minigrad.exercises.exercise import load
from minigrad.exercises.workspace import Workspace, write

CHAIN = load()[0]


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "init"]) == 0
    capsys.readouterr()
    return tmp_path / "backprop"


def solve(folder, exercise=CHAIN):
    (folder / exercise.file).write_text(exercise.solution, encoding="utf-8")


def test_init_writes_every_exercise_and_shows_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "init", "mine"]) == 0
    assert {p.name for p in (tmp_path / "mine").glob("*.py")} == {e.file for e in load()}
    assert CHAIN.title in capsys.readouterr().out


def test_init_again_leaves_the_learners_files_alone(folder):
    solve(folder)
    (folder / load()[1].file).unlink()
    assert main(["learn", "init", str(folder)]) == 0
    assert (folder / CHAIN.file).read_text(encoding="utf-8") == CHAIN.solution
    assert (folder / load()[1].file).exists()


def test_first_check_names_the_line_that_is_to_be_written(folder, capsys):
    assert main(["learn", "check"]) == 1
    out = capsys.readouterr().out
    assert "still to be written" in out
    assert f"{CHAIN.file}, line" in out


def test_solved_exercise_is_remembered_and_the_next_one_comes_up(folder, capsys):
    solve(folder)
    assert main(["learn", "check"]) == 0
    assert Workspace.find(folder).current().name == load()[1].name
    capsys.readouterr()
    assert main(["learn", "next"]) == 0
    assert load()[1].title in capsys.readouterr().out


def test_commands_work_within_the_folder_too(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["learn", "list"]) == 0
    assert "0 of" in capsys.readouterr().out


def test_list_marks_what_is_solved(folder, capsys):
    solve(folder)
    main(["learn", "check", "1"])
    capsys.readouterr()
    main(["learn", "list"])
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("+ 01")
    assert out[1].startswith("> 02")
    assert "1 of" in out[-1]


def test_solution_is_shown_after_success_only(folder, capsys):
    assert main(["learn", "solution", "chain_rule"]) == 1
    assert "return g" not in capsys.readouterr().out
    solve(folder)
    main(["learn", "check"])
    capsys.readouterr()
    assert main(["learn", "solution"]) == 0
    assert capsys.readouterr().out.strip() == CHAIN.solution.strip()


def test_three_hints_come_one_after_the_other(folder, capsys):
    said = []
    for _ in range(4):
        main(["learn", "hint"])
        said.append(" ".join(capsys.readouterr().out.split()))
    assert [CHAIN.hints[i] in said[i] for i in range(3)] == [True] * 3
    assert said[3] == said[2]


def test_reset_keeps_a_backup(folder, capsys):
    (folder / CHAIN.file).write_text("mine = 1\n", encoding="utf-8")
    main(["learn", "reset", "1"])
    (folder / CHAIN.file).write_text("mine = 2\n", encoding="utf-8")
    main(["learn", "reset", "1"])
    assert (folder / CHAIN.file).read_text(encoding="utf-8") == CHAIN.start()
    kept = sorted(p.read_text(encoding="utf-8") for p in (folder / "backups").iterdir())
    assert kept == ["mine = 1\n", "mine = 2\n"]


def test_json_has_the_documented_fields(folder, capsys):
    assert main(["learn", "check", "chain_rule", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["passed"], found["total"]) == (1, 0, 1)
    fields = "name number title file passed code message line details output seconds attempts hints solved_at"
    assert list(found["exercises"][0]) == fields.split()
    assert found["exercises"][0]["code"] == "not_implemented"


def test_unknown_name_lists_what_there_is(folder, capsys):
    assert main(["learn", "check", "chain"]) == 2
    assert "did you mean: chain_rule" in capsys.readouterr().err


def test_without_exercises_the_command_to_make_some_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "check"]) == 2
    assert "learn init" in capsys.readouterr().err


def test_hint_that_is_named_is_of_the_exercise_that_was_checked(folder, capsys):
    main(["learn", "check", "relu"])
    assert "learn hint relu" in capsys.readouterr().out
    main(["learn", "check"])
    assert capsys.readouterr().out.rstrip().endswith("learn hint")


def test_what_was_printed_stands_before_the_verdict(folder, capsys):
    (folder / CHAIN.file).write_text("print('here I am')\n" + CHAIN.solution, encoding="utf-8")
    assert main(["learn", "check"]) == 0
    out = capsys.readouterr().out
    assert out.index("here I am") < out.index("right.")


def test_check_of_all_counts_what_passes(folder, capsys):
    for exercise in load():
        if exercise.name not in ("chain_rule", "engine"):
            (folder / exercise.file).unlink()
    solve(folder)
    assert main(["learn", "check", "--all"]) == 1
    out = capsys.readouterr().out
    assert f"1 of {len(load())} pass." in out
    assert "- 07  engine                   not_implemented" in out


@pytest.mark.parametrize("words", [[], ["learn"]])
def test_bare_command_says_how_to_begin(words, capsys):
    assert main(words) == 2
    assert "learn init" in capsys.readouterr().out


def test_progress_that_cannot_be_read_is_named(folder, capsys):
    (folder / ".progress.json").write_text("{", encoding="utf-8")
    assert main(["learn", "list"]) == 2
    assert "delete it" in capsys.readouterr().err


def test_missing_file_is_reported(folder, capsys):
    (folder / CHAIN.file).unlink()
    assert main(["learn", "check"]) == 1
    assert "is not there" in " ".join(capsys.readouterr().out.split())


def test_watch_checks_on_every_save_and_goes_on(folder, capsys):
    steps = iter([lambda: solve(folder), KeyboardInterrupt])

    def wait():
        step = next(steps)
        if step is KeyboardInterrupt:
            raise KeyboardInterrupt
        step()
        os.utime(folder / CHAIN.file, (1, 1))

    with pytest.raises(KeyboardInterrupt):
        watch(Workspace.find(folder), 20, wait)
    out = capsys.readouterr().out
    assert out.index("not yet") < out.index("right.") < out.index(load()[1].file)


def test_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "kept"
    write(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write(target, "new \ud800")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
