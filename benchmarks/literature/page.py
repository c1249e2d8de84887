"""The tables of `benchmarks/literature/README.md` and of the top README, written from the files of results.

A table stands between `<!-- number: NAME -->` and `<!-- end -->`; `<!-- number: scoreboard, short -->` is the one of the
tour.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.literature import run, scoreboard

HOME = Path(__file__).parent
PAGES = (HOME / "README.md", HOME.parents[1] / "README.md")
KEPT = HOME / "results"

_MARKS = re.compile(r"(?P<mark><!-- number: (?P<name>[\w-]+)(?P<short>, short)? -->)\n.*?<!-- end -->", re.DOTALL)


def rewrite(folder: Path = KEPT, pages: tuple[Path, ...] = PAGES) -> None:
    """Replace the tables of the numbers that the folder holds with all their rows; others keep what they have."""
    held = {name: run.read(file) for name in run.NUMBERS if (file := folder / f"{name}.json").exists()}
    results = {name: one for name, one in held.items() if set(run.NUMBERS[name].names(one["plan"])) <= set(one["rows"])}
    for page in pages:
        page.write_text(rewritten(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def rewritten(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a page with the tables of these results. Raises ValueError if it has no marks for any."""

    def table(match: re.Match[str]) -> str:
        if match["name"] not in results:
            return match[0]
        rows = results[match["name"]]["rows"]
        content = scoreboard.short(rows) if match["short"] else run.text(run.NUMBERS[match["name"]], rows)
        return f"{match['mark']}\n{content}\n<!-- end -->"

    text, count = _MARKS.subn(table, text)
    if not count:
        raise ValueError("the page has no marks such as `<!-- number: vae -->` followed by `<!-- end -->`")
    return text
