"""Results in a file: JSON, written whole or not at all. The page `benchmarks/README.md` describes the format."""

import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.intervals import Interval, median

FORMAT, VERSION = "minigrad benchmarks", 1


@dataclass
class Times:
    """What was seen of one engine on one work, a number for each round: seconds of a step, seconds until the first
    result, and bytes of memory beyond what the imported engine holds, at the peak of the timed steps and before them.
    """

    seconds: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    preparing: list[int] = field(default_factory=list)


@dataclass
class Outcome:
    """A work, the times of each engine, and why an engine has none."""

    name: str
    title: str
    group: str
    family: str
    kind: str
    parameters: dict[str, Any]
    size: int | None = None
    axis: str | None = None
    times: dict[str, Times] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def speed(self, engine: str, reference: str) -> Interval:
        """Return how many times as fast as the reference the engine is: the ratio of each round, its median."""
        pairs = zip(self.times[reference].seconds, self.times[engine].seconds, strict=True)
        return median([theirs / ours for theirs, ours in pairs])


@dataclass
class Results:
    """A run: what was measured, how, on what, and who could not take part."""

    created: str
    machine: dict[str, Any]
    method: dict[str, Any]
    engines: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    works: list[Outcome] = field(default_factory=list)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file; another one of this name is replaced only once the new one is complete."""
        target = Path(path)
        content = {"format": FORMAT, "version": VERSION, **dataclasses.asdict(self)}
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)  # as any new file; a temporary one is its maker's alone
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise


def read(path: str | os.PathLike[str]) -> Results:
    """Read a file of results.

    Raises FileNotFoundError, and ValueError if the file is not one of results, of another version, or damaged.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {path}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise ValueError(f"{path} holds no results of `python -m benchmarks run --out`")
    version = content.pop("version", None)
    if version != VERSION:
        raise ValueError(f"{path} has version {version!r} of the format; this program reads version {VERSION}")
    try:
        works = [_outcome(work) for work in content.pop("works")]
        return Results(works=works, **content)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _outcome(content: dict[str, Any]) -> Outcome:
    times = {engine: Times(**values) for engine, values in content.pop("times").items()}
    for engine, values in times.items():
        if not values.seconds or not all(isinstance(s, (int, float)) and s > 0 for s in values.seconds):
            raise ValueError(f"the seconds of {engine} on {content.get('name')} are not positive numbers")
    return Outcome(times=times, **content)
