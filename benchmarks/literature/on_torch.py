"""Runs ae's training with PyTorch in minigrad's place, in a process of its own, and prints a line of JSON per epoch.

Arguments: a configuration as JSON, and the data's root or an empty string. It imports nothing of minigrad's.
"""

import dataclasses
import importlib
import json
import sys


def main() -> None:
    """Put PyTorch in minigrad's place, then import ae and train."""
    for name in ("", ".nn", ".nn.functional", ".optim"):
        sys.modules[f"minigrad{name}"] = importlib.import_module(f"torch{name}")
    data, training = importlib.import_module("ae.data"), importlib.import_module("ae.train")
    fields = json.loads(sys.argv[1])
    config = training.Config(**(fields | {"hidden": tuple(fields["hidden"])}))
    splits = data.load(config.data, sys.argv[2] or None)
    for metrics in training.train(config.build(), splits, config, compiled=False):
        print(json.dumps(dataclasses.asdict(metrics)), flush=True)


if __name__ == "__main__":
    main()
