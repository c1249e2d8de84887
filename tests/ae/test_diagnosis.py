"""What is wrong is told, once, and only if it lasts; what is well is not."""

import dataclasses

import numpy as np
import pytest

import minigrad
from ae.config import Config
from ae.data import load
from ae.diagnosis import Diagnosis, dead_units, findings
from ae.models import VAE, Autoencoder, DeepAutoencoder
from ae.train import train

CONFIG = Config("vae", "glyphs", 25, (7,), 3, epochs=6, batch_size=4, lr=1e-9, seed=3)
IMAGES = load("glyphs").test_images


def collapsed():
    model = VAE(25, 7, 3)
    with minigrad.no_grad():
        for layer in (model.mu, model.logvar):
            layer.weight.zero_()
            layer.bias.zero_()
    return model


def with_dead(count):
    """An autoencoder of 10 hidden units, some of which no image reaches."""
    minigrad.manual_seed(1)
    model = Autoencoder(25, 10)
    with minigrad.no_grad():
        model.encoder[0].bias.fill_(3.0)
        model.encoder[0].bias[:count] = -100.0
    return model


def test_a_healthy_model_gives_no_findings():
    minigrad.manual_seed(0)
    assert findings(with_dead(0), IMAGES) == {}


def test_posterior_collapse_is_found():
    found = findings(collapsed(), IMAGES)
    assert "posterior collapse: the codes tell 0 nats of an image" in found["collapse"]
    assert "free-bits-vae" in found["collapse"]


def test_a_constant_code_is_found():
    model = with_dead(10)
    assert "all images have the same code" in findings(model, IMAGES)["constant"]


@pytest.mark.parametrize("count", [0, 2, 3, 9])
def test_a_code_with_a_quarter_of_dead_units_is_told(count):
    found = findings(with_dead(count), IMAGES)
    assert ("dead code" in found) == (count >= 3)
    if count >= 3:
        assert f"{count} of the code's 10 numbers" in found["dead code"]


@pytest.mark.parametrize("count", [0, 7, 8])
def test_dead_units_are_counted_and_told_from_three_quarters_on(count):
    model = with_dead(count)
    assert dead_units(model, IMAGES) == {"encoder.1": (count, 10)}
    assert ("dead encoder.1" in findings(model, IMAGES)) == (count >= 8)


def test_every_relu_layer_is_watched_and_left_alone_afterwards():
    model = DeepAutoencoder((25, 9, 8, 2))
    assert {name: units for name, (_, units) in dead_units(model, IMAGES).items()} == {
        "encoder.1": 9, "encoder.3": 8, "decoder.1": 8, "decoder.3": 9,
    }  # fmt: skip
    assert all(not module._forward_hooks for module in model.modules())


def test_a_relu_that_serves_two_layers_is_told_apart():
    minigrad.manual_seed(0)
    assert {name: units for name, (_, units) in dead_units(VAE(25, (7, 5), 3), IMAGES).items()} == {
        "activation": 5, "activation (use 2)": 7, "encoder.1": 7, "decoder.1": 5,
    }  # fmt: skip


def test_a_finding_that_lasts_is_told_once():
    told = []
    list(train(collapsed(), load("glyphs"), CONFIG, callbacks=[Diagnosis(told.append)]))
    assert len([one for one in told if "posterior collapse" in one]) == 1
    assert told[0].startswith("epoch 3: ")


def test_a_finding_of_the_last_epoch_is_told_at_once():
    told = []
    config = dataclasses.replace(CONFIG, epochs=1)
    list(train(collapsed(), load("glyphs"), config, callbacks=[Diagnosis(told.append)]))
    assert told[0].startswith("epoch 1: posterior collapse")


def test_a_diagnosis_changes_no_run():
    config = dataclasses.replace(CONFIG, lr=0.01)
    plain = [line.test_loss for line in train(config.build(), load("glyphs"), config)]
    watched = train(config.build(), load("glyphs"), config, callbacks=[Diagnosis(lambda text: None)])
    assert [line.test_loss for line in watched] == plain
    model = config.build().train()
    findings(model, IMAGES, np.arange(10))
    assert model.training
