"""The estimator keeps scikit-learn's habits, all its own checks included, and what it computes is the model's."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import ae
import minigrad
from ae.data import load
from ae.models import NAMES

DIGITS = load("digits")
X, LABELS = DIGITS.train_images[:300], DIGITS.train_labels[:300]
RNG = np.random.default_rng(0)


@parametrize_with_checks([ae.Autoencoder(epochs=5), ae.Autoencoder(model="vae", epochs=5)])
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_fits_transforms_and_comes_back(name):
    latent = 130 if name == "overcomplete" else 6
    options = {"k": 3} if name == "k-sparse" else None
    estimator = ae.Autoencoder(latent, model=name, epochs=2, options=options, random_state=0)
    codes = estimator.fit(X, LABELS).transform(X)
    assert codes.shape == (300, len(estimator.get_feature_names_out()))
    assert np.isfinite(estimator.score(X))
    if name == "conditional-vae":
        with pytest.raises(ValueError, match=r"use model_\.decode\(codes, labels\)"):
            estimator.inverse_transform(codes)
    else:
        assert estimator.inverse_transform(codes).shape == X.shape


def test_the_linear_model_explains_as_much_as_pca():
    estimator = ae.Autoencoder(5, model="linear", epochs=300, lr=0.01, schedule="cosine", rescale=False)
    found = estimator.set_params(random_state=0).fit(X).score(X)
    best = PCA(5).fit(X).explained_variance_ratio_.sum()
    assert best - 0.01 < found <= best + 1e-6


def test_the_score_is_one_less_the_error_over_the_variance():
    estimator = ae.Autoencoder(4, epochs=3, random_state=0).fit(X)
    copies = estimator.inverse_transform(estimator.transform(X.astype(np.float64)))
    exact = X.astype(np.float64)
    expected = 1 - np.square(copies - exact).sum() / np.square(exact - exact.mean(0)).sum()
    assert estimator.score(X) == pytest.approx(expected, rel=1e-9)


def test_data_of_any_range_is_brought_back_to_its_units():
    shift, scale = RNG.normal(size=64) * 50, RNG.uniform(0.1, 20, 64)
    plain = ae.Autoencoder(4, epochs=3, random_state=0).fit(X)
    other = ae.Autoencoder(4, epochs=3, random_state=0).fit(X * scale + shift)
    np.testing.assert_allclose(other.transform(X * scale + shift), plain.transform(X), atol=1e-3)
    copies = other.inverse_transform(other.transform(X * scale + shift))
    np.testing.assert_allclose((copies - shift) / scale, plain.inverse_transform(plain.transform(X)), atol=1e-3)


def test_a_constant_feature_comes_back_as_it_is():
    data = X.copy()
    data[:, 3] = 7.5
    estimator = ae.Autoencoder(epochs=1, random_state=0).fit(data)
    assert (estimator.inverse_transform(estimator.transform(data))[:, 3] == 7.5).all()
    assert ae.Autoencoder(epochs=1).fit(np.full((9, 4), 2.0)).score(np.full((9, 4), 2.0)) == 1.0


def test_a_random_state_decides_the_fit_and_the_default_generator_is_left_alone():
    minigrad.manual_seed(5)
    first = ae.Autoencoder(epochs=2, random_state=1).fit(X).transform(X)
    drawn = minigrad.rand(3).tolist()
    second, other = (ae.Autoencoder(epochs=2, random_state=seed).fit(X).transform(X) for seed in (1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
    minigrad.manual_seed(5)
    assert minigrad.rand(3).tolist() == drawn


def test_it_takes_its_place_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(ae.Autoencoder(8, epochs=30, lr=3e-3, random_state=0), LogisticRegression(max_iter=2000))
    assert pipeline.fit(X, LABELS).score(X, LABELS) > 0.7
    search = GridSearchCV(ae.Autoencoder(epochs=30, lr=3e-3, random_state=0), {"latent": [1, 8]}, cv=2).fit(X)
    assert search.best_params_ == {"latent": 8}


def test_parameters_may_be_numpys_numbers_and_hidden_one_size():
    X = load("glyphs").train_images
    plain = ae.Autoencoder(3, hidden=(7,), epochs=2, batch_size=4, lr=0.01, validation=0.25, random_state=0).fit(X)
    numpys = ae.Autoencoder(
        np.int64(3), hidden=np.int64(7), epochs=np.int32(2), batch_size=np.int64(4), lr=np.float64(0.01),
        validation=np.float64(0.25), random_state=0,
    ).fit(X)  # fmt: skip
    assert np.array_equal(plain.transform(X), numpys.transform(X))
    assert ae.Autoencoder(model="iwae", options={"k": np.int64(2)}, epochs=1).fit(X).model_.k == 2


def test_with_validation_the_best_model_is_kept_and_patience_ends_the_fit():
    estimator = ae.Autoencoder(8, epochs=500, lr=0.03, validation=0.2, patience=3, random_state=0).fit(X)
    losses = estimator.validation_losses_
    assert len(losses) == len(estimator.losses_) == estimator.n_epochs_ < 500
    assert int(np.argmin(losses)) == len(losses) - 4
    shorter = clone(estimator).set_params(epochs=len(losses) - 3).fit(X)
    np.testing.assert_array_equal(estimator.transform(X), shorter.transform(X))


def test_a_conditional_model_needs_classes_of_any_name():
    names = np.array(list("abcdefghij"))[LABELS]
    estimator = ae.Autoencoder(3, model="conditional-vae", epochs=2, random_state=0).fit(X, names)
    assert list(estimator.classes_) == list("abcdefghij")
    with pytest.raises(ValueError, match="requires y"):
        clone(estimator).fit(X)


def test_a_fitted_one_survives_pickling():
    estimator = ae.Autoencoder(epochs=2, random_state=0).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).transform(X), estimator.transform(X))


@pytest.mark.parametrize(
    ("parameters", "advice"),
    [
        ({"model": "gan"}, "unknown model 'gan'; there are autoencoder"),
        ({"latent": 0}, "latent needs a whole number from 1, got 0"),
        ({"lr": -1}, "lr needs a number above 0, got -1"),
        ({"options": {"beta": 3}}, "deep has no option beta"),
        ({"schedule": "fast"}, "unknown schedule 'fast'"),
        ({"patience": 3}, "--validation"),
        ({"rescale": False}, r"without rescale, X needs values in \[0, 1\], got 0 to 3"),
    ],
)
def test_what_does_not_fit_is_said_in_fit(parameters, advice):
    with pytest.raises(ValueError, match=advice):
        ae.Autoencoder(epochs=1, **parameters).fit(3 * X)


def test_codes_of_another_width_are_refused():
    with pytest.raises(ValueError, match="X has 5 columns, but the codes of this model have 2"):
        ae.Autoencoder(epochs=1).fit(X).inverse_transform(np.zeros((1, 5)))


def test_without_scikit_learn_ae_works_and_the_estimator_names_its_extra():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import ae; print(ae.zero().shape)\n"
        "try: ae.Autoencoder\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.splitlines() == [
        "(5, 5)",
        "Autoencoder needs scikit-learn: pip install minigrad[sklearn]",
    ]


def test_importing_ae_does_not_import_scikit_learn():
    code = "import ae, sys; print([name for name in ('sklearn', 'matplotlib', 'jinja2') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
