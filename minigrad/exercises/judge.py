"""Running a learner's file: in a process of its own, which is ended if it never stops, and told in plain sentences.

``grade`` judges a text in this process; ``run`` starts ``python -m minigrad.exercises.judge`` for a file and reads what that
wrote down. Whatever the learner's code does, an answer comes back: a ``Verdict``.
"""

from __future__ import annotations

import ast
import faulthandler
import json
import linecache
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from minigrad.exercises.exercise import Exercise, read
from minigrad.exercises.failure import Failure
from minigrad.exercises.grading import Grader
from minigrad.tensor import Tensor

PRINTED = 10_000  # characters of what an answer prints that are kept
GRACE = 10.0  # seconds for Python and NumPy to start, beside what the learner's code may take


@dataclass
class Verdict:
    """What is said of an answer; ``code`` is the name of the mistake, "" if there is none."""

    name: str
    passed: bool
    code: str = ""
    message: str = ""
    line: int | None = None
    details: list[str] = field(default_factory=list)
    output: str = ""  # what the learner's code printed
    seconds: float = 0.0


def grade(
    exercise: Exercise, text: str, filename: str = "", alter: Callable[[dict[str, Any]], None] | None = None
) -> Verdict:
    """Judge an answer in this process; ``alter`` may replace functions before they are judged."""
    filename = filename or f"<{exercise.name}>"
    start = time.perf_counter()
    grader: Grader | None = None
    try:
        solution = namespace(exercise.solution, f"<solution of {exercise.name}>")
        learner = namespace(text, filename)
        if alter is not None:
            alter(learner)
        mistakes = {m.title: namespace(m.text, f"<{m.title}>") for m in exercise.mutants}
        titled = [m.title for m in exercise.mutants if "known_mistake" in m.codes]
        grader = Grader(learner, solution, mistakes, titled, trusted=alter is not None or text != exercise.solution)
        with np.errstate(all="ignore"):
            exec(code_of(exercise.grade, f"<grading of {exercise.name}>"), grader.words())
        verdict = Verdict(exercise.name, True)
    except Failure as failure:
        line = line_of(text, grader.learner.last) if grader else None
        verdict = Verdict(exercise.name, False, failure.code, failure.sentence, line, failure.details)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        verdict = explained(exercise.name, error, filename)
        other = alter is not None or text != exercise.solution
        if verdict.code == "broken_exercise" and grader and other and grade(exercise, exercise.solution).passed:
            verdict = _unusable(exercise.name, grader.learner.last, text, error)
    verdict.seconds = round(time.perf_counter() - start, 3)
    return verdict


def namespace(text: str, filename: str) -> dict[str, Any]:
    """Run a text as a module; its lines stay known, so that functions can be looked up in it."""
    found: dict[str, Any] = {"__name__": Path(filename).stem.strip("<>"), "__file__": filename}
    exec(code_of(text, filename), found)
    return found


def code_of(text: str, filename: str) -> Any:
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    return compile(text, filename, "exec")


def explained(name: str, error: BaseException, filename: str) -> Verdict:
    """An error of the learner's code as a plain sentence with its line."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        kind = "indentation" if isinstance(error, IndentationError) else "syntax_error"
        shown = [f"{error.lineno}: {(error.text or '').rstrip()}"]
        return Verdict(name, False, kind, f"Line {error.lineno} is not Python yet: {error.msg}.", error.lineno, shown)
    line = last_line(error.__traceback__, filename)
    if line is None:  # not the learner's code: an error of the exercise itself, to be seen whole
        lines = traceback.format_exception(error)
        return Verdict(name, False, "broken_exercise", f"The exercise's own grading failed: {error}", None, lines)
    shown = [f"{line}: {linecache.getline(filename, line).rstrip()}"]
    where = f"Line {line}"
    if isinstance(error, NotImplementedError):
        return Verdict(name, False, "not_implemented", f"{where} is still to be written: {error}.", line)
    if isinstance(error, RecursionError):
        line = _most_run(error.__traceback__, filename)
        where, shown = f"Line {line}", [f"{line}: {linecache.getline(filename, line).rstrip()}"]
        text = f"{where} calls itself more than {sys.getrecursionlimit()} times: a loop with a list of its own has no such limit."
        return Verdict(name, False, "recursion", text, line, shown)
    if isinstance(error, SystemExit):
        return Verdict(name, False, "exit", f"{where} ends Python: leave exit() out.", line, shown)
    message = str(error).split("\n")[0].rstrip(".")
    if isinstance(error, KeyError):
        key = re.sub(r"<[^ ]*?(\w+) object at 0x[0-9a-f]+>", r"this \1", message)
        message = f"there is no entry for {key} yet"
    shown += shapes_at(error.__traceback__, filename)
    told = f"{type(error).__name__}{': ' if message else ''}{message}"
    return Verdict(name, False, "raised", f"{where} raised {told}.", line, shown)


def _unusable(name: str, function: str, text: str, error: BaseException) -> Verdict:
    """What the learner's function returned broke the grading, as the solution's does not."""
    message = " ".join(str(error).split()).rstrip(".")
    sentence = f"What {function} returned cannot be used ({message}). Is it of the type that the text asks for?"
    return Verdict(name, False, "wrong_type", sentence, line_of(text, function))


def last_line(trace: TracebackType | None, filename: str) -> int | None:
    """The last line of the file that a traceback went through."""
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == filename]
    return lines[-1] if lines else None


def _most_run(trace: TracebackType | None, filename: str) -> int:
    """The line of the file that stands most often in a traceback: the one that calls itself."""
    return Counter(f.lineno for f in traceback.extract_tb(trace) if f.filename == filename and f.lineno).most_common(1)[
        0
    ][0]


def line_of(text: str, name: str) -> int | None:
    """The line of a function's last return, or, without any, of its head."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return max([n.lineno for n in ast.walk(node) if isinstance(n, ast.Return)], default=node.lineno)
    return None


