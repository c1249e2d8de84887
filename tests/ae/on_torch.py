"""Runs ae's training with PyTorch in minigrad's place, in a process of its own, and prints a line of JSON per epoch.

Arguments: a configuration as JSON, the data's root (or an empty string), and how many training and test images to take.
"""

import dataclasses
import json
import sys

import torch

sys.modules["minigrad"] = torch
sys.modules["minigrad.nn"] = torch.nn
sys.modules["minigrad.nn.functional"] = torch.nn.functional
sys.modules["minigrad.optim"] = torch.optim

import ae.data  # noqa: E402 (the substitution comes first)
from ae.train import Config, train  # noqa: E402

if __name__ == "__main__":
    fields = json.loads(sys.argv[1])
    config = Config(**(fields | {"hidden": tuple(fields["hidden"])}))
    splits = ae.data.load(config.data, sys.argv[2] or None)
    count, test_count = int(sys.argv[3]), int(sys.argv[4])
    splits = dataclasses.replace(
        splits, train_images=splits.train_images[:count], test_images=splits.test_images[:test_count]
    )
    model = config.build()
    assert isinstance(model, torch.nn.Module)
    for metrics in train(model, splits, config):
        print(json.dumps(dataclasses.asdict(metrics)), flush=True)
