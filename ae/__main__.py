"""The command line: `python -m ae train [MODEL] --data NAME ...` trains a model and keeps the run in a folder."""

import argparse
import inspect
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ae import data, evaluation, figures, models, options, report, runs
from ae.config import Config, Metrics
from ae.diagnosis import Diagnosis
from ae.options import DEFAULTS
from ae.train import Callback, Training, batches
from ae.tutorial.build import build

__all__ = ["DEFAULTS", "INTERRUPTED", "main"]

INTERRUPTED = 130  # what a shell reports of a program ended by Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status."""
    chosen = options.parser().parse_args(arguments)
    try:
        commands = {"list": _list, "train": _train, "evaluate": _evaluate, "report": _report, "tutorial": _tutorial}
        status = commands[chosen.command](chosen)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, as `head`, has seen enough; Python flushes once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, ArithmeticError, ImportError, MemoryError) as error:
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        print(f"ae: error: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ae: interrupted", file=sys.stderr)
        return INTERRUPTED


class _Bar(Callback):
    """A progress bar of all batches."""

    def __init__(self, bar: tqdm, epochs: int) -> None:
        self.bar, self.epochs = bar, epochs

    def after_batch(self, training: Training) -> None:
        self.bar.update()

    def after_epoch(self, training: Training, metrics: Metrics) -> None:
        self.bar.set_description(f"epoch {metrics.epoch}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(f"test loss {metrics.test_loss:.2f}", refresh=False)


def _train(chosen: argparse.Namespace) -> int:
    if chosen.resume:
        training, folder, finished, splits = _resume(chosen)
    else:
        config, splits = options.config(chosen, lambda name: data.load(name, chosen.data_root))
        training, finished = Training(config.build(), splits, config, compiled=not chosen.no_compile), []
        folder = runs.create(config, chosen.out)
    config, model, status = training.config, training.model, 0
    total = batches(splits, config)
    # Before there is a model to keep: a bar that Ctrl-C leaves half made complains when it is thrown away.
    bar = tqdm(total=total, initial=total // config.epochs * training.epoch, unit="batch", mininterval=0.25)
    if not chosen.resume:
        runs.save(folder, training)
    try:
        with bar:
            count = sum(value.numel() for value in model.parameters())
            bar.write(f"{config.model} on {splits}, {count:,} parameters, in {folder}")
            training.callbacks += [_Bar(bar, config.epochs), Diagnosis(lambda text: bar.write(text, file=sys.stderr))]
            for metrics in training.run():
                runs.save(folder, training, metrics)
                finished.append(metrics)
    except KeyboardInterrupt:
        # What is on disk counts: the interruption may have come between the writing of a line and its counting.
        finished, status = runs.read_metrics(folder), INTERRUPTED
        _tell_how_to_go_on("interrupted", folder, config)
    except OSError:  # a full disk, say
        _tell_how_to_go_on("cannot write", folder, config)
        raise
    if training.stopped:
        print(f"stopped after epoch {training.epoch}: {training.stopped}")
    if status or config.keep_best:
        model = runs.load(folder)
    _conclude(folder, model, config, finished, splits)
    return status


def _tell_how_to_go_on(why: str, folder: Path, config: Config) -> None:
    finished = len(runs.read_metrics(folder))
    print(f"{why}: the run is kept as it was after epoch {finished} of {config.epochs}", file=sys.stderr)
    print(f"to go on with it: python -m ae train --resume {folder}", file=sys.stderr)


def _resume(chosen: argparse.Namespace) -> tuple[Training, Path, list[Metrics], data.Splits]:
    """Return a run's training where it was left, its folder, its metrics so far and its data."""
    others = [name for name in options.given(chosen) if name != "epochs"]
    others += [name for name in ("config", "out") if getattr(chosen, name)]
    if others:
        flags = ", ".join("MODEL" if name == "model" else f"--{name.replace('_', '-')}" for name in others)
        raise ValueError(f"--resume goes on with the run's own configuration: leave out {flags}, or start a new run")
    folder = Path(chosen.resume)
    config = runs.read_config(folder)
    if chosen.epochs is not None and chosen.epochs != config.epochs:
        config = runs.lengthen(folder, chosen.epochs)
    splits = data.load(config.data, chosen.data_root)
    training = Training(config.build(), splits, config, compiled=not chosen.no_compile)
    finished = runs.resume(folder, training)
    if training.stopped:
        raise ValueError(f"{folder} stopped after epoch {training.epoch}: {training.stopped}")
    if training.epoch >= config.epochs:
        raise ValueError(f"{folder} has finished its {config.epochs} epochs: name more with --epochs")
    return training, folder, finished, splits


def _conclude(
    folder: Path, model: models.Model, config: Config, finished: Sequence[Metrics], splits: data.Splits
) -> None:
    """Say how the run ended and draw its pictures."""
    if finished:
        last = runs.kept(config, finished)
        if config.keep_best:
            print(f"kept: the model of epoch {last.epoch}, validation loss {last.validation_loss:.2f} nats per image")
        parts = {"reconstruction": last.reconstruction} | ({"KL": last.kl} if last.kl else {}) | dict(last.parts)
        told = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in parts.items())
        print(f"test loss after epoch {last.epoch}: {last.test_loss:.2f} nats per image ({told})")
    if figures.available():
        rows = _examples(splits.test_labels)
        images, labels = splits.test_images[rows], splits.test_labels[rows]
        figures.draw_all(folder, model, finished, images, labels, splits.image_shape)
    else:
        print("no pictures, for matplotlib is not installed: pip install minigrad[plots]")
    print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


def _evaluate(chosen: argparse.Namespace) -> int:
    """Measure the models of runs, write evaluation.json into each folder and print a table or JSON."""
    configs = [runs.read_config(folder) for folder in chosen.runs]  # all, before the first takes its time
    found: dict[str, evaluation.Evaluation] = {}
    names = runs.names(chosen.runs)
    for folder, config, name in zip(chosen.runs, configs, names, strict=True):
        model, splits = runs.load(folder), data.load(config.data, chosen.data_root)
        measured = evaluation.evaluate(
            model, splits, samples=chosen.samples, images=chosen.images, binarize=chosen.binarize, seed=chosen.seed
        )
        runs.write_json(Path(folder) / "evaluation.json", measured.as_dict())
        found[name] = measured
    if chosen.json:
        print(json.dumps({name: measured.as_dict() for name, measured in found.items()}, indent=2))
    else:
        print(evaluation.table(found))
    return 0


def _report(chosen: argparse.Namespace) -> int:
    """Write a page on one run or several."""
    out = chosen.out or (Path(chosen.runs[0]) / "report.html" if len(chosen.runs) == 1 else "report.html")
    path = report.write(chosen.runs, out, chosen.data_root)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, open it in a browser")
    return 0


def _list(chosen: argparse.Namespace) -> int:
    """Print the models with a line each, or what one of them is and its options."""
    if chosen.model is None:
        for name, entry in models.MODELS.items():
            print(f"{name:16} {entry.about}")
        return 0
    entry = models.MODELS[chosen.model]
    print(f"{chosen.model}: {entry.about}\n\n{inspect.getdoc(entry.kind)}")
    if entry.options():
        print("\noptions (--set NAME=VALUE), with their defaults:")
        for name, value in entry.options().items():
            print(f"  {name}={value}")
    return 0


def _tutorial(chosen: argparse.Namespace) -> int:
    """Run the tutorial's chapters and write them as notebooks and pages."""
    for path in build(Path(chosen.out), chosen.chapters, chosen.torch):
        print(path)
    return 0


def _examples(labels: np.ndarray, each: int = 2) -> list[int]:
    """The rows of the first images of every class, one of each, then the next of each."""
    first = [np.flatnonzero(labels == label)[:each] for label in np.unique(labels)]
    return [int(rows[i]) for i in range(each) for rows in first if i < len(rows)]


if __name__ == "__main__":
    sys.exit(main())
