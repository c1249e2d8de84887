"""Measures the checker: hit rates on wrong rules, false alarms on right ones, and the confusion matrix as a file.

python -m tests.minigrad.autograd.confusion            # all of it; rewrites minigrad/autograd/CONFUSION.md
python -m tests.minigrad.autograd.confusion --right 2  # fewer right cases for each operation, nothing rewritten
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import Report, diagnose
from tests.minigrad.autograd import catalogue_activations, catalogue_arrays, catalogue_products, correct
from tests.minigrad.autograd.catalogue import LABELS, OPERATIONS, Operation
from tests.minigrad.autograd.edited import bent, held_out
from tests.minigrad.autograd.held_out import HELD_OUT
from tests.minigrad.autograd.held_out_last import LAST
from tests.minigrad.autograd.held_out_later import LATER

PARTS = (catalogue_activations, catalogue_arrays, catalogue_products)  # importing them fills the catalogue
SIZES = ((3, 5, 7), (7, 3, 5))
FILE = Path(__file__).parents[3] / "minigrad" / "autograd" / "CONFUSION.md"


class Result(NamedTuple):
    name: str
    label: str
    report: Report
    hit: bool


def inputs_of(operation: Operation, seed: int = 0) -> list[tuple[Any, ...]]:
    """Two draws of the operation's inputs, of different sizes."""
    rng = np.random.default_rng(seed)
    return [operation.make(rng, *sizes) for sizes in SIZES]


def judge(operation: Operation, label: str, rule: Any, reference: bool, name: str = "", seed: int = 0) -> Result:
    """What the checker says of a wrong rule, and whether that is its name."""
    first, *more = inputs_of(operation, seed)
    wrt = list(operation.right) if isinstance(operation.right, dict) else None
    known = operation.right if reference else None
    report = diagnose(operation.forward, rule, first, more=more, wrt=wrt, reference=known, seed=seed)
    return Result(name or operation.name, label, report, report.code in LABELS[label])


def accept(operation: Operation) -> Report:
    """What the checker says of the right rule."""
    return judge(operation, "zero", operation.right, False).report


def by_hand(operations: list[Operation], reference: bool) -> list[Result]:
    """All wrong rules written by hand."""
    return [judge(op, label, rule, reference) for op in operations for label, rule in op.wrong]


def by_machine(reference: bool, every: int = 1) -> list[Result]:
    """All bent rules, or one in ``every``."""
    found = []
    count = 0
    for op in OPERATIONS:
        for label, name, rules in bent(op, inputs_of(op)):
            count += 1
            if count % every == 0:
                found.append(judge(op, label, rules, reference, name))
    return found


def rate(results: Iterable[Result]) -> str:
    found = list(results)
    hits, accepted = sum(r.hit for r in found), sum(r.report.ok for r in found)
    return f"{len(found)} | {hits} | {100 * hits / max(len(found), 1):.1f} % | {accepted}"


def matrix(results: list[Result]) -> list[str]:
    """For every label, which codes were given, the most frequent first; codes that are no right name in italics."""
    lines = ["| mistake | given | of them named right | codes given |", "|---|---|---|---|"]
    for label in LABELS:
        own = [r for r in results if r.label == label]
        if own:
            codes = Counter(r.report.code or "accepted" for r in own)
            shown = ", ".join(f"{c if c in LABELS[label] else f'*{c}*'} {n}" for c, n in codes.most_common())
            lines.append(f"| {label} | {len(own)} | {100 * sum(r.hit for r in own) / len(own):.0f} % | {shown} |")
    return lines


def text(right: int) -> str:
    start = time.perf_counter()
    hand = {ref: by_hand(OPERATIONS, ref) for ref in (True, False)}
    kept = {ref: by_hand(HELD_OUT, ref) for ref in (True, False)}
    later = {ref: by_hand(LATER, ref) for ref in (True, False)}
    last = {ref: by_hand(LAST, ref) for ref in (True, False)}
    machine = {ref: by_machine(ref) for ref in (True, False)}
    alarms: Counter[tuple[str, str]] = Counter()
    tried: Counter[str] = Counter()
    for trial in correct.trials(right):
        tried[trial.regime] += 1
        if trial.report is not None:
            alarms[trial.regime, f"{trial.row} ({trial.report.code})"] += 1
    rules = [op.name for op in [*OPERATIONS, *HELD_OUT, *LATER, *LAST] if not accept(op)]
    lines = [
        "# How often the checker is right",
        "",
        "Made by `python -m tests.minigrad.autograd.confusion`; do not edit. What the columns mean is told in README.md.",
        "",
        "| wrong rules | with a reference rule | number | named right | share | accepted as right |",
        "|---|---|---|---|---|---|",
    ]
    for known, word in ((True, "yes"), (False, "no")):
        lines.append(f"| by hand | {word} | {rate(hand[known])} |")
        lines.append(f"| by hand, first part once held out | {word} | {rate(kept[known])} |")
        lines.append(f"| by hand, second part once held out | {word} | {rate(later[known])} |")
        lines.append(f"| by hand, third part, held out | {word} | {rate(last[known])} |")
        lines.append(f"| by machine | {word} | {rate(r for r in machine[known] if not held_out(r.name))} |")
        lines.append(f"| by machine, held out | {word} | {rate(r for r in machine[known] if held_out(r.name))} |")
    lines += ["", "| right gradients | number | false alarms |", "|---|---|---|"]
    for regime in correct.REGIMES:
        wrong = [f"{what} {n}" for (where, what), n in alarms.items() if where == regime]
        lines.append(f"| {regime} | {tried[regime]} | {', '.join(wrong) or 0} |")
    lines.append(f"| all | {sum(tried.values())} | {sum(alarms.values())} |")
    lines.append(
        f"| right rules of the catalogue | {len(OPERATIONS) + len(HELD_OUT) + len(LATER) + len(LAST)} | {', '.join(rules) or 0} |"
    )
    lines += ["", "## By hand, with a reference", "", *matrix(hand[True] + kept[True] + later[True] + last[True])]
    lines += [
        "",
        "## By hand, without a reference",
        "",
        *matrix(hand[False] + kept[False] + later[False] + last[False]),
    ]
    lines += ["", "## By machine, with a reference", "", *matrix(machine[True])]
    lines += ["", "## By machine, without a reference", "", *matrix(machine[False])]
    print(f"took {time.perf_counter() - start:.0f} s")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--right", type=int, help="right cases for each operation; with it the file is not rewritten")
    asked = parser.parse_args()
    made = text(asked.right or 70)
    if asked.right is None:
        FILE.write_text(made, encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
