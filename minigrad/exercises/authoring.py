"""How a teacher makes an exercise: from a file with a function and its rule, ``learn new`` writes the exercise's file.

The stub is the rule without its body. Mutants are proposed by editing the rule in one place, systematically; those that fail
with a diagnosis are written down with it. The text and the hints are drafts for the teacher to finish.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from minigrad.exercises.draws import draws, letters_of
from minigrad.exercises.edited import Edited, edited
from minigrad.exercises.exercise import Exercise, ExerciseError, parse
from minigrad.exercises.judge import grade
from minigrad.exercises.proof import NOT_AN_ANSWER

MUTANTS = 8  # proposed at most, each with a diagnosis of its own,
SAME_KIND = 2  # and of one kind of edit,
TRIED = 40  # of so many edits that are tried
NO_DIAGNOSIS = (*NOT_AN_ANSWER, "raised", "unknown", "")


class Source(NamedTuple):
    """A teacher's file: its text, the forward function and the rule in it, and what the inputs are."""

    text: str
    forward: ast.FunctionDef
    rule: ast.FunctionDef
    inputs: dict[str, str]


def source(file: Path, forward: str, rule: str, inputs: dict[str, str]) -> Source:
    """Read a teacher's file. Raises ExerciseError that says what is missing."""
    text = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ExerciseError(f"{file}, line {error.lineno}: {error.msg}") from None
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    for name, option in ((forward, "--forward"), (rule, "--rule")):
        if name not in functions:
            have = ", ".join(functions) or "none"
            raise ExerciseError(f"{file} has no function {name}; name it with {option} (there are: {have})")
    parameters = [a.arg for a in functions[forward].args.args]
    unknown = [name for name in inputs if name not in parameters]
    if unknown:
        raise ExerciseError(f"--inputs names {unknown[0]}, and {forward} has the parameters {', '.join(parameters)}")
    specs = {p: inputs.get(p, "n m") for p in parameters}
    try:
        next(draws(letters_of(specs), **specs))
    except ValueError as error:
        raise ExerciseError(f"--inputs {error}") from None
    text = _needed(text, tree, {forward, rule})
    mine = {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}  # their lines in that text
    return Source(text, mine[forward], mine[rule], specs)


def _needed(text: str, tree: ast.Module, wanted: set[str]) -> str:
    """The text without the functions that the wanted ones do not use: other exercises, and their answers."""
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    used, ahead = set(wanted), list(wanted)
    while ahead:
        names = {n.id for n in ast.walk(functions[ahead.pop()]) if isinstance(n, ast.Name)}
        ahead += (names & functions.keys()) - used
        used |= names & functions.keys()
    lines = text.splitlines(keepends=True)
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name not in used:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            end = node.end_lineno or first
            while end < len(lines) and not lines[end].strip():
                end += 1
            del lines[first - 1 : end]
    return "".join(lines).rstrip() + "\n"


