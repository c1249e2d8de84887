"""Vector quantization: the nearest entry, the straight-through gradient, the moving averages and the uniform prior."""

import math

import numpy as np
import pytest

import minigrad
from ae import losses
from ae.data import load
from ae.models import VQVAE, VQVAEEMA
from ae.models.vq import straight_through
from minigrad import optim

KINDS = [VQVAE, VQVAEEMA]


def model_and_images(kind, **options):
    minigrad.manual_seed(0)
    model = kind(9, (7,), 3, words=5, width=2, **options).double()
    return model, minigrad.rand(6, 9, dtype=minigrad.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_entry_is_chosen(kind):
    model, images = model_and_images(kind)
    vectors, book = model.encode(images).detach().numpy(), model.book.detach().numpy()
    distances = ((vectors[:, :, None] - book) ** 2).sum(-1)
    choice = model.choose(model.encode(images))
    assert np.array_equal(choice.numpy(), distances.argmin(-1))
    assert np.array_equal(model.entries(choice).detach().numpy(), book[choice.numpy()])


def test_straight_through_gives_the_value_exactly_and_the_gradient_to_the_source():
    value, source = minigrad.rand(4, requires_grad=True), minigrad.rand(4, requires_grad=True)
    result = straight_through(value, source)
    assert (result == value).all()
    (result * minigrad.arange(4)).sum().backward()
    assert source.grad.tolist() == [0, 1, 2, 3]
    assert value.grad is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_encoder_gets_the_gradient_of_the_decoders_input(kind):
    model, images = model_and_images(kind, beta=0.0)
    vectors = model.encode(images)
    entries = model.entries(model.choose(vectors)).detach().requires_grad_()
    cost = losses.bernoulli(model.outputs(entries), images)
    (at_input,) = minigrad.autograd.grad(cost, entries)
    parameters = list(model.encoder.parameters())
    expected = minigrad.autograd.grad(vectors, parameters, grad_outputs=at_input)
    found = minigrad.autograd.grad(model.loss(images).total, parameters)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-10, atol=1e-14)


def test_the_book_moves_towards_the_vectors_and_the_vectors_towards_the_book():
    model, images = model_and_images(VQVAE, beta=0.5)
    vectors = model.encode(images)
    choice = model.choose(vectors)
    difference = (model.entries(choice) - vectors).detach()
    (gradient,) = minigrad.autograd.grad(model.loss(images).parts["book"], model.book)
    expected = np.zeros((5, 2))
    np.add.at(expected, choice.numpy(), 2 * difference.numpy() / len(images))
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-10, atol=1e-14)
    parameters = list(model.encoder.parameters())
    found = minigrad.autograd.grad(model.loss(images).parts["commitment"], parameters)
    towards = minigrad.autograd.grad(vectors, parameters, grad_outputs=-2 * difference / len(images))
    for one, other in zip(found, towards, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-10, atol=1e-14)


def test_the_total_is_the_weighed_sum_of_its_parts():
    model, images = model_and_images(VQVAE, beta=0.5)
    loss = model.loss(images)
    parts = {name: float(value) for name, value in loss.parts.items()}
    assert loss.total.item() == pytest.approx(parts["reconstruction"] + parts["book"] + 0.5 * parts["commitment"])
    assert parts["book"] == pytest.approx(parts["commitment"])
    assert parts["kl"] == pytest.approx(3 * math.log(5))


def test_moving_averages_follow_their_formula():
    model, images = model_and_images(VQVAEEMA, decay=0.9)
    counts, sums, book = np.ones(5), model.book.numpy().copy(), model.book.numpy().copy()
    for _ in range(3):
        vectors = model.encode(images).detach().numpy().reshape(-1, 2)
        choice = ((vectors[:, None] - book) ** 2).sum(-1).argmin(1)
        counts = 0.9 * counts + 0.1 * np.bincount(choice, minlength=5)
        sums = 0.9 * sums + 0.1 * np.stack([vectors[choice == i].sum(0) for i in range(5)])
        total = counts.sum()
        book = sums / ((counts + 1e-5) / (total + 5e-5) * total)[:, None]
        model.loss(images)
        np.testing.assert_allclose(model.book.numpy(), book, rtol=1e-12)
        np.testing.assert_allclose(model.counts.numpy(), counts, rtol=1e-12)


def test_without_decay_an_entry_becomes_the_mean_of_the_vectors_that_chose_it():
    model, images = model_and_images(VQVAEEMA, decay=0.0)
    vectors, choice = model.encode(images).detach(), model.choose(model.encode(images))
    model.loss(images)
    for entry in np.unique(choice.numpy()):
        mean = vectors.numpy()[choice.numpy() == entry].mean(0)
        np.testing.assert_allclose(model.book.numpy()[entry], mean, rtol=1e-3)


def test_evaluation_leaves_the_averages_alone():
    model, images = model_and_images(VQVAEEMA)
    before = model.book.numpy().copy()
    model.eval().loss(images)
    assert np.array_equal(model.book.numpy(), before)


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_cost_and_uses_many_words(kind):
    minigrad.manual_seed(0)
    model, images = kind(64, (64,), 8), minigrad.from_numpy(load("digits").train_images)
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    first = model.loss(images).parts["reconstruction"].item()
    for _ in range(500):
        optimizer.zero_grad()
        model.loss(images[minigrad.randint(len(images), (64,))]).total.backward()
        optimizer.step()
    assert model.loss(images).parts["reconstruction"].item() < 0.6 * first
    assert len(np.unique(model.choose(model.encode(images)).numpy())) > 12


@pytest.mark.parametrize("kind", KINDS)
def test_reconstructions_depend_on_the_chosen_words_alone(kind):
    model, images = model_and_images(kind)
    points = model.embed(images).reshape(6, 3, 2)
    assert (model.reconstruct(images) == model.decode(points)).all()
    assert (model(images) == model.reconstruct(images)).all()
