"""How a check is told: what differs, where, by how much, and what that means. For a terminal, a notebook and a log."""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.autograd.checking.numeric import JUMP, KINK

CERTAIN, HIGH, MEDIUM, LOW = "certain", "high", "medium", "low"


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong: a short code, a sentence, how sure, and the axis or expression that it names.

    ``code`` is one of the names in ``minigrad/autograd/README.md``; ``tier`` is A (protocol), B (structure), C (a mutant of
    the right rule) or D (no name). ``input`` is the name of the input whose gradient is wrong.
    """

    code: str
    sentence: str
    confidence: str = HIGH
    axis: int | tuple[int, ...] | None = None
    expression: str | None = None
    tier: str = "B"
    input: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence} ({self.confidence})"


@dataclass(frozen=True)
class Entry:
    """The entry that is most wrong, and the inequality that fails there."""

    input: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    tolerance: float
    formula: str
    what: str  # of which the two are slopes

    def __str__(self) -> str:
        gap = abs(self.analytic - self.numeric)
        sign = ">" if np.isfinite(gap) else "is not <="
        return f"|{self.analytic:.9g} - {self.numeric:.9g}| = {gap:.3g}  {sign}  {self.tolerance:.3g} = {self.formula}"


@dataclass
class Report:
    """The result of a check; true if the gradient is right. ``str()`` is the whole report."""

    ok: bool
    diagnosis: Diagnosis | None = None
    others: list[Diagnosis] = field(default_factory=list)  # what else was found, as of other inputs
    worst: Entry | None = None
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)  # wrong entries and all, by input
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    table: list[list[str]] = field(default_factory=list)  # the entries around the worst one
    of_own: bool = False  # whether each entry of the table is the slope of its own output, where no other depends on it
    notes: list[str] = field(default_factory=list)  # kinks, low precision
    kinks: list[Any] = field(default_factory=list)
    headline: str = ""  # PyTorch's words for the failure
    title: str = "gradient"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def code(self) -> str:
        """The code of the diagnosis; "" if nothing is wrong."""
        return self.diagnosis.code if self.diagnosis else ""

    def lines(self) -> list[str]:
        found = []
        if self.ok:
            checked = ", ".join(f"{name} {list(shape)}" for name, shape in self.shapes.items())
            found.append(f"The {self.title} is right: every entry of {checked} agrees with the numeric slope.")
        elif self.diagnosis is not None:
            d = self.diagnosis
            found += [self.headline] if self.headline else []
            found += [""] if self.title == "gradient" else ["", f"  Of the {self.title}:"]
            found += [*_wrapped(d.sentence), f"  [{d.code}, confidence: {d.confidence}]"]
            for other in self.others:
                found += _wrapped(f"Also: {other.sentence} [{other.code}]")
        if self.worst is not None and not self.ok:
            w = self.worst
            found += ["", *self._counted(), f"worst entry: {w.input}{list(w.index)}, the slope of {w.what}"]
            found += [
                f"  yours   {w.analytic: .9g}",
                f"  numeric {w.numeric: .9g} (error about {w.error:.1g})",
                f"  {w}",
            ]
        if self.table and not self.ok:
            widths = [max(len(row[i]) for row in self.table if i < len(row)) for i in range(max(map(len, self.table)))]
            found += ["", f"{self._around()} (* differs, k on a kink):"]
            found += ["  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=False)) for row in self.table]
        if self.notes:
            found += ["", *self.notes]
        return found

    def _around(self) -> str:
        whose = ", each the slope of the output in its place" if self.of_own else ""
        return f"entries around it, yours / numeric{whose}"

    def _counted(self) -> list[str]:
        return [
            f"{name}, shape {list(self.shapes.get(name, ()))}: {wrong} of {all_} slopes differ"
            for name, (wrong, all_) in self.counts.items()
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines()).strip("\n")

    def __repr__(self) -> str:
        return f"Report(ok={self.ok}, code={self.code!r})"

    def log(self) -> str:
        """One line for a log file."""
        if self.ok:
            return f"gradcheck ok ({len(self.kinks)} entries on kinks)" if self.kinks else "gradcheck ok"
        worst = f"; worst {self.worst.input}{list(self.worst.index)}: {self.worst}" if self.worst else ""
        return f"gradcheck failed: {self.diagnosis}{worst}"

    def _repr_html_(self) -> str:
        """The report for a notebook."""
        color = "#1a7f37" if self.ok else "#b42318"
        parts = [f'<div style="border-left:4px solid {color};padding:4px 12px">']
        if self.ok or self.diagnosis is None:
            parts.append(f"<b>{html.escape(self.lines()[0] if self.lines() else '')}</b>")
        else:
            d = self.diagnosis
            parts += [] if self.title == "gradient" else [f"<p>Of the {html.escape(self.title)}:</p>"]
            parts.append(
                f"<p><b>{_marked(d.sentence)}</b><br><code>{html.escape(d.code)}</code>, confidence: {d.confidence}</p>"
            )
            parts += [f"<p>Also: {_marked(o.sentence)} <code>{html.escape(o.code)}</code></p>" for o in self.others]
        if self.worst is not None and not self.ok:
            parts += [f"<p>{html.escape(line)}</p>" for line in self._counted()]
            w = self.worst
            parts.append(f"<p>worst entry <code>{html.escape(w.input + str(list(w.index)))}</code>, the slope of ")
            parts.append(
                f"{html.escape(w.what)}: yours <code>{w.analytic:.9g}</code>, numeric <code>{w.numeric:.9g}</code> "
            )
            parts.append(f"(error about {w.error:.1g})<br><code>{html.escape(str(w))}</code></p>")
        if self.table and not self.ok:
            rows = "".join(
                "<tr>"
                + "".join(
                    f"<td style='text-align:right;padding:1px 8px'><code>{html.escape(c)}</code></td>" for c in row
                )
                + "</tr>"
                for row in self.table
            )
            parts.append(f"<p>{self._around()} (* differs, k on a kink)</p><table>{rows}</table>")
        parts += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        return "".join([*parts, "</div>"])


def _marked(sentence: str) -> str:
    """A sentence as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(sentence))


