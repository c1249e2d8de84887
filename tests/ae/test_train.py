"""Training follows PyTorch: the same program and seed, with PyTorch in minigrad's place, gives the same curves."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models import Loss, Model
from ae.train import Config, batches, evaluate, train

CONFIGS = [
    Config("autoencoder", "glyphs", 25, (), 10, epochs=20, batch_size=3, lr=0.01, seed=0),
    Config("deep", "digits", 64, (32, 16), 4, epochs=3, batch_size=50, lr=0.003, seed=1),
    Config("vae", "digits", 64, (32,), 8, epochs=5, batch_size=32, lr=0.001, seed=2),
    Config("vae", "glyphs", 25, (7,), 3, epochs=5, batch_size=4, lr=0.001, seed=3),
    Config(
        "factor-vae", "digits", 64, (16,), 4, epochs=3, batch_size=40, lr=0.01, seed=4, schedule="cosine", clip=5.0,
        validation=0.2, patience=2, binarize="dynamic",
    ),
]  # fmt: skip


def curve(lines):
    return np.array([[line["train_loss"], line["test_loss"], line["reconstruction"], line["kl"]] for line in lines])


def on_torch(config, root, train_count, test_count):
    """The metrics of the same run on PyTorch."""
    arguments = [json.dumps(dataclasses.asdict(config)), root or "", str(train_count), str(test_count)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.literature.on_torch", *arguments]
    folder = Path(__file__).parents[2]
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), environment.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def here(config, root, train_count, test_count):
    """The metrics of a run on minigrad, with as many images."""
    splits = load(config.data, root)
    splits = dataclasses.replace(
        splits, train_images=splits.train_images[:train_count], test_images=splits.test_images[:test_count]
    )
    return [dataclasses.asdict(metrics) for metrics in train(config.build(), splits, config)]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.model}-{config.data}")
def test_curves_agree_with_pytorchs_for_the_same_seed(config):
    expected = on_torch(config, None, 300, 100)
    assert len(expected) == config.epochs
    np.testing.assert_allclose(curve(here(config, None, 300, 100)), curve(expected), rtol=2e-5, atol=2e-5)


def test_pytorchs_example_on_mnist_agrees_with_pytorch_for_the_same_seed():
    if "AE_DATA" not in os.environ:
        pytest.skip("AE_DATA does not name the folder that holds the folder mnist")
    config = Config("vae", "mnist", 784, (400,), 20, epochs=2, batch_size=128, lr=1e-3, seed=1)
    root = os.environ["AE_DATA"]
    expected = on_torch(config, root, 3000, 500)
    np.testing.assert_allclose(curve(here(config, root, 3000, 500)), curve(expected), rtol=1e-4)


def test_another_seed_gives_another_curve():
    config = CONFIGS[2]
    other = dataclasses.replace(config, seed=config.seed + 1)
    assert not np.allclose(curve(here(config, None, 300, 100)), curve(here(other, None, 300, 100)), rtol=1e-4)


class Spy(Model):
    """A model that writes down the batches it is trained on, and may draw random numbers as a VAE does."""

    def __init__(self, draws=0):
        super().__init__()
        self.weight = minigrad.nn.Parameter(minigrad.ones(1))
        self.draws, self.seen = draws, []

    def loss(self, images, labels=None):
        if self.training:
            self.seen.append(images[:, 0].tolist())
        minigrad.randn(self.draws)
        loss = (self.weight * images).sum()
        return Loss(loss, reconstruction=loss)


def batches_seen(spy, seed=0):
    marked = dataclasses.replace(load("glyphs"), train_images=np.arange(10, dtype=np.float32).reshape(10, 1))
    config = dataclasses.replace(CONFIGS[0], epochs=2, batch_size=4, seed=seed)
    minigrad.manual_seed(seed)
    assert len(list(train(spy, marked, config, compiled=False))) == 2
    assert len(spy.seen) == batches(marked, config)
    return spy.seen


def test_every_image_is_trained_on_once_an_epoch():
    seen = batches_seen(Spy())
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = [[mark for batch in epoch for mark in batch] for epoch in (seen[:3], seen[3:])]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_the_order_of_the_images_depends_on_the_seed_and_not_on_the_noise_of_the_model():
    assert batches_seen(Spy()) == batches_seen(Spy(draws=3)) != batches_seen(Spy(), seed=1)


def test_losses_are_means_over_images_whatever_the_batches():
    config = CONFIGS[1]
    model, images = config.build(), minigrad.from_numpy(load("digits").test_images[:10])
    whole, _ = evaluate(model, images, batch_size=10)
    assert evaluate(model, images, batch_size=4)[0] == pytest.approx(whole, rel=1e-5)


def test_a_loss_that_is_no_longer_finite_stops_the_run_with_advice():
    config = dataclasses.replace(CONFIGS[3], lr=1e30)
    with pytest.raises(ArithmeticError, match=r"broke down in epoch 1: .*nan; .*--lr"):
        list(train(config.build(), load("glyphs"), config))


def test_a_compiled_run_is_the_run_itself():
    def run(compiled):
        model = CONFIGS[0].build()
        lines = [
            dataclasses.replace(m, seconds=0.0) for m in train(model, load("glyphs"), CONFIGS[0], compiled=compiled)
        ]
        return lines, {name: value.numpy().tobytes() for name, value in model.state_dict().items()}

    assert run(True) == run(False)
