"""A run's folder: config.json, metrics.jsonl, model.safetensors and pictures; it can be loaded from its first moment on.

The model is written before the first epoch and after every one, each time under another name first, so that neither
Ctrl-C nor a full disk leaves half a file. Its header says of which epoch it is. No run is ever written over.
Beside it state.safetensors holds what the next epoch depends on: parameters, optimizers, schedules and random streams.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file
from safetensors.numpy import save as serialize

import minigrad
from ae import schedules
from ae.config import Config, Metrics, as_dict
from ae.models import Model
from ae.train import Training
from minigrad import Tensor


def create(config: Config, out: str | os.PathLike[str] | None = None) -> Path:
    """Make the folder of a new run, write config.json into it and return its path.

    Without `out` it is runs/MODEL-DATA, or if there is one already runs/MODEL-DATA-2, and so on. Raises FileExistsError
    if `out` is a folder with something in it, or no folder.
    """
    if out is None:
        folder = _unused(Path("runs", f"{config.model}-{config.data}"))
    else:
        folder = Path(out).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise FileExistsError(f"{folder} is a file, or lies in one: name another folder for the run") from None
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty, and a run writes over nothing: name another folder")
    _save_config(folder, config)
    return folder


def save(folder: Path, training: Training, metrics: Metrics | None = None) -> None:
    """Write down a training between two epochs: its state, its model unless a better one is kept, and the metrics.

    In this order, so that whatever comes between leaves a run that `resume` can put right.
    """
    _save_state(folder, training, metrics)
    if training.improved or not training.config.keep_best:
        save_model(folder, training.model, training.epoch)
    if metrics is not None:
        append_metrics(folder, metrics)


def save_model(folder: Path, model: Model, epoch: int) -> None:
    """Write the parameters to model.safetensors, in one piece or not at all."""
    _save_tensors(folder / "model.safetensors", model.state_dict(), {"epoch": str(epoch)})


def append_metrics(folder: Path, metrics: Metrics) -> None:
    """Add a line to metrics.jsonl."""
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(as_dict(metrics)) + "\n")


def read_config(folder: str | os.PathLike[str]) -> Config:
    """Return the configuration of a run. Raises FileNotFoundError if the folder holds none, ValueError if it is damaged."""
    path = Path(folder) / "config.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Config(**(fields | {"hidden": tuple(fields["hidden"])}))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{folder} is no run: it has no config.json") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged, or another version's: {error}") from error


def read_metrics(folder: str | os.PathLike[str]) -> list[Metrics]:
    """Return the metrics of a run's finished epochs, from the first to the last; there may be none.

    A last line without its end counts as not written: a full disk cut it off. Raises ValueError if another is damaged.
    """
    path = Path(folder) / "metrics.jsonl"
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        try:
            found.append(Metrics(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is damaged in line {number}, or another version's: {error}") from error
    return found


def kept(config: Config, metrics: Sequence[Metrics]) -> Metrics:
    """Return the line of the epoch whose model is kept: the last, or with `keep_best` that of least validation loss."""
    if not config.keep_best:
        return metrics[-1]
    return min(metrics, key=lambda line: math.inf if line.validation_loss is None else line.validation_loss)


def load(folder: str | os.PathLike[str]) -> Model:
    """Return the trained model of a run, ready to evaluate.

    Raises FileNotFoundError if the folder is no run, ValueError if its files are damaged.
    """
    config, path = read_config(folder), Path(folder) / "model.safetensors"
    try:
        arrays = load_file(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{folder} is no whole run: it has no model.safetensors") from None
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    model = config.build()
    try:
        model.load_state_dict({name: minigrad.from_numpy(array) for name, array in arrays.items()})
    except RuntimeError as error:
        raise ValueError(f"{path} is not of the model that config.json describes: {error}") from error
    model.eval()
    return model


def lengthen(folder: str | os.PathLike[str], epochs: int) -> Config:
    """Return the configuration that lets a run go on to more epochs than it was made for.

    Raises ValueError if it had as many already, or if its schedule was laid out for its length.
    """
    config = read_config(folder)
    if epochs <= config.epochs:
        raise ValueError(f"{folder} is a run of {config.epochs} epochs already, asked for {epochs}: name more")
    if schedules.SCHEDULES[config.schedule].lasting:
        raise ValueError(
            f"{folder} has the schedule {config.schedule}, which was laid out for {config.epochs} epochs: start a new run"
        )
    return replace(config, epochs=epochs)


def resume(folder: str | os.PathLike[str], training: Training) -> list[Metrics]:
    """Bring a training to where its run was left, put the folder's files right, and return the metrics so far.

    The training's configuration becomes the run's; it is the run's own, or the one that `lengthen` made of it.
    Raises FileNotFoundError if the run has no state.safetensors, ValueError if that is damaged or of another run.
    """
    path = Path(folder) / "state.safetensors"
    try:
        with safe_open(path, "np") as file:
            rest = json.loads(file.metadata()["state"])
            tensors = {name: minigrad.from_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        changed = _changed(rest.get("config"), training.config)
        if not changed:
            training.load_state(tensors, rest)
    except FileNotFoundError:
        raise FileNotFoundError(f"{folder} cannot be resumed: it has no state.safetensors") from None
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged, or another run's: {error}") from error
    if changed:
        raise ValueError(
            f"{folder} was trained with another configuration: its config.json has since been changed in "
            f"{', '.join(changed)}; change it back, or start a new run with --config"
        )
    lines = [line for line in read_metrics(folder) if line.epoch <= training.epoch]
    if rest["metrics"] and len(lines) < training.epoch:
        lines.append(Metrics(**rest["metrics"]))  # the interruption came before its line
    text = "".join(json.dumps(as_dict(line)) + "\n" for line in lines)
    _save_config(Path(folder), training.config)
    write_file(Path(folder) / "metrics.jsonl", text.encode())
    if training.improved or not training.config.keep_best:
        save_model(Path(folder), training.model, training.epoch)
    return lines


def names(folders: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return what to call runs: the last parts of their folders' paths, or the whole paths where these are the same."""
    short = [Path(folder).resolve().name for folder in folders]
    return [name if short.count(name) == 1 else str(folder) for folder, name in zip(folders, short, strict=True)]


