"""Every autoencoder of ae, trained by a compiled step: the bits are those of the step itself."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import minigrad
from ae.models import MODELS, build
from ae.train import step


def trained(name: str, compiled: bool) -> list[Any]:
    minigrad.manual_seed(0)
    flat = MODELS[name].sizes == "flat"
    model = build(name, 16, () if flat else (12, 8), 20 if MODELS[name].wide else 3)
    optimizers = model.optimizers(0.01)
    run = minigrad.compile(step) if compiled else step
    model.train()
    found: list[Any] = []
    for k in range(9):
        count = 3 if k == 4 else 8
        images, labels = minigrad.rand(count, 16), minigrad.randint(0, 10, (count,))
        loss = run(model, optimizers, images, labels, 1.0)
        state = model.state_dict()
        found.append([loss.item(), {key: value.numpy().tobytes() for key, value in state.items()}])
    if compiled:
        plans = [plan for kind in run._kinds.values() for plan in kind.plans]
        found.append(len(plans))
    return found


@pytest.mark.parametrize("name", sorted(MODELS))
def test_compiled_step_of_each_autoencoder_leaves_the_same_bits(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        *compiled, plans = trained(name, True)
    assert compiled == trained(name, False)
    assert plans
