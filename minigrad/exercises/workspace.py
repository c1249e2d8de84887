"""The learner's folder: a file for each exercise, and ``.progress.json``, which remembers what was solved and which hints
were shown. Files are written whole or not at all, and nothing a learner wrote is ever overwritten without a copy.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from minigrad.exercises.exercise import Exercise, load

PROGRESS = ".progress.json"
USUAL = "backprop"  # the folder's name if none is given


class WorkspaceError(ValueError):
    """There is no folder of exercises, or it cannot be used."""


class Workspace:
    """A folder made by ``learn init``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: dict[str, Any] = {"version": 1, "course": None, "solved": {}, "hints": {}, "attempts": {}}
        try:
            self.state.update(json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass
        except ValueError as error:
            text = f"{folder / PROGRESS} cannot be read ({error}): delete it to begin the count anew"
            raise WorkspaceError(text) from None
        course = self.state["course"]
        self.exercises = load(Path(course) if course else None)

    @staticmethod
    def create(folder: Path, course: Path | None) -> Workspace:
        """Write the exercises that are not there yet; those that are stay as they are."""
        folder.mkdir(parents=True, exist_ok=True)
        workspace = Workspace(folder)
        if course is not None:
            workspace.state["course"] = str(course.resolve())
            workspace.exercises = load(course)
        for exercise in workspace.exercises:
            if not workspace.path(exercise).exists():
                write(workspace.path(exercise), exercise.start())
        workspace.save()
        return workspace

    @staticmethod
    def find(start: Path) -> Workspace:
        """The workspace that ``start`` lies in, or the usual one within. Raises WorkspaceError that says how to make one."""
        for folder in (start, *start.parents, start / USUAL):
            if (folder / PROGRESS).exists():
                return Workspace(folder)
        raise WorkspaceError(f"there are no exercises in {start}: make some with  python -m minigrad learn init")

    def path(self, exercise: Exercise) -> Path:
        return self.folder / exercise.file

    def current(self) -> Exercise | None:
        """The first exercise that is not solved."""
        return next((e for e in self.exercises if e.name not in self.state["solved"]), None)

    def solved(self, exercise: Exercise) -> bool:
        return exercise.name in self.state["solved"]

    def note(self, exercise: Exercise, passed: bool) -> None:
        """Remember an attempt."""
        self.state["attempts"][exercise.name] = self.state["attempts"].get(exercise.name, 0) + 1
        if passed:
            self.state["solved"].setdefault(exercise.name, now())
        self.save()

    def hint(self, exercise: Exercise) -> tuple[int, str]:
        """The next hint, and which one it is; after the last, the last again."""
        n = min(self.state["hints"].get(exercise.name, 0) + 1, len(exercise.hints))
        self.state["hints"][exercise.name] = n
        self.save()
        return n, exercise.hints[n - 1]

    def reset(self, exercise: Exercise) -> Path | None:
        """Put the stub back; returns where the old file went."""
        path, kept = self.path(exercise), None
        if path.exists():
            folder = self.folder / "backups"
            folder.mkdir(exist_ok=True)
            stem = f"{path.stem}.{now().replace(':', '-')}"
            tries = (folder / f"{stem}{f'.{i}' if i else ''}.py" for i in range(1000))
            kept = next(p for p in tries if not p.exists())
            write(kept, path.read_text(encoding="utf-8"))
        write(path, exercise.start())
        self.state["solved"].pop(exercise.name, None)
        self.state["hints"].pop(exercise.name, None)
        self.save()
        return kept

    def save(self) -> None:
        write(self.folder / PROGRESS, json.dumps(self.state, indent=2) + "\n")


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all: beside it first, then in its place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
