"""The adversarial autoencoder: two players, two optimizers, and codes that end up where the prior's draws are."""

import numpy as np

import minigrad
from ae.data import load
from ae.models import AdversarialAutoencoder
from ae.models.mmd import mmd


def played(weight, steps=600):
    """A model after so many rounds, with the images it was trained on."""
    minigrad.manual_seed(0)
    model, images = (
        AdversarialAutoencoder(64, (32,), 2, weight=weight),
        minigrad.from_numpy(load("digits").train_images),
    )
    optimizers = model.optimizers(2e-3)
    for _ in range(steps):
        loss = model.loss(images[minigrad.randint(len(images), (64,))])
        for objective, optimizer in zip(loss.objectives, optimizers, strict=True):
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
    return model, images


def test_the_codes_come_to_lie_where_the_prior_is():
    distances = []
    for weight in (0.0, 1.0):
        model, images = played(weight)
        codes = model.embed(images[:300]).detach()
        distances.append(mmd(codes, minigrad.randn_like(codes)).item())
    assert distances[1] < 0.2 * distances[0]
    assert abs(codes.numpy().mean(0)).max() < 0.5
    assert abs(np.log(codes.numpy().std(0))).max() < 0.5


def test_the_encoder_is_pushed_to_where_the_discriminator_sees_draws():
    """One round: the encoder's step makes its codes harder to tell, the discriminator's own step makes them easier."""
    minigrad.manual_seed(0)
    model = AdversarialAutoencoder(64, (32,), 2, weight=1e6)
    images, (ours, theirs) = minigrad.from_numpy(load("digits").train_images[:100]), model.optimizers(1e-3)

    def seen_as_draws():
        return model.discriminator(model.encode(images)).mean().item()

    loss, before = model.loss(images), seen_as_draws()
    ours.zero_grad()
    loss.objectives[0].backward()
    ours.step()
    between = seen_as_draws()
    theirs.zero_grad()
    loss.objectives[1].backward()
    theirs.step()
    assert before < between > seen_as_draws()


def test_the_discriminators_objective_sends_nothing_to_the_autoencoder():
    model = AdversarialAutoencoder(9, (7,), 3)
    model.loss(minigrad.rand(5, 9)).objectives[1].backward()
    touched = {name.split(".")[0] for name, value in model.named_parameters() if value.grad is not None}
    assert touched == {"discriminator"}
