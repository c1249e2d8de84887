"""The command line: `python -m ae train [MODEL] --data NAME ...` trains a model and keeps the run in a folder."""

import argparse
import inspect
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from ae import data, figures, models, runs
from ae.train import Config, batches, train

# What a run takes if it is not told: enough epochs for a good picture, and on MNIST those of PyTorch's example.
DEFAULTS = {
    "glyphs": {"epochs": 1000, "batch_size": 10, "lr": 5e-3, "hidden": [32], "latent": 10},
    "digits": {"epochs": 100, "batch_size": 32, "lr": 1e-3, "hidden": [128], "latent": 8},
    "mnist": {"epochs": 10, "batch_size": 128, "lr": 1e-3, "hidden": [400], "latent": 20},
    "fashion-mnist": {"epochs": 10, "batch_size": 128, "lr": 1e-3, "hidden": [400], "latent": 20},
}

INTERRUPTED = 130  # what a shell reports of a program ended by Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _list(options.model) if options.command == "list" else _train(options)
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"ae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ae: interrupted", file=sys.stderr)
        return INTERRUPTED


def _train(options: argparse.Namespace) -> int:
    splits = data.load(options.data, options.data_root)
    config = _config(options, pixels=splits.train_images.shape[1])
    model = config.build()
    folder = runs.create(config, options.out)
    runs.save_model(folder, model, epoch=0)
    print(f"{config.model} on {splits}, {sum(value.numel() for value in model.parameters()):,} parameters, in {folder}")
    finished, status = [], 0
    try:
        with tqdm(total=batches(splits, config), unit="batch", mininterval=0.25) as bar:
            for metrics in train(model, splits, config, after_batch=bar.update):
                runs.save_model(folder, model, metrics.epoch)
                runs.append_metrics(folder, metrics)
                finished.append(metrics)
                bar.set_description(f"epoch {metrics.epoch}/{config.epochs}", refresh=False)
                bar.set_postfix_str(f"test loss {metrics.test_loss:.2f}", refresh=False)
    except KeyboardInterrupt:
        # What is on disk counts: the interruption may have come between the writing of a line and its counting.
        model, finished, status = runs.load(folder), runs.read_metrics(folder), INTERRUPTED
        print(f"interrupted: the run is kept as it was after epoch {len(finished)} of {config.epochs}", file=sys.stderr)
    if finished:
        last = finished[-1]
        print(
            f"test loss after epoch {last.epoch}: {last.test_loss:.2f} nats per image "
            f"(reconstruction {last.reconstruction:.2f}, KL {last.kl:.2f})"
        )
    if figures.available():
        figures.draw_all(folder, model, finished, _examples(splits), splits.image_shape)
    else:
        print("no pictures, for matplotlib is not installed: pip install minigrad[plots]")
    print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    return status


def _config(options: argparse.Namespace, pixels: int) -> Config:
    default = DEFAULTS[options.data]
    given = {name: value for name, value in vars(options).items() if value is not None}
    entry = models.MODELS[options.model]
    default = (
        default | ({"hidden": []} if entry.sizes == "flat" else {}) | ({"latent": 2 * pixels} if entry.wide else {})
    )
    return Config(
        model=options.model,
        data=options.data,
        pixels=pixels,
        hidden=tuple(given.get("hidden", default["hidden"])),
        seed=options.seed,
        options=_options(options.model, options.set or []),
        **{name: given.get(name, default[name]) for name in ("latent", "epochs", "batch_size", "lr")},
    )