def shapes_at(trace: TracebackType | None, filename: str) -> list[str]:
    """The shapes of the arrays that the last line of the file could see."""
    seen: dict[str, Any] = {}
    for frame, _ in traceback.walk_tb(trace):
        if frame.f_code.co_filename == filename and frame.f_code.co_name != "<module>":
            seen = frame.f_locals
    shapes = [f"{k} {tuple(v.shape)}" for k, v in seen.items() if isinstance(v, (np.ndarray, Tensor))]
    return [f"shapes there: {', '.join(shapes[:8])}"] if shapes else []


def run(exercise: Exercise, file: Path, timeout: float = 20.0) -> Verdict:
    """Judge a file in a process of its own, which gets ``timeout`` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        answer, frames = Path(folder) / "verdict.json", Path(folder) / "frames.txt"
        command = [sys.executable, "-m", "minigrad.exercises.judge"]
        command += [str(exercise.path), str(file), str(answer), str(frames), str(timeout)]
        home = str(Path(__file__).parents[2])  # the same minigrad as here, installed or not
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=timeout + GRACE,
                check=False,
                env=env,
                stdin=subprocess.DEVNULL,
            )
            output, status = done.stdout, str(done.returncode)
        except subprocess.TimeoutExpired:
            output, status = "", "none"
        if answer.exists():
            verdict = Verdict(**json.loads(answer.read_text(encoding="utf-8")))
        elif frames.exists() and frames.read_text(encoding="utf-8"):
            verdict = _endless(exercise.name, frames.read_text(encoding="utf-8"), file, timeout)
        elif status == "none":
            verdict = Verdict(exercise.name, False, "timeout", _still(timeout))
        else:
            lines = done.stderr.splitlines()[-10:]
            verdict = Verdict(exercise.name, False, "crashed", f"Python itself ended (status {status}).", None, lines)
    verdict.output = output[-PRINTED:]
    return verdict


def _still(timeout: float) -> str:
    return f"Your code was still running after {timeout:g} seconds. Is there a loop that never ends?"


def _endless(name: str, frames: str, file: Path, timeout: float) -> Verdict:
    lines = re.findall(rf'File "{re.escape(str(file))}", line (\d+)', frames)
    if not lines:  # it is the checker that looks for a name for the mistake, as on a slow or busy machine
        text = f"Your answer is not right, or slow: the checker was still at work after {timeout:g} seconds."
        return Verdict(name, False, "timeout", f"{text} Give it more with --timeout {3 * timeout:g}.")
    line = int(lines[0])
    shown = [f"{line}: {linecache.getline(str(file), line).rstrip()}"]
    return Verdict(name, False, "timeout", f"{_still(timeout)} Line {line} was running then.", line, shown)


def main(arguments: list[str]) -> None:
    exercise, file, answer, frames, timeout = arguments
    with Path(frames).open("w", encoding="utf-8") as stream:
        faulthandler.dump_traceback_later(float(timeout), exit=True, file=stream)
        wanted = read(Path(exercise))
        try:
            verdict = grade(wanted, Path(file).read_text(encoding="utf-8"), file)
        except UnicodeDecodeError as error:
            verdict = Verdict(wanted.name, False, "not_text", f"{Path(file).name} is not text in UTF-8: {error}.")
        sys.stdout.flush()
        partial = Path(answer + ".part")
        partial.write_text(json.dumps(asdict(verdict)), encoding="utf-8")
        partial.replace(answer)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(sys.argv[1:])
