"""An evaluation with PyTorch in minigrad's place gives the same numbers, noise included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODELS = ["vae", "conditional-vae", "linear", "vq-vae", "categorical-vae", "iaf-vae"]


def evaluated(package):
    """The numbers of a process of its own."""
    folder = Path(__file__).parents[3]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), environment.get("PYTHONPATH", "")])
    command = [sys.executable, str(Path(__file__).with_name("on_torch.py")), package, *MODELS]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_number_is_pytorchs():
    ours, theirs = evaluated("minigrad"), evaluated("torch")
    assert list(ours) == list(theirs) == MODELS
    for model in MODELS:
        assert ours[model].keys() == theirs[model].keys()
        for name, value in ours[model].items():
            expected = theirs[model][name]
            assert (value is None) == (expected is None), (model, name)
            assert value is None or value == pytest.approx(expected, rel=2e-4, abs=1e-4), (model, name)
