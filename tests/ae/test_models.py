"""The models: their layers, shapes, what they refuse, and that noise leaves a way for the gradient."""

import numpy as np
import pytest

import minigrad
from ae.models import MODELS, NAMES, VAE, Autoencoder, DeepAutoencoder, build


def small(name, **options):
    """A model of any name for images of 9 pixels."""
    entry = MODELS[name]
    return build(name, 9, () if entry.sizes == "flat" else (7,), 20 if entry.wide else 3, **options)


def shapes(model):
    return [tuple(value.shape) for value in model.parameters()]


def images(count, pixels):
    return minigrad.from_numpy(np.random.default_rng(0).uniform(0, 1, (count, pixels)).astype(np.float32))


def test_the_first_autoencoder_is_25_10_25():
    assert shapes(Autoencoder()) == [(10, 25), (10,), (25, 10), (25,)]


def test_a_deep_autoencoder_mirrors_its_sizes():
    assert shapes(DeepAutoencoder((9, 6, 2))) == [(6, 9), (6,), (2, 6), (2,), (6, 2), (6,), (9, 6), (9,)]


def test_a_deep_autoencoders_code_takes_both_signs():
    minigrad.manual_seed(0)
    codes = DeepAutoencoder((9, 6, 4)).encoder(images(50, 9)).detach().numpy()
    assert codes.min() < 0 < codes.max()


def test_a_deep_autoencoder_needs_an_image_and_a_code():
    with pytest.raises(ValueError, match=r"sizes of the image and of the code, got \(9,\)"):
        DeepAutoencoder([9])


def test_the_vae_is_784_400_20_unless_told():
    weights = [shape for shape in shapes(VAE()) if len(shape) == 2]
    assert weights == [(400, 784), (20, 400), (20, 400), (400, 20), (784, 400)]


