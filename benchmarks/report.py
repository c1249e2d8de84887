"""Results as text: a block for each work in the terminal, and Markdown tables for the page."""

from typing import Any

from benchmarks.intervals import Interval
from benchmarks.registry import ENGINES, REFERENCE
from benchmarks.results import Outcome, Results

_FEWEST = 3  # rounds of which an interval says something


def head(results: Results) -> str:
    """Say what the numbers were taken on, how, and who is missing and what to do about it."""
    machine, method = results.machine, results.method
    lines = [
        f"{machine['processor']}, {machine['processors']} processors, {machine['system']}, Python {machine['python']}; "
        f"{_plural(method['threads'], 'thread')} each",
        f"{_plural(method['rounds'], 'round')}{_within(method)}, each in new processes; "
        f"{method['seconds']:g} s a round and engine",
    ]
    load = machine.get("load before", 0)
    if load > 0.5:
        lines.append(f"the machine was busy before the start (load {load}): the intervals will be wide")
    lines += [f"not taking part: {engine} ({what})" for engine, what in results.missing.items()]
    return "\n".join(lines)


def block(outcome: Outcome, reference: str = REFERENCE) -> str:
    """One work: for each engine the time, the speed beside the reference with its interval, and the memory."""
    times = outcome.times
    title = f"\n{outcome.name}: {outcome.title}"
    speeds = {engine: outcome.speed(engine, reference) for engine in times} if reference in times else {}
    coverage = max((speed.coverage for speed in speeds.values()), default=0)
    columns = f"{'':20}{'time':>10}"
    if speeds:
        columns += f"{f'speed, {reference} = 1':>22}{f'{coverage:.0%} interval' if coverage else '':>18}"
    memory = any(seen.memory for seen in times.values())
    if memory:
        columns += f"{'peak memory':>13}{'at first':>10}"
    lines = [title, f"{columns}{'first result':>14}"]
    for engine, seen in times.items():
        line = f"  {engine:18}{shown_time(_middle(seen.seconds)):>10}"
        if speed := speeds.get(engine):
            told = coverage and engine != reference
            interval = f"{_three_digits(speed.low)} to {_three_digits(speed.high)}" if told else ""
            line += f"{_three_digits(speed.estimate):>22}{interval:>18}"
        if memory:
            line += f"{shown_memory(_middle(seen.memory)):>13}" if seen.memory else f"{'-':>13}"
            line += f"{shown_memory(_middle(seen.preparing)):>10}" if seen.preparing else f"{'-':>10}"
        lines.append(f"{line}{shown_time(_middle(seen.ready)):>14}")
    lines += [f"  {engine:18}{why}" for engine, why in outcome.failures.items()]
    return "\n".join(lines)


def versions(results: Results) -> str:
    """Name the versions of the engines that took part."""
    seen = {engine: ", ".join(f"{k} {v}" for k, v in used.items()) for engine, used in results.engines.items()}
    return "\n".join(f"  {engine:18}{used}" for engine, used in seen.items())


def markdown(results: Results, group: str, reference: str = REFERENCE) -> str:
    """A table of a group's works: the times, and how fast each engine is beside the reference, with the interval."""
    works = [work for work in results.works if work.group == group and work.times]
    engines = [engine for engine in ENGINES if any(engine in work.times for work in works)]
    cells = [[_cell(work, engine, reference) for engine in engines] for work in works]
    machine, method = results.machine, results.method
    used = dict(item for versions in results.engines.values() for item in versions.items() if item[0] != "BLAS")
    blas: dict[str, list[str]] = {}
    for engine in engines:
        if library := results.engines.get(engine, {}).get("BLAS"):
            blas.setdefault(library, []).append(engine)
    products = "; ".join(f"{library} ({', '.join(users)})" for library, users in blas.items())
    return (
        f"{_table([work.title for work in works], engines, cells)}\n\n"
        f"A cell is the median time of a step over {_rounds(works)}; in brackets how many times as fast as {reference}, with "
        f"the interval of that ratio from {_FEWEST} rounds on.\n"
        f"{machine['processor']}, {_plural(method['threads'], 'thread')}, {machine['system']}, "
        f"Python {machine['python']}, {', '.join(f'{k} {v}' for k, v in used.items())}. "
        f"Matrix products: {products}."
    )


def markdown_memory(results: Results, group: str) -> str:
    """A table of a group's works: the peak of memory beyond the imported engine."""
    works = [work for work in results.works if work.group == group and work.times]
    engines = [e for e, engine in ENGINES.items() if not engine.limit and any(e in work.times for work in works)]
    seen = [[work.times[e].memory if e in work.times else [] for e in engines] for work in works]
    cells = [[shown_memory(_middle(memory)) if memory else "-" for memory in row] for row in seen]
    return _table([work.title for work in works], engines, cells)


def _table(works: list[str], engines: list[str], cells: list[list[str]]) -> str:
    """A Markdown table, with the shorter of the two lists on top."""
    top, side = (engines, works) if len(engines) < len(works) else (works, engines)
    rows = cells if side is works else [list(column) for column in zip(*cells, strict=True)]
    lines = [["", *top], ["---"] * (len(top) + 1), *([name, *row] for name, row in zip(side, rows, strict=True))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown_time(seconds: float) -> str:
    """Seconds with three digits and a unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.9995:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 1e-6)} us"


def shown_memory(size: float) -> str:
    """Bytes as MB of 10^6 bytes."""
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"


def shown_interval(interval: Interval) -> str:
    """A ratio with its interval."""
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _cell(work: Outcome, engine: str, reference: str) -> str:
    if engine not in work.times:
        return "-"
    time = shown_time(_middle(work.times[engine].seconds))
    if reference not in work.times or engine == reference:
        return time
    speed = work.speed(engine, reference)
    few = len(work.times[engine].seconds) < _FEWEST
    interval = "" if few else f", {_two_digits(speed.low)} to {_two_digits(speed.high)}"
    return f"{time} (**{_two_digits(speed.estimate)}**{interval})"


def _three_digits(value: float) -> str:
    if value < 0.0995:
        return f"{value:.2g}"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2g}"


def _middle(values: list) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _within(method: dict[str, Any]) -> str:
    return f" or fewer, {method['minutes']:g} minutes in all" if method.get("minutes") else ""


def _rounds(works: list[Outcome]) -> str:
    counts = sorted({len(times.seconds) for work in works for times in work.times.values()})
    return _plural(counts[-1], "round") if len(counts) == 1 else f"{counts[0]} to {_plural(counts[-1], 'round')}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
