"""`python -m benchmarks`: minigrad's speed beside PyTorch's and others'. Without a command: the five training steps."""

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import catalogue, machine, page, plots, profile, registry, report
from benchmarks.catalogue import GROUPS, WORKS
from benchmarks.compare import compare, text
from benchmarks.literature import page as literature_page
from benchmarks.literature import run as literature
from benchmarks.measure import Method, measure
from benchmarks.registry import DEFAULT, ENGINES
from benchmarks.results import Results, read


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if everything asked for was measured, 1 if not, 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def run(options: argparse.Namespace) -> int:
    """Measure, and print each work as soon as it is done."""
    works = catalogue.select(_list(options.works))
    asked = registry.select(options.engines)
    method = Method(options.rounds, options.seconds, options.threads, shared=options.shared, minutes=options.minutes)
    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise ValueError(f"--out {options.out}: there is no folder {Path(options.out).absolute().parent}")
    missing = {engine.name: what for engine in asked if (what := engine.missing())}
    keys = ("rounds", "seconds", "threads", "turns", "minutes")
    facts = {key: getattr(method, key) for key in keys if getattr(method, key) is not None}
    facts["engines"] = [engine.name for engine in asked]
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    results = Results(now, machine.describe(), facts, missing=missing)
    engines = [engine for engine in asked if engine.name not in missing]
    if not engines:
        raise ValueError("; ".join(f"{name}: {what}" for name, what in missing.items()))
    if options.resume:
        results = _former(options, results)
        done = {work.name for work in results.works}
        works = [work for work in works if work.name not in done]
    print(report.head(results))
    status = 0
    for outcome in measure(works, engines, method, results.engines, _status):
        _status("")
        print(report.block(outcome), flush=True)
        results.works.append(outcome)
        status = status or bool(outcome.failures) or not outcome.times
        if options.out:
            results.write(options.out)  # after every work, so that an interruption loses one at most
    print(f"\n{report.versions(results)}")
    if left := [work.name for work in works if work.name not in {found.name for found in results.works}]:
        print(f"\nleft out, since {method.minutes:g} minutes are over: {', '.join(left)}; --resume measures them")
        status = 1
    if options.readme:
        page.rewrite(results)
    return int(status)


def _former(options: argparse.Namespace, now: Results) -> Results:
    """What an interrupted run has measured already; it must have been measured in the same way."""
    if not options.out:
        raise ValueError("--resume goes on with the file that --out names: name it")
    if not Path(options.out).exists():
        return now
    results = read(options.out)
    for what, former, present in (("method", results.method, now.method), ("missing", results.missing, now.missing)):
        if former != present:
            raise ValueError(
                f"--resume: {options.out} has {what} {former}, and this run {present}: give the same, or another file"
            )
    results.works = [work for work in results.works if work.times]
    return results


def show(options: argparse.Namespace) -> int:
    """Print the tables of a file again."""
    results = read(options.file)
    print("\n".join([report.head(results), *map(report.block, results.works), "", report.versions(results)]))
    return 0


def names(options: argparse.Namespace) -> int:
    """Name the works and the engines."""
    for group in GROUPS:
        print(f"{group}:")
        for work in WORKS:
            if work.group == group:
                print(f"  {work.name:28}{work.title}")
    print("engines:")
    for name, engine in ENGINES.items():
        print(f"  {name:28}{engine.missing() or 'ready'}")
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw the plots of one or several files of results."""
    for path in plots.draw([read(file) for file in options.files], Path(options.out)):
        print(path)
    return 0


def change(options: argparse.Namespace) -> int:
    """Compare two files of results."""
    before, after = read(options.before), read(options.after)
    engines = [engine.name for engine in registry.select(options.engines)]
    if options.anchor not in ("auto", "none", *ENGINES):
        raise ValueError(f"--anchor {options.anchor}: there are auto, none, {', '.join(ENGINES)}")
    print(text(compare(before, after, engines, options.anchor), before, after))
    return 0


def tables(options: argparse.Namespace) -> int:
    """Rewrite the tables of the page."""
    page.rewrite(read(options.file))
    return 0


def numbers(options: argparse.Namespace) -> int:
    """Measure the literature's numbers again; the exit status is 1 if one of them is missed."""
    out = Path(options.out) if options.out else None
    if options.readme and (options.quick or not out):
        raise ValueError(
            "--readme shows what --out FOLDER holds of the full plans: name the folder, and leave out --quick"
        )
    if out:
        out.mkdir(parents=True, exist_ok=True)
    missed = False
    for number in literature.select(options.names):
        found = literature.measure(
            number, root=options.data_root, seed=options.seed, quick=options.quick, out=out, say=_progress
        )
        print(f"\n{number.title}\n\n{literature.text(number, found['rows'])}", flush=True)
        missed = missed or not all(number.claims(found["rows"]).values())
    if options.readme and out:
        literature_page.rewrite(out)
    return int(missed and not options.quick)


