"""The learner's folder: a file for each exercise, and ``.progress.json``, which remembers what was solved and which hints
were shown. Files are written whole or not at all, and nothing a learner wrote is ever overwritten without a copy.
"""

from __future__ import annotations

import json
import os
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
            self.state |= _checked(json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass
        except ValueError as error:
            text = f"{folder / PROGRESS} cannot be read ({error}): delete it to begin the count anew; answers stay"
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
    def around(start: Path) -> Path | None:
        """The folder of exercises that ``start`` lies in."""
        return next((f for f in (start, *start.parents) if (f / PROGRESS).exists()), None)

    @staticmethod
    def find(start: Path) -> Workspace:
        """The workspace that ``start`` lies in, the usual one within, or the only one. Raises WorkspaceError if there is none."""
        found = Workspace.around(start)
        if found is None:
            within = sorted(p.parent for p in start.glob(f"*/{PROGRESS}"))
            usual = [f for f in within if f.name == USUAL] or within
            if not usual:
                raise WorkspaceError(
                    f"there are no exercises in {start}: make some with  python -m minigrad learn init"
                )
            if len(usual) > 1:
                names = ", ".join(f.name for f in usual)
                raise WorkspaceError(f"there are several folders of exercises in {start}; go into one of them: {names}")
            found = usual[0]
        return Workspace(found)

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
            os.replace(path, kept)  # as it is, whatever it holds
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
    beside = path.with_name(
        f".{path.name}.{os.getpid()}"
    )  # made by open(), so that others may read it where umask lets them
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _checked(state: Any) -> dict[str, Any]:
    """What was remembered, if it has the form in which it was written. Raises ValueError otherwise."""
    kinds: dict[str, Any] = {"course": (str, type(None)), "solved": dict, "hints": dict, "attempts": dict}
    if not isinstance(state, dict) or any(k in state and not isinstance(state[k], kind) for k, kind in kinds.items()):
        raise ValueError("it is not what was written")
    return state
