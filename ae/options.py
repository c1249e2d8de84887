"""What a command line says: its parser, and how flags and a TOML file become a run's configuration."""

import argparse
import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ae import data, models
from ae.config import BINARIZE, Config
from ae.schedules import SCHEDULES

# What a run takes if it is not told: enough epochs for a good picture, and on MNIST those of PyTorch's example.
DEFAULTS: dict[str, dict[str, Any]] = {
    "glyphs": {"epochs": 1000, "batch_size": 10, "lr": 5e-3, "hidden": [32], "latent": 10},
    "moving-glyphs": {"epochs": 150, "batch_size": 32, "lr": 2e-3, "hidden": [128], "latent": 6},
    "digits": {"epochs": 100, "batch_size": 32, "lr": 1e-3, "hidden": [128], "latent": 8},
    "mnist": {"epochs": 10, "batch_size": 128, "lr": 1e-3, "hidden": [400], "latent": 20},
    "fashion-mnist": {"epochs": 10, "batch_size": 128, "lr": 1e-3, "hidden": [400], "latent": 20},
}

# The fields of a configuration that flags and files set by the same names, and the type of each.
FIELDS: dict[str, type] = {
    "model": str, "data": str, "hidden": list, "latent": int, "epochs": int, "batch_size": int, "lr": float, "seed": int,
    "options": dict, "schedule": str, "schedule_options": dict, "clip": float, "validation": float, "patience": int,
    "keep_best": bool, "binarize": str, "eps": float, "mean_bias": bool,
}  # fmt: skip


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that the flags set, by name; `--set` and `--schedule-set` still as text."""
    flags = {name: getattr(options, name) for name in FIELDS if getattr(options, name, None) is not None}
    return flags | {name: value for name in ("set", "schedule_set") if (value := getattr(options, name)) is not None}


def config(options: argparse.Namespace, splits: Callable[[str], data.Splits]) -> tuple[Config, data.Splits]:
    """Return the configuration that a file and, over it, the flags describe, and the data it names.

    `splits` loads a data set by its name. Raises ValueError for an unknown key or option and a value that does not fit.
    """
    flags = given(options)
    settings, schedule_settings = flags.pop("set", []), flags.pop("schedule_set", [])
    fields = read(options.config) if options.config else {}
    for name, part in (("model", "options"), ("schedule", "schedule_options")):
        if name in flags and flags[name] != fields.get(name):
            fields.pop(part, None)  # another's options
    fields = dict[str, Any](model="vae", data="digits", seed=0) | fields | flags
    entry = models.MODELS.get(fields["model"])
    if entry is None:
        raise ValueError(f"unknown model {fields['model']!r}; there are {', '.join(models.NAMES)}")
    if fields["data"] not in data.NAMES:
        raise ValueError(f"unknown data set {fields['data']!r}; there are {', '.join(data.NAMES)}")
    chosen = splits(fields["data"])
    pixels = chosen.train_images.shape[1]
    if fields.pop("pixels", pixels) != pixels:
        raise ValueError(f"the configuration is of images of other than the {pixels} pixels of {fields['data']}")
    default = dict(DEFAULTS[fields["data"]])
    default |= ({"hidden": []} if entry.sizes == "flat" else {}) | ({"latent": 2 * pixels} if entry.wide else {})
    fields = default | fields
    fields["hidden"] = tuple(fields["hidden"])
    fields["options"] = fields.get("options", {}) | settings_of(fields["model"], entry.options(), settings)
    name = str(fields.get("schedule", "constant"))
    if name in SCHEDULES:  # else the configuration says what is wrong
        more = settings_of(f"the schedule {name}", SCHEDULES[name].options, schedule_settings)
        fields["schedule_options"] = fields.get("schedule_options", {}) | more
    return Config(pixels=pixels, **fields), chosen


def read(path: str) -> dict[str, Any]:
    """Return the fields in a TOML file, or in a run's config.json; dashes in names may stand for underscores.

    Raises FileNotFoundError if there is none, ValueError if it is damaged, has an unknown key or a value of another type.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        fields = json.loads(text) if Path(path).suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no configuration file {path}") from None
    except ValueError as error:
        raise ValueError(f"{path} is no {'JSON' if Path(path).suffix == '.json' else 'TOML'} file: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{path} needs names with values, got {type(fields).__name__}")
    found = {}
    for key, value in fields.items():
        name = key.replace("-", "_")
        if name == "pixels":
            found[name] = value
            continue
        if name not in FIELDS:
            raise ValueError(f"{path} has an unknown key {key!r}; there are {', '.join(FIELDS)}")
        kind = FIELDS[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        whole = name == "hidden" and isinstance(value, list) and not all(isinstance(one, int) for one in value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or whole:
            words = {str: "a text", list: "a list of whole numbers", int: "a whole number", float: "a number"}
            needed = words.get(kind) or {dict: "a table", bool: "true or false"}[kind]
            raise ValueError(f"{path}: {key} needs {needed}, got {value!r}")
        found[name] = value
    return found


def settings_of(what: str, defaults: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Turn NAME=VALUE settings into options, each of its default's type."""
    chosen = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"an option of {what} is given as NAME=VALUE, got {setting!r}")
        if name not in defaults:
            raise ValueError(f"{what} has no option {name!r}; it has {', '.join(defaults) or 'none'}")
        kind = type(defaults[name])
        try:
            chosen[name] = kind(text)
        except ValueError:
            needed = {int: "a whole number", float: "a number"}[kind]
            raise ValueError(f"option {name} of {what} needs {needed}, got {text!r}") from None
    return chosen


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="ae", description="Autoencoders, trained with minigrad.")
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    listing = commands.add_parser(
        "list",
        help="show the models with a line each",
        description="Show the models with a line each, or what one of them is and its options.",
    )
    listing.add_argument("model", nargs="?", choices=models.NAMES, metavar="MODEL")
    _add_train(commands)
    _add_evaluate(commands)
    _add_report(commands)
    _add_tutorial(commands)
    return top


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train",
        help="train a model and keep the run in a folder",
        description="Train a model and keep the run in a folder: config.json, metrics.jsonl, model.safetensors and, "
        "if matplotlib is installed, pictures. Without arguments: a VAE on the bundled digits, in seconds.",
    )
    command.add_argument(
        "model",
        nargs="?",
        choices=models.NAMES,
        metavar="MODEL",
        help="one of those that `ae list` shows; default: vae",
    )
    add = command.add_argument
    add("--data", choices=data.NAMES, help="default: digits")
    _add_data_root(command)
    add("--epochs", type=_count, help=_default("epochs"))
    add("--batch-size", type=_count, help=_default("batch_size"))
    add("--lr", type=_positive, help=f"learning rate of Adam, {_default('lr')}")
    add("--latent", type=_count, help=f"size of the code, {_default('latent')}")
    add("--hidden", type=_count, nargs="+", help=f"sizes of the layers between image and code, {_default('hidden')}")
    add("--set", nargs="+", metavar="NAME=VALUE", help="options of the model's own: `ae list MODEL` shows them")
    add("--seed", type=_seed, help="of parameters, order and noise; default: 0")
    add(
        "--schedule", choices=SCHEDULES, metavar="NAME", help=f"of the learning rate: {_schedules()}; default: constant"
    )
    add(
        "--schedule-set",
        nargs="+",
        metavar="NAME=VALUE",
        help="options of the schedule's own, shown with their defaults",
    )
    add("--no-compile", action="store_true", help="take each step as it is written, in more time and to the same bits")
    add("--clip", type=_positive, help="largest norm of a gradient; longer ones are shortened to it; default: any")
    add("--validation", type=_share, help="share of the training images set aside to choose by; default: none")
    add("--patience", type=_count, help="stop after so many epochs without a lower validation loss; default: never")
    add(
        "--keep-best",
        action="store_true",
        default=None,
        help="keep the model of the lowest validation loss, not the last",
    )
    add("--binarize", choices=BINARIZE, help="make pixels black or white, dynamic: by chance, anew in every batch")
    add("--eps", type=_positive, help="Adam's epsilon; default: 1e-8")
    add("--mean-bias", action="store_true", default=None, help="let a VAE's decoder start at the mean image")
    add("--config", metavar="FILE", help="TOML file with the same names, or a run's config.json; flags go before it")
    add(
        "--resume",
        metavar="DIR",
        help="go on with a run that was interrupted; with --epochs also with one that was not",
    )
    add("--out", metavar="DIR", help="folder of the run, new or empty; default: runs/MODEL-DATA, numbered")