def shares(options: argparse.Namespace) -> int:
    """Print where the time of compiled steps goes, as Markdown."""
    found = {}
    for work in catalogue.select(_list(options.works)):
        _status(work.title)
        found[work.title] = profile.profile(work, options.seconds)
    _status("")
    print(profile.table(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    # Without a command: the five training steps, about a minute.
    parser.set_defaults(
        command=run,
        works="steps",
        engines=",".join(DEFAULT),
        rounds=6,
        seconds=0.2,
        shared=True,
        threads=machine.processors(),
        out=None,
        readme=False,
        resume=False,
        minutes=None,
    )
    commands = parser.add_subparsers(title="commands", metavar="")
    command = commands.add_parser("run", help="measure", description=run.__doc__)
    command.add_argument("--works", default="steps", help="groups, families or names, comma between; default: steps")
    command.add_argument("--engines", default=",".join(DEFAULT), help=f"or `all`; default: {','.join(DEFAULT)}")
    command.add_argument("--rounds", type=int, default=9, help="observations of each engine; default: 9")
    command.add_argument("--seconds", type=float, default=0.6, help="of timing a round and engine; default: 0.6")
    command.add_argument("--threads", type=int, default=machine.processors(), help="of each engine; default: all")
    command.add_argument("--minutes", type=float, help="for all works: as many of the rounds as fit, one at least")
    command.add_argument("--out", metavar="FILE", help="keep the results as JSON")
    command.add_argument("--resume", action="store_true", help="leave out the works that --out FILE holds already")
    command.add_argument("--readme", action="store_true", help="rewrite the tables of benchmarks/README.md")
    command.set_defaults(command=run, shared=False)
    commands.add_parser("list", help="name the works and engines").set_defaults(command=names)
    command = commands.add_parser("show", help="print a file of results")
    command.add_argument("file")
    command.set_defaults(command=show)
    command = commands.add_parser("plot", help="draw files of results", description=plot.__doc__)
    command.add_argument("files", nargs="+", metavar="FILE")
    command.add_argument("--out", default=".", metavar="FOLDER", help="where to put the pictures; default: here")
    command.set_defaults(command=plot)
    command = commands.add_parser("compare", help="two files: faster or slower?", description=change.__doc__)
    command.add_argument("before", metavar="A.json")
    command.add_argument("after", metavar="B.json")
    command.add_argument("--engines", default="minigrad,minigrad compiled", help="default: minigrad,minigrad compiled")
    command.add_argument("--anchor", default="auto", help="the engine to divide by, or none; default: a bare limit")
    command.set_defaults(command=change)
    command = commands.add_parser("numbers", help="the literature's, measured again", description=numbers.__doc__)
    command.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(literature.NUMBERS)}; default: all")
    command.add_argument(
        "--data-root", default=os.environ.get("AE_DATA"), metavar="DIR", help="folder of MNIST's files"
    )
    command.add_argument("--seed", type=int, default=1, help="default: 1")
    command.add_argument(
        "--out", metavar="FOLDER", help="keep each number in NAME.json, row by row, and go on from there"
    )
    command.add_argument("--quick", action="store_true", help="try the programs on the bundled digits, in seconds")
    command.add_argument("--readme", action="store_true", help="rewrite the READMEs' tables from what --out holds")
    command.set_defaults(command=numbers)
    command = commands.add_parser("profile", help="where a compiled step's time goes", description=shares.__doc__)
    command.add_argument("--works", default="steps", help="default: steps")
    command.add_argument("--seconds", type=float, default=2.0, help="of timing a step's calls; default: 2")
    command.set_defaults(command=shares)
    command = commands.add_parser("readme", help="rewrite the tables of benchmarks/README.md from a file")
    command.add_argument("file")
    command.set_defaults(command=tables)
    return parser


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _status(text: str) -> None:
    """Show on a terminal what goes on, in one line that the next one replaces."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        print(f"\r{text[:width]:{width}}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
