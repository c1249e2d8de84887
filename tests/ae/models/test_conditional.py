"""The conditional VAE: the label decides what is drawn, the code how, and a missing label is found."""

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models import ConditionalVAE
from ae.train import Config, mean_loss, train


@pytest.fixture(scope="module")
def trained():
    config = Config("conditional-vae", "digits", 64, (64,), 4, epochs=40, batch_size=32, lr=3e-3, seed=0)
    model = config.build()
    for _ in train(model, load("digits"), config):
        pass
    return model.eval()


def nearest_mean(images):
    """The class whose mean training image is nearest."""
    splits = load("digits")
    means = np.stack([splits.train_images[splits.train_labels == label].mean(0) for label in range(10)])
    return ((images[:, None] - means) ** 2).sum(2).argmin(1)


def test_it_draws_the_digit_it_is_asked_for(trained):
    labels = minigrad.arange(200) % 10
    minigrad.manual_seed(0)
    with minigrad.no_grad():
        drawn = trained.sample(200, labels).numpy()
    assert (nearest_mean(drawn) == labels.numpy()).mean() > 0.9


def test_without_labels_it_draws_every_class_in_turn(trained):
    minigrad.manual_seed(0)
    drawn = trained.sample(12)
    minigrad.manual_seed(0)
    assert (drawn == trained.sample(12, minigrad.tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]))).all()


def test_it_finds_the_label_that_explains_an_image(trained):
    splits = load("digits")
    found = trained.classify(minigrad.from_numpy(splits.test_images)).numpy()
    assert (found == splits.test_labels).mean() > 0.9


def test_the_code_tells_less_once_the_label_is_given(trained):
    config = Config("vae", "digits", 64, (64,), 4, epochs=40, batch_size=32, lr=3e-3, seed=0)
    plain = config.build()
    for _ in train(plain, load("digits"), config):
        pass
    images, labels = minigrad.from_numpy(load("digits").test_images), minigrad.from_numpy(load("digits").test_labels)
    ours, theirs = mean_loss(trained, images, 100, labels), mean_loss(plain, images, 100, labels)
    assert ours["kl"] < theirs["kl"]
    assert ours["total"] < theirs["total"]


def test_the_label_changes_code_and_drawing():
    minigrad.manual_seed(0)
    model, images = ConditionalVAE(9, 7, 3, classes=2), minigrad.rand(4, 9)
    zeros, ones = minigrad.zeros(4, dtype=minigrad.int64), minigrad.ones(4, dtype=minigrad.int64)
    assert (model.embed(images, zeros) != model.embed(images, ones)).any()
    codes = minigrad.zeros(4, 3)
    assert (model.decode(codes, zeros) != model.decode(codes, ones)).any()


def test_a_missing_label_is_taken_to_be_the_one_found():
    minigrad.manual_seed(0)
    model, images = ConditionalVAE(9, 7, 3, classes=4), minigrad.rand(6, 9)
    found = model.classify(images)
    assert (model.embed(images) == model.embed(images, found)).all()
    assert (model.reconstruct(images) == model.reconstruct(images, found)).all()


def test_learning_and_decoding_without_labels_are_refused():
    model = ConditionalVAE(9, 7, 3)
    with pytest.raises(ValueError, match="pass labels to loss"):
        model.loss(minigrad.rand(2, 9))
    with pytest.raises(ValueError, match="pass labels, one for each code"):
        model.decode(minigrad.zeros(2, 3))
