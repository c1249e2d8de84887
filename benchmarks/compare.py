"""Two runs beside each other: did a change of our own make something faster or slower?

The two were taken one after the other, and the machine may have changed in between. So each round's time is divided by
that of an anchor in the same round, which no change of ours touches: the bare products or traffic, else PyTorch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.intervals import Interval, ratio_of_samples
from benchmarks.report import shown_interval
from benchmarks.results import Outcome, Results

ANCHORS = ("bare products", "bare traffic", "torch")
LEVEL = 0.99
"""Of a hundred works without a difference, one may be called different by chance."""


@dataclass(frozen=True)
class Change:
    """The time after over the time before, of one engine on one work; below 1 is faster."""

    work: str
    engine: str
    ratio: Interval
    anchor: str | None

    @property
    def verdict(self) -> str:
        """What the interval allows to say."""
        if self.ratio.coverage < LEVEL - 1e-9:
            return "too few rounds to tell"
        if self.ratio.high < 1:
            return "faster"
        return "slower" if self.ratio.low > 1 else "no difference seen"


def compare(before: Results, after: Results, engines: list[str], anchor: str = "auto") -> list[Change]:
    """Return the changes of these engines on every work that both runs hold.

    Raises ValueError if there is no such work.
    """
    old = {work.name: work for work in before.works}
    changes = [change for work in after.works for change in _changes(old.get(work.name), work, engines, anchor)]
    if not changes:
        raise ValueError(f"the two runs have no work of {' or '.join(engines)} in common")
    return changes


def _changes(before: Outcome | None, after: Outcome, engines: list[str], anchor: str) -> Iterator[Change]:
    if before is None or before.parameters != after.parameters:
        return
    for engine in engines:
        if engine in before.times and engine in after.times:
            chosen = _anchor(before, after, engine, anchor)
            ratio = ratio_of_samples(_relative(after, engine, chosen), _relative(before, engine, chosen), LEVEL)
            yield Change(after.name, engine, ratio, chosen)


def _anchor(before: Outcome, after: Outcome, engine: str, wanted: str) -> str | None:
    shared = [name for name in before.times if name in after.times and name != engine]
    candidates = ANCHORS if wanted == "auto" else (wanted,)
    return next((name for name in candidates if name in shared), None)


def _relative(outcome: Outcome, engine: str, anchor: str | None) -> list[float]:
    seconds = outcome.times[engine].seconds
    if anchor is None:
        return seconds
    return [ours / theirs for ours, theirs in zip(seconds, outcome.times[anchor].seconds, strict=True)]


def text(changes: list[Change], before: Results, after: Results) -> str:
    """The changes as a table, with what makes the runs hard to compare."""
    lines = list(_differences(before, after))
    width = max(len(change.work) for change in changes) + 2
    lines.append(f"{'':{width}}{'':20}{f'time after / before [{LEVEL:.0%} interval]':>38}")
    for change in changes:
        against = f" (beside {change.anchor})" if change.anchor else ""
        ratio = shown_interval(change.ratio)
        lines.append(f"{change.work:{width}}{change.engine:20}{ratio:>38}  {change.verdict}{against}")
    return "\n".join(lines)


def _differences(before: Results, after: Results) -> Iterator[str]:
    for fact in ("processor", "processors", "system", "python"):
        if before.machine.get(fact) != after.machine.get(fact):
            yield f"the runs differ in {fact}: {before.machine.get(fact)} and {after.machine.get(fact)}"
    if before.method.get("threads") != after.method.get("threads"):
        yield f"the runs differ in threads: {before.method.get('threads')} and {after.method.get('threads')}"
    for engine in before.engines.keys() & after.engines.keys():
        old, new = before.engines[engine], after.engines[engine]
        for library in sorted(old.keys() & new.keys()):
            if old[library] != new[library]:
                yield f"the runs differ in {library} of {engine}: {old[library]} and {new[library]}"
