"""Tables as plain text for a terminal or a log, and as HTML for a notebook; numbers and names as one reads them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side: words to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    right = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], text: str) -> str:
    """The sentences, and the table below them."""
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<p>{html.escape(text)}</p><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(text: str) -> bool:
    try:
        float("0" if text in ("", "-") else text.removesuffix(" %"))
    except ValueError:
        return False
    return True


def size_text(count: float) -> str:
    """A number of bytes: ``3.1 kB``."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def plural(count: int, what: str) -> str:
    """``1 layer``, ``2 layers``."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def listed(names: Iterable[Any], most: int = 6) -> str:
    """The first names, and how many more there are."""
    found = list(map(str, names))
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