def read_json(folder: str | os.PathLike[str], name: str) -> dict[str, Any] | None:
    """Return what NAME.json in a run's folder holds, None if there is none. Raises ValueError if it is damaged."""
    path = Path(folder) / f"{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found | {"values": dict(found["values"])}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged, or another version's: {error}") from error


def write_json(path: Path, content: Any) -> None:
    """Write a file of JSON, in one piece or not at all."""
    write_file(path, (json.dumps(content, indent=2) + "\n").encode())


def _save_config(folder: Path, config: Config) -> None:
    write_json(folder / "config.json", as_dict(config))


def _changed(before: Mapping[str, Any] | None, config: Config) -> list[str]:
    """Return the names of a configuration's fields that are others than they were, the epochs apart.

    `before` is as JSON holds it; runs of an earlier version did not keep it.
    """
    if before is None:
        return []
    now = json.loads(json.dumps(as_dict(config)))
    return sorted(name for name in (before | now).keys() - {"epochs"} if before.get(name) != now.get(name))


def _save_state(folder: Path, training: Training, metrics: Metrics | None) -> None:
    tensors, rest = training.state()
    line = None if metrics is None else as_dict(metrics)
    text = json.dumps(rest | {"metrics": line, "config": as_dict(training.config)})
    _save_tensors(folder / "state.safetensors", tensors, {"epoch": str(training.epoch), "state": text})


def _save_tensors(path: Path, tensors: Mapping[str, Tensor], about: dict[str, str]) -> None:
    arrays = {name: np.asarray(value.detach().numpy(), order="C") for name, value in tensors.items()}
    write_file(path, serialize(arrays, metadata=about))


def _unused(path: Path) -> Path:
    """Make the folder `path`, or the first of `path`-2, `path`-3, ... that does not exist."""
    number = 1
    while True:
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one piece or not at all: beside `path`, then put in its place. An OSError names `path`."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
