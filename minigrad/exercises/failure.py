"""The end of a grading: what is wrong with an answer, said to the learner without giving the answer away."""

from __future__ import annotations

import ast
import re

from minigrad.autograd.checking.report import Report
from minigrad.exercises.edited import retold


class Failure(Exception):  # noqa: N818 - it is an answer's, not an error of the program
    """What is wrong with an answer: the name of the mistake, a sentence, and lines that show it."""

    def __init__(self, code: str, sentence: str, details: list[str] | None = None, sure: bool = True) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.details = code, sentence, details or []
        self.sure = sure  # whether a known mistake with the same values would be no better name

    def called(self, names: list[str]) -> Failure:
        """The same, with the inputs called by their names, where the checker counts them: input 1."""

        def told(text: str) -> str:
            return re.sub(r"\binput (\d+)\b", lambda found: names[int(found[1])], text)

        return Failure(self.code, told(self.sentence), [told(line) for line in self.details], self.sure)


def failure_of(report: Report, where: str = "") -> Failure:
    """A report of the checker as the end of a grading."""
    diagnosis = report.diagnosis
    if diagnosis is None:
        return Failure("unknown", f"{where}The gradient is wrong.", report.lines())
    sentence, sure = diagnosis.sentence, diagnosis.code != "unknown"
    if diagnosis.tier == "C" and diagnosis.expression:  # do not give the answer away
        why = sentence.rpartition("`: ")[2].rstrip(".").split(" and ")
        sure = len(why) == 1  # two edits fit many answers
        which = list(report.shapes).index(diagnosis.input) if diagnosis.input in report.shapes else None
        text = quoted(diagnosis.expression, which, len(report.shapes))
        sentence = f"Your gradient of {diagnosis.input} is that of {text}: {_joined(why)}."
    return Failure(diagnosis.code, where + sentence, _evidence(report), sure)


def _evidence(report: Report) -> list[str]:
    """What shows the mistake: the worst entry, and, if the mistake has no name, all that the checker knows."""
    worst = report.worst
    if worst is None:
        return []
    if report.code == "unknown":
        lines = report.lines()
        return lines[next((i for i, line in enumerate(lines) if "[unknown, " in line), -1) + 1 :]  # the rest was told
    what = worst.what.replace("output 0", "y")
    entry = f"{worst.input}{list(worst.index)}" if worst.index else worst.input
    wrong, every = report.counts.get(worst.input, (0, 0))
    return [
        f"{wrong} of {every} slopes along {worst.input} differ from the numeric ones; the worst is {what} along {entry}:",
        f"  yours   {worst.analytic: .9g}",
        f"  numeric {worst.numeric: .9g}",
    ]


def quoted(text: str, which: int | None = None, of: int = 0) -> str:
    """A statement as one line of code; of a whole function, its body; of a tuple of ``of`` gradients, the one asked for."""
    tree = ast.parse(text).body[0]
    body = tree.body if isinstance(tree, ast.FunctionDef) else [tree]
    value = tree.value if isinstance(tree, (ast.Expr, ast.Return)) else None
    if which is not None and isinstance(value, ast.Tuple) and len(value.elts) == of:
        return f"`{ast.unparse(value.elts[which])}`"
    texts = [ast.unparse(s) for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return f"`{'; '.join(texts).removeprefix('return ')}`"


def _joined(reasons: list[str]) -> str:
    reasons = [retold(r) for r in reasons]
    return f"{reasons[0]}, twice" if len(reasons) == 2 and len(set(reasons)) == 1 else " and ".join(reasons)