def _wrapped(sentence: str) -> list[str]:
    """A sentence in lines that fit a terminal; what is quoted as code may be longer than a line."""
    return textwrap.wrap(sentence, 110, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def table_around(
    index: tuple[int, ...],
    shape: tuple[int, ...],
    analytic: np.ndarray,
    numeric: np.ndarray,
    bad: np.ndarray,
    kink: np.ndarray,
) -> list[list[str]]:
    """Up to 3 x 3 entries around ``index`` of the gradient, each as ``yours / numeric``; nan: not computed."""
    if not shape:
        return []
    lead, rows, columns = _window(index, shape)
    head = ["", *[f"[..., {c}]" if len(shape) > 1 else f"[{c}]" for c in columns]]
    found = [head]
    for r in rows:
        label = "[" + ", ".join(map(str, (*lead, r))) + "]" if len(shape) > 1 else ""
        line = [label]
        for c in columns:
            at = (*lead, r, c) if len(shape) > 1 else (c,)
            if np.isnan(numeric[at]) and not bad[at] and not kink[at]:
                line.append("-")
                continue
            mark = "*" if bad[at] else "k" if kink[at] else " "
            digits = (
                next((d for d in range(4, 12) if f"{analytic[at]:.{d}g}" != f"{numeric[at]:.{d}g}"), 4)
                if bad[at]
                else 4
            )
            line.append(f"{analytic[at]:.{digits}g} / {numeric[at]:.{digits}g}{mark}")
        found.append(line)
    return found


def _window(index: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[int, ...], range, range]:
    def around(i: int, n: int) -> range:
        start = max(0, min(i - 1, n - 3))
        return range(start, min(n, start + 3))

    columns = around(index[-1], shape[-1])
    rows = around(index[-2], shape[-2]) if len(shape) > 1 else range(1)
    return index[:-2], rows, columns


def kink_note(kink: Any, name: str, index: tuple[int, ...]) -> str:
    """What is said of an entry that has no derivative."""
    where = f"{name}{list(index)} = {kink.place:.6g}"
    if kink.kind == KINK:
        sides = f"slopes {kink.left:.6g} to the left and {kink.right:.6g} to the right"
        what = f"not checked here (kink, {sides}; yours: {kink.analytic:.6g})"
    elif kink.kind == JUMP:
        what = "not checked here: the function jumps, or its slope has no bound"
    else:
        what = "not checked here: the function is not finite beside this point"
    return f"{where}: {what}. " + (
        f"Checked beside it, at {kink.beside:.6g}."
        if kink.beside is not None
        else "No smooth point was found beside it."
    )
