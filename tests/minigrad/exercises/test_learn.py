"""The commands of ``python -m minigrad learn``, as a learner types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
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


def test_reset_keeps_a_file_that_is_no_text(folder):
    (folder / CHAIN.file).write_bytes(b"\xff\r\n")
    assert main(["learn", "reset", "1"]) == 0
    assert [p.read_bytes() for p in (folder / "backups").iterdir()] == [b"\xff\r\n"]
    assert (folder / CHAIN.file).read_text(encoding="utf-8") == CHAIN.start()


def test_windows_line_endings_are_no_mistake(folder):
    (folder / CHAIN.file).write_bytes(CHAIN.solution.replace("\n", "\r\n").encode())
    assert main(["learn", "check"]) == 0


def test_others_may_read_the_files_as_umask_says(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    write(tmp_path / "written", "text")
    assert (tmp_path / "written").stat().st_mode == plain.stat().st_mode


def test_folder_of_another_name_is_found_if_it_is_the_only_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["learn", "init", "mine"])
    assert main(["learn", "list"]) == 0
    main(["learn", "init", "yours"])
    assert main(["learn", "list"]) == 2
    assert "go into one of them: mine, yours" in capsys.readouterr().err


def test_init_within_the_folder_makes_no_second_one(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["learn", "init"]) == 0
    assert not (folder / "backprop").exists()


def test_folder_far_away_is_named_as_the_place_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["learn", "init", "far/away"])
    assert "cd far/away" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [40, 80])
def test_sentences_fit_the_terminal(columns, folder, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    (folder / CHAIN.file).write_text(
        CHAIN.start().replace("raise NotImplementedError(", "return str("), encoding="utf-8"
    )
    main(["learn", "check"])
    main(["learn", "hint"])
    main(["learn", "next"])
    out = capsys.readouterr().out
    assert all(len(line) <= columns for line in out.splitlines() if "  " not in line.strip())
    assert "\n    g = dL/dy        how the loss changes with the link's output y  (it comes from above)\n" in out


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_time_limit_that_is_none_is_refused(seconds, folder, capsys):
    with pytest.raises(SystemExit) as end:
        main(["learn", "check", "--timeout", seconds])
    assert end.value.code == 2
    assert "seconds above 0" in capsys.readouterr().err


def test_flood_of_prints_does_not_bury_the_verdict(folder, capsys):
    (folder / CHAIN.file).write_text("print('x\\n' * 100)\n" + CHAIN.solution, encoding="utf-8")
    main(["learn", "check"])
    out = capsys.readouterr().out
    assert out.count("x\n") == 20
    assert "80 lines more" in out


def test_formula_at_the_head_of_a_text_keeps_its_place(folder):
    text = (folder / "10_relu.py").read_text(encoding="utf-8")
    assert "\n    relu(x)  = x where x > 0, else 0\n    leaky(x)" in text


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


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"solved": null}', '{"hints": 3}', '{"course": 1}'])
def test_progress_that_cannot_be_read_is_named(text, folder, capsys):
    (folder / ".progress.json").write_text(text, encoding="utf-8")
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


def test_reader_that_has_seen_enough_is_no_error(folder):
    home = str(Path(minigrad.__file__).parents[1])
    command = [sys.executable, "-m", "minigrad", "learn", "list"]
    env = {**os.environ, "PYTHONPATH": home}
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "kept"
    write(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write(target, "new \ud800")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
