"""Runs ae's training with PyTorch in minigrad's place, in a process of its own, and prints a line of JSON per epoch.

Arguments: a configuration as JSON, the data's root or an empty string, and, if not all are to be taken, how many training
and test images. It imports nothing of minigrad's.
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
    if sys.argv[3:]:
        count, test_count = map(int, sys.argv[3:])
        splits = dataclasses.replace(
            splits, train_images=splits.train_images[:count], test_images=splits.test_images[:test_count]
        )
    model = config.build()
    assert isinstance(model, sys.modules["torch.nn"].Module)
    for metrics in training.train(model, splits, config, compiled=False):
        print(json.dumps(dataclasses.asdict(metrics)), flush=True)


if __name__ == "__main__":
    main()