def _options(model: str, settings: Sequence[str]) -> dict[str, Any]:
    """Turn NAME=VALUE settings into the model's options, each of its default's type."""
    defaults, chosen = models.MODELS[model].options(), {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in defaults:
            raise ValueError(f"{model} has no option {name!r}; it has {', '.join(defaults) or 'none'}")
        kind = type(defaults[name])
        try:
            chosen[name] = kind(text)
        except ValueError:
            needed = {int: "a whole number", float: "a number"}[kind]
            raise ValueError(f"option {name} of {model} needs {needed}, got {text!r}") from None
    return chosen


def _list(model: str | None) -> int:
    """Print the models with a line each, or what one of them is and its options."""
    if model is None:
        for name, entry in models.MODELS.items():
            print(f"{name:16} {entry.about}")
        return 0
    entry = models.MODELS[model]
    print(f"{model}: {entry.about}\n\n{inspect.getdoc(entry.kind)}")
    if entry.options():
        print("\noptions (--set NAME=VALUE), with their defaults:")
        for name, value in entry.options().items():
            print(f"  {name}={value}")
    return 0


def _examples(splits: data.Splits, each: int = 2) -> np.ndarray:
    """The first test images of every class, one of each, then the next of each."""
    labels = splits.test_labels
    first = [np.flatnonzero(labels == label)[:each] for label in np.unique(labels)]
    return splits.test_images[[rows[i] for i in range(each) for rows in first if i < len(rows)]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ae", description="Autoencoders, trained with minigrad.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    listing = commands.add_parser(
        "list",
        help="show the models with a line each",
        description="Show the models with a line each, or what one of them is and its options.",
    )
    listing.add_argument("model", nargs="?", choices=models.NAMES, metavar="MODEL")
    command = commands.add_parser(
        "train",
        help="train a model and keep the run in a folder",
        description="Train a model and keep the run in a folder: config.json, metrics.jsonl, model.safetensors and, "
        "if matplotlib is installed, pictures. Without arguments: a VAE on the bundled digits, in seconds.",
    )
    command.add_argument(
        "model",
        nargs="?",
        default="vae",
        choices=models.NAMES,
        metavar="MODEL",
        help="one of those that `ae list` shows; default: vae",
    )
    command.add_argument("--data", default="digits", choices=data.NAMES, help="default: digits")
    command.add_argument(
        "--data-root", metavar="DIR", help="folder of the IDX files of (Fashion-)MNIST; without it they are downloaded"
    )
    command.add_argument("--epochs", type=_count, help=_default("epochs"))
    command.add_argument("--batch-size", type=_count, help=_default("batch_size"))
    command.add_argument("--lr", type=_positive, help=f"learning rate of Adam, {_default('lr')}")
    command.add_argument("--latent", type=_count, help=f"size of the code, {_default('latent')}")
    command.add_argument(
        "--hidden", type=_count, nargs="+", help=f"sizes of the layers between image and code, {_default('hidden')}"
    )
    command.add_argument(
        "--set", nargs="+", metavar="NAME=VALUE", help="options of the model's own: `ae list MODEL` shows them"
    )
    command.add_argument("--seed", type=_seed, default=0, help="of parameters, order and noise; default: 0")
    command.add_argument(
        "--out", metavar="DIR", help="folder of the run, new or empty; default: runs/MODEL-DATA, numbered"
    )
    return parser


def _default(name: str) -> str:
    """Say of an option what it is for each data set."""
    values = {name_: value[0] if isinstance(value := row[name], list) else value for name_, row in DEFAULTS.items()}
    return "default: " + ", ".join(f"{value} ({data_set})" for data_set, value in values.items())


def _number(text: str, kind: Callable, allowed: Callable, needed: str):
    """Turn an option's text into a number, or say what is needed."""
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not allowed(value):
        raise argparse.ArgumentTypeError(f"needs {needed}, got {text!r}")
    return value


def _count(text: str) -> int:
    return _number(text, int, lambda value: value >= 1, "a whole number from 1")


def _seed(text: str) -> int:
    return _number(text, int, lambda value: 0 <= value < 2**63, "a whole number from 0 to 2**63 - 1")


def _positive(text: str) -> float:
    return _number(text, float, lambda value: 0 < value < math.inf, "a number above 0")


if __name__ == "__main__":
    sys.exit(main())
