"""`python -m benchmarks numbers`: measure numbers row by row, and keep them in files.

A file holds one number. It is written after every row, and a row that it holds already, of the same plan and seed, is
not measured again: a run that was interrupted goes on where it was.
"""

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ae.data import Splits, load
from benchmarks.literature import beta, contractive, denoising, iwae, linear, scoreboard, vae
from benchmarks.literature.number import Job, Number, Plan, Rows, Say

NUMBERS: Mapping[str, Number] = {
    one.NUMBER.name: one.NUMBER for one in (vae, linear, iwae, denoising, contractive, beta, scoreboard)
}
FORMAT = "minigrad numbers"


def select(names: Sequence[str]) -> list[Number]:
    """Return the numbers of these names, or all. Raises ValueError for an unknown name."""
    for name in names:
        if name not in NUMBERS:
            raise ValueError(f"no number is called {name!r}; there are {', '.join(NUMBERS)}")
    return [NUMBERS[name] for name in names or NUMBERS]


def measure(
    number: Number,
    *,
    root: str | None = None,
    seed: int = 1,
    quick: bool = False,
    out: Path | None = None,
    say: Say = print,
) -> dict[str, Any]:
    """Return a number's results, measured or found in the folder `out`, where every row is kept once it is known."""
    plan = number.quick if quick else number.plan
    file = out / f"{number.name}.json" if out else None
    results = _fresh(number, plan, seed)
    if file and file.exists():
        found = read(file)
        if all(found[key] == results[key] for key in ("number", "plan", "seed")):
            results = found
    splits: Splits | None = None
    for name in number.names(plan):
        if name in results["rows"]:
            continue
        if splits is None:
            splits = load(plan["data"], root)
        start = time.perf_counter()
        row = number.measure(name, Job(plan, splits, seed, root, partial(_tell, say, f"{number.name}, {name}: ")))
        results["rows"][name] = row
        results["seconds"] += round(time.perf_counter() - start, 1)
        if file:
            write(file, results)
    return results


def _tell(say: Say, what: str, text: str) -> None:
    say(what + text)


def _fresh(number: Number, plan: Plan, seed: int) -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in ("numpy",)}
    stored = json.loads(json.dumps(plan))
    return {
        "format": FORMAT, "number": number.name, "plan": stored, "seed": seed, "versions": versions, "seconds": 0.0, "rows": {},
    }  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """Return a file's results. Raises ValueError if it is no file of this command."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} holds no results of `python -m benchmarks numbers --out`")
    return found


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Write a file of results, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, path)


def text(number: Number, rows: Rows) -> str:
    """Return the table with its claims, as they are shown on a terminal and on the page."""
    said = [f"{claim}: {'holds' if holds else 'MISSED'}" for claim, holds in number.claims(rows).items()]
    return "\n\n".join([number.table(rows), *(["; ".join(said) + "."] if said else [])])