@pytest.mark.parametrize("name", NAMES)
def test_reconstructions_are_in_the_range_and_shape_of_images(name):
    copies = small(name).eval().reconstruct(images(4, 9)).detach().numpy()
    assert copies.shape == (4, 9)
    if name != "linear":
        assert ((copies > 0) & (copies < 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name):
    minigrad.manual_seed(0)
    model = small(name)
    loss = model.loss(images(8, 9), minigrad.arange(8))
    sum(loss.objectives[1:], loss.total).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_names_its_parts_and_losses_gives_the_first_two(name):
    model, batch, labels = small(name).eval(), images(8, 9), minigrad.arange(8)
    minigrad.manual_seed(1)
    loss = model.loss(batch, labels)
    minigrad.manual_seed(1)
    reconstruction, kl = model.losses(batch, labels)
    assert list(loss.parts)[:2] == ["reconstruction", "kl"]
    assert float(reconstruction) == float(loss.parts["reconstruction"])
    assert float(kl) == float(loss.parts["kl"])
    assert loss.total.shape == ()
    assert all(np.isfinite(float(value)) for value in loss.parts.values())


@pytest.mark.parametrize("name", NAMES)
def test_each_objective_has_an_optimizer_and_each_parameter_is_in_one(name):
    model = small(name)
    optimizers = model.optimizers(0.1)
    held = [id(value) for one in optimizers for group in one.param_groups for value in group["params"]]
    assert len(optimizers) == len(model.loss(images(8, 9), minigrad.arange(8)).objectives)
    assert sorted(held) == sorted(id(value) for value in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_embed_gives_a_row_of_numbers_for_each_image_without_noise(name):
    model, batch = small(name).eval(), images(5, 9)
    points = model.embed(batch)
    assert points.dim() == 2
    assert len(points) == 5
    assert (points == model.embed(batch)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_samples_if_it_says_so_and_else_tells_what_to_do(name):
    model = small(name).eval()
    if model.generates:
        assert model.sample(6).shape == (6, 9)
    else:
        with pytest.raises(RuntimeError, match="fit a distribution to embed"):
            model.sample(6)


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_records_no_graph_and_changes_nothing(name):
    model = small(name).eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with minigrad.no_grad():
        loss = model.loss(images(6, 9), minigrad.arange(6))
    assert not loss.total.requires_grad
    for key, value in model.state_dict().items():
        assert (value == before[key]).all(), key


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one_image_can_be_learned(name):
    model = small(name)
    loss = model.loss(images(1, 9), minigrad.tensor([3]))
    loss.total.backward()
    assert np.isfinite(loss.total.item())


@pytest.mark.parametrize("name", ["autoencoder", "deep"])
def test_a_code_without_noise_costs_no_divergence(name):
    assert small(name).losses(images(2, 9))[1] == 0.0


def test_the_vae_draws_codes_with_the_mean_and_deviation_it_was_given():
    minigrad.manual_seed(0)
    mu, logvar = minigrad.full((20000, 2), 3.0), minigrad.full((20000, 2), float(np.log(0.25)))
    codes = VAE(9, 5, 2).draw(mu, logvar).numpy()
    assert codes.mean() == pytest.approx(3.0, abs=0.02)
    assert codes.std() == pytest.approx(0.5, abs=0.02)


def test_the_vae_draws_anew_at_every_call_but_reconstructs_without_noise():
    model, batch = VAE(9, 5, 2), images(3, 9)
    assert (model(batch)[0] != model(batch)[0]).any()
    assert (model.reconstruct(batch) == model.reconstruct(batch)).all()


def test_a_vae_may_have_more_hidden_layers_and_mirrors_them():
    weights = [shape for shape in shapes(VAE(9, (7, 5), 2)) if len(shape) == 2]
    assert weights == [(7, 9), (5, 7), (2, 5), (2, 5), (5, 2), (7, 5), (9, 7)]


@pytest.mark.parametrize("name", NAMES)
def test_the_list_has_a_line_for_every_model_that_fits_a_terminal(name):
    about = MODELS[name].about
    assert about
    assert "\n" not in about
    assert len(f"{name:16} {about}") <= 80


def test_options_are_those_of_the_class_and_of_its_bases():
    assert MODELS["beta-vae"].options() == {"beta": 2.0, "warmup": 0, "likelihood": "bernoulli", "activation": "relu"}
    assert MODELS["vq-vae"].options() == {"words": 32, "width": 4, "beta": 0.25}
    assert MODELS["deep"].options() == {}


@pytest.mark.parametrize(
    ("name", "hidden", "options", "advice"),
    [
        ("autoencoder", (5,), {}, "take the model deep"),
        ("vae", (), {}, "at least one hidden layer, got none"),
        ("vea", (5,), {}, "there are autoencoder, undercomplete"),
        ("vae", (5,), {"beta": 2}, "vae has no option beta; it has likelihood, activation"),
        ("deep", (5,), {"beta": 2}, "deep has no option beta; it has none"),
        ("vae", (5,), {"likelihood": "poisson"}, "unknown likelihood 'poisson'; there are bernoulli, gaussian"),
        ("vae", (5,), {"activation": "sine"}, "unknown activation 'sine'; there are relu, tanh, sigmoid"),
        ("denoising", (5,), {"noise": "rain"}, "unknown noise 'rain'; there are masking"),
        ("denoising", (5,), {"level": 1.5}, "level needs a number from 0 to 1, got 1.5"),
        ("k-sparse", (), {"k": 3}, "k needs a number from 1 to 2, got 3"),
        ("undercomplete", (), {}, "undercomplete code has less"),
        ("overcomplete", (), {}, "overcomplete code has more"),
        ("sparse-kl", (), {"target": 1.0}, "target needs a number between 0 and 1"),
        ("lifetime-sparse", (), {"rate": 0.0}, "rate needs a number above 0 and up to 1"),
        ("info-vae", (5,), {"alpha": 2.0}, "alpha needs a number up to 1, got 2"),
        ("categorical-vae", (5,), {"coldest": 0.0}, "temperature above 0"),
    ],
)
def test_build_says_what_a_model_needs(name, hidden, options, advice):
    latent = 9 if name == "undercomplete" else 2
    with pytest.raises(ValueError, match=advice):
        build(name, 9, hidden, latent, **options)
