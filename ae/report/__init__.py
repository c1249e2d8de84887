"""A report: one HTML file on a run, or on several side by side, that needs no network and no other file.

It needs two libraries of the extra `report`: jinja2 fills the page, matplotlib draws.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ae import runs
from ae.evaluation import METRICS
from ae.report import panels, pictures
from ae.report.panels import Panel, Run, Table

__all__ = ["available", "render", "write"]


def available() -> bool:
    """True if the libraries that a report needs are installed."""
    return all(find_spec(name) is not None for name in ("jinja2", "matplotlib"))


def write(folders: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], data_root: str | None = None) -> Path:
    """Write the report on the runs in `folders` to the file `out`, in one piece, and return its path.

    Raises ImportError if a library is missing, FileNotFoundError and ValueError if a folder is no whole run.
    """
    if not available():
        raise ImportError("a report needs jinja2 and matplotlib: pip install minigrad[report]")
    target = Path(out)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder: name a file, such as {target / 'report.html'}")
    page = render([panels.load(Path(folder), data_root) for folder in folders])
    target.parent.mkdir(parents=True, exist_ok=True)
    runs.write_file(target, page.encode())
    return target


def render(found: Sequence[Run]) -> str:
    """Return the page on runs as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # optional: only who reports needs it

    environment = Environment(
        loader=PackageLoader("ae.report", "."), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    names = runs.names([run.folder for run in found])
    sections = [_section(run, name) for run, name in zip(found, names, strict=True)]
    title = f"Report on {names[0]}" if len(found) == 1 else f"Report on {len(found)} runs"
    return environment.get_template("page.html.j2").render(
        title=title, runs=sections, comparison=_comparison(found, names) if len(found) > 1 else None
    )


def _section(run: Run, name: str) -> dict[str, Any]:
    parameters = sum(value.numel() for value in run.model.parameters())
    about = f"{run.config.model} on {run.config.data}, {parameters:,} parameters, {len(run.metrics)} of {run.config.epochs} epochs"
    evaluation, notes = None, []
    if run.evaluation is not None:
        values = run.evaluation["values"]
        rows = [[one.about, panels.text(values.get(key)), one.unit, one.better] for key, one in METRICS.items()]
        evaluation = Table(["measurement", "value", "unit", "better"], rows)
        notes = [
            f"{METRICS[key].about}: {note}" for key, note in run.evaluation.get("notes", {}).items() if key in METRICS
        ]
    return {
        "name": name,
        "path": str(run.folder),
        "about": about,
        "cards": [(key, panels.text(value)) for key, value in _headline(run).items()],
        "panels": panels.panels(run),
        "evaluation": evaluation,
        "notes": notes,
        "settings": panels.settings(run),
    }


def _headline(run: Run) -> dict[str, Any]:
    """Return the numbers of the model that was kept."""
    if not run.metrics:
        return {}
    last = runs.kept(run.config, run.metrics)
    kl = last.kl if any(line.kl for line in run.metrics) else None
    found: dict[str, Any] = {"test loss": last.test_loss, "reconstruction": last.reconstruction, "KL": kl}
    return found | {
        "epoch": last.epoch,
        "seconds per epoch": sum(one.seconds for one in run.metrics) / len(run.metrics),
    }


def _comparison(found: Sequence[Run], names: Sequence[str]) -> dict[str, Any]:
    """Return the table of all runs, their curves in one plot, and their reconstructions below each other."""
    keys = ["bce", "squared_error", "elbo", "nll", "active_units", "linear_probe", "mig", "frechet_samples"]
    shown = [key for key in keys if any(run.evaluation for run in found)]
    columns: list[list[Any]] = []
    for run in found:
        line = _headline(run)
        numbers = [line.get(key) for key in ("test loss", "reconstruction", "KL")]
        values = (run.evaluation or {"values": {}})["values"]
        columns.append([run.config.model, run.config.data, len(run.metrics), *numbers, *map(values.get, shown)])
    rows = ["model", "data", "epochs", "test loss", "reconstruction (test)", "KL (test)"]
    rows += ["active units" if key == "active_units" else METRICS[key].about for key in shown]
    cells = [[name, *map(panels.text, row)] for name, row in zip(rows, zip(*columns, strict=True), strict=True)]
    table = Table(["", *names], cells)
    return {"table": table, "panels": [_all_curves(found, names), *_side_by_side(found, names)]}


def _all_curves(found: Sequence[Run], names: Sequence[str]) -> Panel:
    lines = {
        name: ([line.epoch for line in run.metrics], [line.test_loss for line in run.metrics])
        for run, name in zip(found, names, strict=True)
        if run.metrics
    }
    title = "Test loss over the epochs"
    if not lines:
        return Panel(title, empty="No run has finished an epoch.")
    rows = [
        (name, epoch, value)
        for name, (epochs, values) in lines.items()
        for epoch, value in zip(epochs, values, strict=True)
    ]
    about = "What each model minimizes; losses of different kinds (ELBO, cross-entropy, squared error) do not compare."
    return Panel(
        title, about, [("", pictures.curves(lines, title))], panels.table_of(["run", "epoch", "test loss"], rows)
    )


def _side_by_side(found: Sequence[Run], names: Sequence[str]) -> list[Panel]:
    """Return for each data set a panel of the same images as all its runs reconstruct them."""
    made = []
    for data_set in dict.fromkeys(run.config.data for run in found):
        mine = [(run, name) for run, name in zip(found, names, strict=True) if run.config.data == data_set]
        rows = mine[0][0].examples()
        strips = [("image", mine[0][0].mosaic(mine[0][0].images[rows], f"test images of {data_set}", len(rows)))]
        errors = []
        for run, name in mine:
            copies = run.reconstruct(rows)
            strips.append((name, run.mosaic(copies, f"reconstructions by {name}", len(rows))))
            errors.append((name, ((copies - run.images[rows]) ** 2).sum(1).mean()))
        table = panels.table_of(["run", "squared error of these images, mean"], errors)
        made.append(Panel(f"Reconstructions of {data_set}", "The same test images, run by run.", strips, table))
    return made
