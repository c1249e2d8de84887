"""A run's folder: config.json, metrics.jsonl, model.safetensors and pictures; it can be loaded from its first moment on.

The model is written before the first epoch and after every one, each time under another name first, so that neither
Ctrl-C nor a full disk leaves half a file. Its header says of which epoch it is. No run is ever written over.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import minigrad
from ae.models import Model
from ae.train import Config, Metrics


def create(config: Config, out: str | os.PathLike[str] | None = None) -> Path:
    """Make the folder of a new run, write config.json into it and return its path.

    Without `out` it is runs/MODEL-DATA, or if there is one already runs/MODEL-DATA-2, and so on. Raises FileExistsError
    if `out` is a folder with something in it, or no folder.
    """
    if out is None:
        folder = _unused(Path("runs", f"{config.model}-{config.data}"))
    else:
        folder = Path(out).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty, and a run writes over nothing: name another folder")
    _write(folder / "config.json", lambda path: path.write_text(json.dumps(_fields(config), indent=2) + "\n"))
    return folder


def save_model(folder: Path, model: Model, epoch: int) -> None:
    """Write the parameters to model.safetensors, in one piece or not at all."""
    arrays = {name: np.asarray(value.detach().numpy(), order="C") for name, value in model.state_dict().items()}
    _write(folder / "model.safetensors", lambda path: save_file(arrays, path, metadata={"epoch": str(epoch)}))


def append_metrics(folder: Path, metrics: Metrics) -> None:
    """Add a line to metrics.jsonl."""
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(_fields(metrics)) + "\n")


def read_config(folder: str | os.PathLike[str]) -> Config:
    """Return the configuration of a run. Raises FileNotFoundError if the folder holds none, ValueError if it is damaged."""
    path = Path(folder) / "config.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Config(**(fields | {"hidden": tuple(fields["hidden"])}))
    except FileNotFoundError:
        raise FileNotFoundError(f"{folder} is no run: it has no config.json") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged, or another version's: {error}") from error


def read_metrics(folder: str | os.PathLike[str]) -> list[Metrics]:
    """Return the metrics of a run's finished epochs, from the first to the last; there may be none."""
    path = Path(folder) / "metrics.jsonl"
    if not path.exists():
        return []
    return [Metrics(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


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
    model.load_state_dict({name: minigrad.from_numpy(array) for name, array in arrays.items()})
    model.eval()
    return model


def _fields(record: Config | Metrics) -> dict[str, Any]:
    """Return a record's fields by name, without those that are empty by default."""
    return {name: value for name, value in asdict(record).items() if value != {}}


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


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in the place of `path`."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