def new(name: str, given: Source, folder: Path) -> tuple[Path, int]:
    """Write the exercise's file into a folder; returns where, and how many edits of the rule were tried."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ExerciseError(f"{name!r} is no name for an exercise: small letters, digits and _, as in layer_norm")
    taken = [int(p.name.split("_")[0]) for p in folder.glob("[0-9]*_*.md")]
    path = folder / f"{max(taken, default=0) + 1:02d}_{name}.md"
    if any(p.stem.partition("_")[2] == name for p in folder.glob("[0-9]*_*.md")):
        raise ExerciseError(f"{folder} has an exercise {name} already: give this one another name")
    bare = _page(name, given, [])
    exercise = parse(bare, path)
    verdict = grade(exercise, exercise.solution)
    if not verdict.passed:
        details = "" if verdict.code == "broken_exercise" else "\n".join(["", *verdict.details])
        raise ExerciseError(f"the rule itself does not pass: {verdict.message}{details}")
    found, tried = proposals(exercise, given)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_page(name, given, found), encoding="utf-8")
    return path, tried


class Proposal(NamedTuple):
    """A mutant: what was edited, the diagnosis it got, and the diff."""

    title: str
    code: str
    diff: str


def proposals(exercise: Exercise, given: Source) -> tuple[list[Proposal], int]:
    """Edits of the rule that fail with a diagnosis, of many kinds; and how many edits were tried."""
    found: list[Proposal] = []
    kinds: Counter[str] = Counter()
    tried = 0
    for edit, old, replacement in _in_turn(list(_edits(given))):
        if len(found) == MUTANTS or tried == TRIED:
            break
        text = given.text.replace(old, replacement, 1) if given.text.count(old) == 1 else ""
        if not text or kinds[edit.kind] == SAME_KIND:
            continue
        tried += 1
        verdict = grade(exercise, text)
        if verdict.code in NO_DIAGNOSIS or any(verdict.code == p.code for p in found):
            continue
        kinds[edit.kind] += 1
        diff = "".join(f"-{line}\n" for line in old.splitlines()) + "".join(
            f"+{line}\n" for line in replacement.splitlines()
        )
        title = f"{edit.words}, `{' '.join(edit.text.split()).removeprefix('return ')}`"
        found.append(Proposal(title, verdict.code, diff))
    return found, tried


def _edits(given: Source) -> Iterator[tuple[Edited, str, str]]:
    """The single edits of the rule, with the lines that change and what they become."""
    lines = given.text.splitlines(keepends=True)
    for edit in edited(given.rule, [a.arg for a in given.rule.args.args]):
        old = "".join(lines[edit.statement.lineno - 1 : edit.statement.end_lineno])
        yield edit, old, textwrap.indent(edit.text, " " * edit.statement.col_offset) + "\n"


def _in_turn(candidates: list[tuple[Edited, str, str]]) -> Iterator[tuple[Edited, str, str]]:
    """One of each kind, then the second of each kind, and so on."""
    place: Counter[str] = Counter()
    ranked = []
    for candidate in candidates:
        ranked.append((place[candidate[0].kind], candidate))
        place[candidate[0].kind] += 1
    yield from (candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0]))


def _page(name: str, given: Source, mutants: list[Proposal]) -> str:
    """The exercise's file."""
    title = name.replace("_", " ").capitalize()
    about = ast.get_docstring(given.forward) or f"(Tell what {given.forward.name} is, and derive its derivative.)"
    of, rule = given.forward.name, given.rule.name
    specs = ", ".join(f'{k}="{v}"' for k, v in given.inputs.items())
    needs = ", ".join(a.arg for a in given.rule.args.args)
    last = given.rule.body[-1]
    head = f"# {title}\n\n{about}\n\nWrite `{rule}({needs})`: the gradient, where g = dL/dy and y is the output of `{of}`.\n"
    hints = [
        f"Differentiate {of} on paper for a single entry. Which entries of the output does it reach?",
        f"The rule needs {needs}: multiply the local derivative by g, and bring it to the shape of the input.",
        f"The last line is  {_with_a_gap(last)}",
    ]
    shown = "\n".join(f"### {m.title}: {m.code}\n\n```diff\n{m.diff}```\n" for m in mutants)
    return "\n".join(
        [
            head,
            f"## Stub\n\n```python\n{stub(given)}```\n",
            f"## Solution\n\n```python\n{given.text.rstrip()}\n```\n",
            f'## Grade\n\n```python\nvalues("{of}", {specs})\nrule("{rule}", of="{of}", {specs})\n```\n',
            "## Hints\n\n" + "".join(f"{i + 1}. {hint}\n" for i, hint in enumerate(hints)),
            f"## Mutants\n\n{shown}",
        ]
    )


def stub(given: Source) -> str:
    """The teacher's file with the rule's body taken out."""
    body = given.rule.body[1:] if ast.get_docstring(given.rule) and len(given.rule.body) > 1 else given.rule.body
    lines = given.text.splitlines(keepends=True)
    gap = " " * body[0].col_offset + 'raise NotImplementedError("return the gradient")\n'
    return "".join([*lines[: body[0].lineno - 1], gap, *lines[body[-1].end_lineno or 0 :]]).rstrip() + "\n"


def _with_a_gap(statement: ast.stmt) -> str:
    """A statement with one operand left out, for a hint."""
    tree = ast.parse(ast.unparse(statement)).body[0] if not isinstance(statement, ast.Return) else None
    value = statement.value if isinstance(statement, ast.Return) else None
    if isinstance(value, ast.BinOp):
        gap = ast.BinOp(value.left, value.op, ast.Constant(...))
        return f"return {ast.unparse(gap)}"
    return ast.unparse(tree) if tree is not None else "return ..."
