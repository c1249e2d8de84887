"""The command line ``python -m minigrad learn ...``: what a learner and a teacher type, and what they read."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minigrad.exercises.authoring import new, source
from minigrad.exercises.exercise import Exercise, ExerciseError, find, load, read
from minigrad.exercises.judge import Verdict, run
from minigrad.exercises.proof import prove
from minigrad.exercises.workspace import USUAL, Workspace, WorkspaceError

COMMAND = "python -m minigrad learn"
WIDTH = 100  # of what is printed, in characters; less in a narrower terminal
PRINTED = 20  # lines of what an answer prints that are shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status: 1 if something is not right yet."""
    options = parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, as `head`, has seen enough; Python flushes once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (WorkspaceError, ExerciseError, ValueError, OSError) as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="minigrad", description="Learn backprop by writing it.")
    top.set_defaults(run=_begin)
    learn = top.add_subparsers(dest="area", metavar="learn").add_parser(
        "learn", help="exercises from the chain rule to checkpointing"
    )
    commands = learn.add_subparsers(dest="command")

    def command(name: str, run: Callable[[Any], int], text: str, exercise: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.set_defaults(run=run)
        if exercise:
            made.add_argument(
                "name", nargs="?", metavar="NAME", help="an exercise's name or number (default: the next)"
            )
        return made

    made = command("init", _init, "write the exercises into a folder of your own")
    made.add_argument("folder", nargs="?", type=Path, metavar="DIR", help=f"default: {USUAL}")
    made.add_argument("--course", type=Path, metavar="DIR", help="a folder with a teacher's exercises")
    command("list", _list, "show all exercises and which are solved")
    command("next", _next, "show the next exercise")
    made = command("check", _check, "check your answer and say what is wrong with it", exercise=True)
    made.add_argument("--all", action="store_true", help="check every exercise")
    made.add_argument(
        "--json", action="store_true", help="print a result for programs (see minigrad/exercises/README.md)"
    )
    made.add_argument("--timeout", type=_seconds, default=20.0, metavar="SECONDS", help="time an answer gets (20)")
    made = command("watch", _watch, "check whenever you save the file")
    made.add_argument("--timeout", type=_seconds, default=20.0, metavar="SECONDS", help="time an answer gets (20)")
    command("hint", _hint, "show a hint; each further call says more, three in all", exercise=True)
    command("solution", _solution, "show the solution, once yours passes", exercise=True)
    command("reset", _reset, "begin an exercise anew; your file is kept in backups/", exercise=True)
    made = command("new", _new, "make an exercise from a function and its rule")
    made.add_argument("name", metavar="NAME", help="what the exercise is called, as softplus")
    made.add_argument("--from", dest="file", type=Path, required=True, metavar="FILE.py", help="where the two stand")
    made.add_argument("--forward", metavar="F", help="the function (default: NAME)")
    made.add_argument("--rule", metavar="R", help="its rule, R(g, ...) (default: F_vjp)")
    text = 'shapes and values, as "x=n m" "t=n: below m" (default: n m)'
    made.add_argument("--inputs", nargs="*", default=[], metavar="SPEC", help=text)
    made.add_argument("--course", type=Path, default=Path("course"), metavar="DIR", help="where to write it (course)")
    made = command("prove", _prove, "prove that exercises accept their solution and name every wrong answer")
    made.add_argument("name", nargs="?", metavar="NAME", help="an exercise's name or number (default: all)")
    made.add_argument("--course", type=Path, metavar="DIR", help="a folder of exercises (default: the built-in ones)")
    return top


def _seconds(text: str) -> float:
    """A time limit. Raises ArgumentTypeError, which argparse tells, if it is none."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return found


def _filled(text: str, indent: str = "  ") -> str:
    """A sentence in lines that fit the terminal."""
    return textwrap.fill(text, _width(), initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _width() -> int:
    return max(20, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def _reflowed(text: str) -> str:
    """A text whose paragraphs fit the terminal; what is indented, a formula or a drawing, stays as it is."""
    paragraphs = re.split(r"\n\n+", text)
    return "\n\n".join(
        p if re.search(r"^[ -]", p, re.MULTILINE) else _filled(" ".join(p.split()), "") for p in paragraphs
    )


def _chosen(workspace: Workspace, name: str | None) -> Exercise:
    if name is not None:
        return find(workspace.exercises, name)
    return workspace.current() or workspace.exercises[-1]


def _begin(options: Any) -> int:
    print(f"Learn backprop by writing it.\n\n  {COMMAND} init     writes the exercises into ./{USUAL}")
    print(f"  {COMMAND} check    checks your answer\n  {COMMAND} --help   shows all commands")
    return 2


def _init(options: Any) -> int:
    folder = options.folder or Workspace.around(Path.cwd()) or Path(USUAL)  # not a second one within the first
    workspace = Workspace.create(folder, options.course)
    print(f"{len(workspace.exercises)} exercises are in {_near(workspace.folder)}{_solved_so_far(workspace)}.")
    return _show(workspace)


def _solved_so_far(workspace: Workspace) -> str:
    solved = sum(workspace.solved(e) for e in workspace.exercises)
    return f", {solved} of them solved" if solved else ""


def _show(workspace: Workspace) -> int:
    exercise = workspace.current()
    if exercise is None:
        print("All exercises are solved.")
        return 0
    print(f"\n{exercise.heading}\n{'-' * len(exercise.heading)}\n\n{_reflowed(exercise.text)}\n")
    here = Path.cwd().resolve() in (workspace.folder.resolve(), workspace.folder.resolve().parent)
    go = "" if here else f"Go there      cd {workspace.folder}\n"
    print(f"Write it in   {_near(workspace.path(exercise))}\n{go}Then type     {COMMAND} check")
    return 0


def _next(options: Any) -> int:
    return _show(Workspace.find(Path.cwd()))


def _list(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    current = workspace.current()
    for exercise in workspace.exercises:
        mark = "+" if workspace.solved(exercise) else ">" if exercise is current else " "
        print(f"{mark} {exercise.number}  {exercise.name:<24} {exercise.title}")
    solved = sum(workspace.solved(e) for e in workspace.exercises)
    print(f"\n{solved} of {len(workspace.exercises)} solved (+). Next is >.")
    return 0


def _check(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    exercises = workspace.exercises if options.all else [_chosen(workspace, options.name)]
    verdicts = []
    for exercise in exercises:
        verdict = judged(workspace, exercise, options.timeout)
        verdicts.append(verdict)
        if options.all and not options.json:
            print(f"{'+' if verdict.passed else '-'} {exercise.number}  {exercise.name:<24} {verdict.code}", flush=True)
    if options.json:
        print(json.dumps(document(workspace, exercises, verdicts), indent=2))
    elif not options.all:
        print(told(workspace, exercises[0], verdicts[0]))
    else:
        print(f"\n{sum(v.passed for v in verdicts)} of {len(verdicts)} pass.")
    return 0 if all(v.passed for v in verdicts) else 1


def judged(workspace: Workspace, exercise: Exercise, timeout: float) -> Verdict:
    """Judge the learner's file and remember the result."""
    path = workspace.path(exercise)
    if not path.exists():
        text = f"{_near(path)} is not there: `{COMMAND} init {_near(workspace.folder)}` writes what is missing."
        return Verdict(exercise.name, False, "missing_file", text)
    verdict = run(exercise, path.resolve(), timeout)
    workspace.note(exercise, verdict.passed)
    return verdict


def document(workspace: Workspace, exercises: Sequence[Exercise], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The result of a check for programs; its fields are told in the README beside this file."""
    rows = []
    for exercise, v in zip(exercises, verdicts, strict=True):
        rows.append(
            {
                "name": exercise.name,
                "number": exercise.number,
                "title": exercise.title,
                "file": str(workspace.path(exercise)),
                "passed": v.passed,
                "code": v.code,
                "message": v.message,
                "line": v.line,
                "details": v.details,
                "output": v.output,
                "seconds": v.seconds,
                "attempts": workspace.state["attempts"].get(exercise.name, 0),
                "hints": workspace.state["hints"].get(exercise.name, 0),
                "solved_at": workspace.state["solved"].get(exercise.name),
            }
        )
    return {"version": 1, "passed": sum(v.passed for v in verdicts), "total": len(rows), "exercises": rows}


def told(workspace: Workspace, exercise: Exercise, verdict: Verdict) -> str:
    """A verdict for a reader."""
    printed = verdict.output.rstrip().splitlines()
    more = [f"... and {len(printed) - PRINTED} lines more"] if len(printed) > PRINTED else []
    lines = ["Your program printed:", *printed[:PRINTED], *more, ""] if printed else []
    if verdict.passed:
        solved = sum(workspace.solved(e) for e in workspace.exercises)
        lines += [f"+ {exercise.heading}: right. ({solved} of {len(workspace.exercises)})", ""]
        lines += [f"  To compare:  {COMMAND} solution {exercise.name}"]
        after = workspace.current()
        lines += [f"  Next:        {COMMAND} next" if after else "  That was the last one. All exercises are solved."]
        return "\n".join(lines)
    lines += [f"- {exercise.heading}: not yet.", "", _filled(verdict.message)]
    if verdict.details:
        lines += ["", *(f"    {line}".rstrip() for line in verdict.details)]
    where = f"{_near(workspace.path(exercise))}{f', line {verdict.line}' if verdict.line else ''}"
    which = "" if exercise is workspace.current() else f" {exercise.name}"
    return "\n".join([*lines, "", f"  Your file:  {where}", f"  A hint:     {COMMAND} hint{which}"])


def _near(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _watch(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    watch(workspace, options.timeout, lambda: time.sleep(0.3))
    return 0


def watch(workspace: Workspace, timeout: float, wait: Callable[[], None]) -> None:
    """Check the current exercise each time its file changes, and go on to the next when it passes."""
    seen: tuple[str, float] | None = None
    while (exercise := workspace.current()) is not None:
        path = workspace.path(exercise)
        stamp = exercise.name, path.stat().st_mtime if path.exists() else 0.0
        if stamp != seen:
            if seen is None or seen[0] != exercise.name:
                print(f"\nWatching {_near(path)}; save it and it is checked. Ctrl-C ends.")
            seen = stamp
            print("\n" + told(workspace, exercise, judged(workspace, exercise, timeout)), flush=True)
            continue
        wait()
    print("\nAll exercises are solved.")


def _hint(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    exercise = _chosen(workspace, options.name)
    n, text = workspace.hint(exercise)
    print(f"{exercise.heading}, hint {n} of {len(exercise.hints)}:\n")
    print(_filled(text))
    return 0


def _solution(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    if options.name is None:  # the one solved last
        solved = [e for e in workspace.exercises if workspace.solved(e)]
        exercise = max(solved, key=lambda e: workspace.state["solved"][e.name]) if solved else workspace.exercises[0]
    else:
        exercise = find(workspace.exercises, options.name)
    if not workspace.solved(exercise):
        print(f"The solution of {exercise.name} is shown once yours passes. `{COMMAND} hint` helps on the way.")
        return 1
    print(exercise.solution.rstrip())
    return 0


def _new(options: Any) -> int:
    forward = options.forward or options.name
    pairs = [spec.partition("=") for spec in options.inputs]
    given = source(
        options.file, forward, options.rule or f"{forward}_vjp", {name.strip(): value for name, _, value in pairs}
    )
    path, tried = new(options.name, given, options.course)
    made = read(path)
    print(f"{path}: an exercise with {len(made.mutants)} mutants, found among {tried} edits of the rule.\n")
    status = _proved(made)
    print(f"\nFinish its text and hints, then:  {COMMAND} prove {made.name} --course {options.course}")
    print(f"Learners begin with:              {COMMAND} init --course {options.course}")
    return status


def _prove(options: Any) -> int:
    exercises = load(options.course)
    chosen = [find(exercises, options.name)] if options.name else exercises
    return max([_proved(exercise) for exercise in chosen])


def _proved(exercise: Exercise) -> int:
    print(exercise.heading)
    status = 0
    for proof in prove(exercise):
        print(f"  {proof}", flush=True)
        status |= not proof.ok
    return int(status)


def _reset(options: Any) -> int:
    workspace = Workspace.find(Path.cwd())
    exercise = _chosen(workspace, options.name)
    kept = workspace.reset(exercise)
    print(
        f"{_near(workspace.path(exercise))} is as it was at first"
        + (f"; yours is kept in {_near(kept)}." if kept else ".")
    )
    return 0