def _add_evaluate(commands: Any) -> None:
    command = commands.add_parser(
        "evaluate",
        help="measure trained models on the test set",
        description="Measure the models of runs on the test set, print a table and write evaluation.json into each run.",
    )
    add = command.add_argument
    add("runs", nargs="+", metavar="DIR", help="folder of a run; several stand side by side")
    _add_data_root(command)
    add("--samples", type=_count, default=100, help="codes an image for the likelihood, e.g. 5000; default: 100")
    add("--images", type=_count, help="how many test images; default: all")
    add("--binarize", action="store_true", help="make pixels black or white by chance, so that nats are a likelihood's")
    add("--seed", type=_seed, default=0, help="of codes and noise; default: 0")
    add("--json", action="store_true", help="print JSON instead of the table")


def _add_report(commands: Any) -> None:
    command = commands.add_parser(
        "report",
        help="write a page of figures on one run or several",
        description="Write one HTML file, which needs no network, on a run, or on several side by side: curves, "
        "reconstructions, samples, codes, traversals, filters, and the data of each figure.",
    )
    command.add_argument("runs", nargs="+", metavar="DIR", help="folder of a run; several stand side by side")
    _add_data_root(command)
    command.add_argument(
        "--out", metavar="FILE", help="default: report.html, in the run's folder if it is one, else in the current one"
    )


def _add_tutorial(commands: Any) -> None:
    command = commands.add_parser(
        "tutorial",
        help="build the tutorial as notebooks and pages",
        description="Run the tutorial's chapters and write each as a notebook with its outputs and as a page.",
    )
    command.add_argument("chapters", nargs="*", metavar="CHAPTER", help="a number or a name; default: all")
    command.add_argument("--out", default="tutorial", metavar="DIR", help="folder to write to; default: tutorial")
    command.add_argument("--torch", action="store_true", help="run the chapters on PyTorch, which must be installed")


def _add_data_root(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data-root", metavar="DIR", help="folder of the IDX files of (Fashion-)MNIST; without it they are downloaded"
    )


def _default(name: str) -> str:
    """Say of an option what it is for each data set."""
    values = {name_: value[0] if isinstance(value := row[name], list) else value for name_, row in DEFAULTS.items()}
    return "default: " + ", ".join(f"{value} ({data_set})" for data_set, value in values.items())


def _schedules() -> str:
    """Name the schedules with their options."""
    return ", ".join(
        name + (f" ({', '.join(f'{key}={value}' for key, value in one.options.items())})" if one.options else "")
        for name, one in SCHEDULES.items()
    )


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


def _share(text: str) -> float:
    return _number(text, float, lambda value: 0 < value < 1, "a share between 0 and 1")
