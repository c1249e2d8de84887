"""What an exercise is, and how it is read from its Markdown file.

# Title, then the text the learner reads
## Stub        a python block: what the learner starts from
## Solution    a python block
## Grade       a python block that calls the functions of ``grading``
## Hints       three numbered hints, from a nudge to nearly all of it
## Mutants     wrong answers: a heading "### what is wrong: expected diagnosis", and a diff of the solution
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

CATALOGUE = Path(__file__).parent / "catalogue"
SECTIONS = ("Stub", "Solution", "Grade", "Hints", "Mutants")


class Mutant(NamedTuple):
    """A wrong answer: what is wrong with it, the diagnoses that are right for it, and the whole text."""

    title: str
    codes: tuple[str, ...]
    text: str


class Exercise(NamedTuple):
    """One exercise, as its file says it."""

    number: str  # "01", for the order and the file's name
    name: str
    title: str
    text: str
    stub: str
    solution: str
    grade: str
    hints: tuple[str, ...]
    mutants: tuple[Mutant, ...]
    path: Path

    @property
    def file(self) -> str:
        """The name of the learner's file."""
        return f"{self.number}_{self.name}.py"

    def start(self) -> str:
        """What the learner's file holds at first."""
        raw = "r" if "\\" in self.text else ""
        gap = "\n" if self.stub.startswith(("def ", "class ")) else ""
        return f'{raw}"""{self.heading}\n\n{self.text}\n"""\n\n{gap}{self.stub}'

    @property
    def heading(self) -> str:
        return f"{int(self.number)}. {self.title}" if self.number.isdigit() else self.title


class ExerciseError(ValueError):
    """An exercise's own file is not as it should be."""


def load(folder: Path | None = None) -> list[Exercise]:
    """All exercises of a folder, in order; the built-in ones by default. Raises ExerciseError if there are none."""
    folder = folder or CATALOGUE
    found = [read(path) for path in sorted(folder.glob("[0-9]*_*.md"))]
    if not found:
        raise ExerciseError(f"{folder} holds no exercises: their files are called like 01_chain_rule.md")
    return found


def find(exercises: Sequence[Exercise], name: str) -> Exercise:
    """The exercise with that name, number or file. Raises ValueError that lists near names."""
    wanted = Path(name).stem
    for exercise in exercises:
        if wanted in (exercise.name, Path(exercise.file).stem) or wanted.zfill(2) == exercise.number:
            return exercise
    close = [e.name for e in exercises if wanted in e.name]
    names = ", ".join(close or [e.name for e in exercises])
    raise ValueError(f"there is no exercise {name!r}; {'did you mean' if close else 'the exercises are'}: {names}")


def read(path: Path) -> Exercise:
    """Read an exercise's file. Raises ExerciseError that names what is missing."""
    return parse(path.read_text(encoding="utf-8"), path)


def parse(source: str, path: Path) -> Exercise:
    """The exercise that a Markdown text describes."""
    number, _, name = path.stem.partition("_")
    parts = re.split(r"^## +(.+?) *$", source, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    missing = [s for s in SECTIONS if s not in sections]
    head = re.match(r"# +(.+)\n", parts[0])
    if missing or head is None:
        raise ExerciseError(f"{path}: missing {', '.join(missing) or 'the title, # ...'}")
    solution = _block(sections["Solution"], path, "Solution")
    hints = tuple(" ".join(h.split()) for h in re.split(r"^\d+\. +", sections["Hints"], flags=re.MULTILINE)[1:])
    return Exercise(
        number=number,
        name=name,
        title=head[1].strip(),
        text=parts[0][head.end() :].strip("\n").rstrip(),  # a formula may come first, and is indented
        stub=_block(sections["Stub"], path, "Stub"),
        solution=solution,
        grade=_block(sections["Grade"], path, "Grade"),
        hints=hints,
        mutants=tuple(_mutants(sections["Mutants"], solution, path)),
        path=path,
    )


def _block(section: str, path: Path, name: str) -> str:
    found = re.search(r"^```python\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        raise ExerciseError(f"{path}: the section {name} has no ```python block")
    return found[1]


def _mutants(section: str, solution: str, path: Path) -> list[Mutant]:
    parts = re.split(r"^### +(.+?): *([\w ,]+?) *$", section, flags=re.MULTILINE)
    found = []
    for title, codes, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        diff = re.search(r"^```diff\n(.*?)^```", body, flags=re.MULTILINE | re.DOTALL)
        if diff is None:
            raise ExerciseError(f"{path}: the mutant {title!r} has no ```diff block")
        wanted = tuple(c.strip() for c in codes.split(","))
        found.append(Mutant(title, wanted, patched(solution, diff[1], f"{path}: the mutant {title!r}")))
    return found


def patched(text: str, diff: str, who: str) -> str:
    """The text with every run of "-" lines replaced by the "+" lines after it; other lines of the diff are context."""
    old: list[str] = []
    new: list[str] = []

    def apply(text: str) -> str:
        if not old and not new:
            return text
        before, after = "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new)
        if text.count(before) != 1:
            raise ExerciseError(f"{who}: these lines are to be changed and stand {text.count(before)} times:\n{before}")
        return text.replace(before, after)

    for line in diff.splitlines():
        if line.startswith("-"):
            if new:
                text, old, new = apply(text), [], []
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            text, old, new = apply(text), [], []
    return apply(text)
