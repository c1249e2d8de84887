"""Every model gives PyTorch's numbers: losses, gradients and steps from the same seed, with PyTorch in minigrad's place."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ae.models import NAMES

PROBE = Path(__file__).with_name("probe.py")
VARIANTS = runpy.run_path(str(PROBE))["VARIANTS"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The numbers of all models on minigrad and on PyTorch."""
    found = []
    for package in ("minigrad", "torch"):
        path = tmp_path_factory.mktemp("probe") / f"{package}.npz"
        root = str(Path(__file__).parents[3])
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, str(PROBE), package, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        with np.load(path) as arrays:
            found.append(dict(arrays))
    return found


@pytest.mark.parametrize("case", [*NAMES, *VARIANTS])
def test_losses_gradients_and_steps_are_pytorchs(both, case):
    ours, theirs = ({key: value for key, value in side.items() if key.startswith(f"{case}/")} for side in both)
    assert ours.keys() == theirs.keys()
    assert any("gradient" in key for key in ours)
    for key, value in ours.items():
        assert value.dtype == theirs[key].dtype, key
        np.testing.assert_allclose(value, theirs[key], rtol=1e-9, atol=1e-11, err_msg=key)
