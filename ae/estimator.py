"""Any of the autoencoders with scikit-learn's habits: fit, transform, inverse_transform, score, in pipelines and searches.

It needs scikit-learn, the extra `sklearn`; so it is not imported by `import ae`, but by the first use of its name.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ae.config import Config
from ae.data import Splits
from ae.evaluation import decode_points, in_blocks, seeded
from ae.models import MODELS
from ae.train import Training

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_array, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("Autoencoder needs scikit-learn: pip install minigrad[sklearn]") from error

BLOCK = 500  # rows at a time


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder as a transformer: `Autoencoder(latent=8).fit(X).transform(X)`.

    X is `(samples, features)`; every feature is brought to [0, 1] by the least and the largest value seen in `fit`,
    unless `rescale` is False, as for images that are there already. `model` is one of the names of `ae list`, `options`
    its own, `hidden` the size of the layer between data and code, or of several; the rest is of training, see
    `ae.train.Config`. With a share `validation` set aside, the best epoch's model is kept. A conditional model takes the
    classes y in `fit`.

    After `fit`: `model_`, the network in float64; `losses_`, the training loss of each epoch in nats per sample (sum over
    features); `n_epochs_`; `validation_losses_`, if there is validation; `data_min_` and `data_range_`, `(features,)`.
    Source for the habits: scikit-learn's guide "Developing scikit-learn estimators".
    """

    def __init__(
        self,
        latent: int = 2,
        *,
        model: str = "deep",
        hidden: int | Sequence[int] | None = None,
        options: Mapping[str, Any] | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        lr: float = 1e-3,
        schedule: str = "constant",
        schedule_options: Mapping[str, Any] | None = None,
        clip: float | None = None,
        validation: float = 0.0,
        patience: int = 0,
        rescale: bool = True,
        random_state: Any = None,
    ) -> None:
        self.latent = latent
        self.model = model
        self.hidden = hidden
        self.options = options
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.schedule = schedule
        self.schedule_options = schedule_options
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.rescale = rescale
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "Autoencoder":
        """Train on X `(samples, features)`, two samples at least, and return the estimator.

        Raises ValueError for parameters or data that do not fit, ArithmeticError if the loss is no longer finite.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        config = self._config(X.shape[1])
        labels, config = self._labels(y, len(X), config)
        self.data_min_, self.data_range_ = self._range(X)
        rows = np.asarray(self._to_unit(X), dtype=np.float32)
        if config.model != "linear" and (rows.min() < 0 or rows.max() > 1):
            raise ValueError(f"without rescale, X needs values in [0, 1], got {rows.min():g} to {rows.max():g}")
        few = slice(0, config.batch_size)  # measured after every epoch, because the trainer measures; not reported
        splits = Splits("X", rows, labels, rows[few], labels[few], (1, X.shape[1]))
        self.losses_: list[float] = []
        self.validation_losses_: list[float] = []
        with seeded(config.seed):
            training = Training(config.build(), splits, config)
            best = training.model.state_dict()
            for metrics in training.run():
                self.losses_.append(metrics.train_loss)
                if metrics.validation_loss is not None:
                    self.validation_losses_.append(metrics.validation_loss)
                if training.improved:
                    best = {name: value.clone() for name, value in training.model.state_dict().items()}
        training.model.load_state_dict(best)
        self.model_ = training.model.double().eval()  # a row's code then does not depend on the rows beside it
        self.n_epochs_ = training.epoch
        self._n_features_out = in_blocks(self.model_.embed, self._to_unit(X[:1]).astype(np.float64)).shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes `(samples, numbers)` of X, in X's type, without noise."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return in_blocks(self.model_.embed, self._to_unit(X).astype(np.float64), size=BLOCK).astype(X.dtype)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return what codes `(samples, numbers)` are decoded to, `(samples, features)` in the units of the data.

        Raises ValueError for another number of columns, and if the model is conditional: there, decode with `model_`.
        """
        check_is_fitted(self, "model_")
        X = check_array(X, dtype=[np.float64, np.float32])
        if X.shape[1] != self._n_features_out:
            raise ValueError(f"X has {X.shape[1]} columns, but the codes of this model have {self._n_features_out}")
        if self.model == "conditional-vae":
            raise ValueError("a conditional model decodes a code given a class: use model_.decode(codes, labels)")
        images = decode_points(self.model_, X.astype(np.float64))
        return (images * self.data_range_ + self.data_min_).astype(X.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the share of the variance of X that reconstructions explain: 1 at best, 0 for the mean of X.

        `1 - sum |x_n - r(x_n)|^2 / sum |x_n - mean|^2`; for `linear` it is what PCA's `explained_variance_ratio_` adds
        up to, at most. Of a constant X it is 1 for perfect reconstructions, else 0.
        """
        check_is_fitted(self, "model_")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False).astype(np.float64)
        images = in_blocks(self.model_.reconstruct, self._to_unit(X), size=BLOCK)
        error = np.square(images * self.data_range_ + self.data_min_ - X).sum()
        spread = np.square(X - X.mean(0)).sum()
        return float(1 - error / spread) if spread else float(error == 0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.target_tags.required = self.model == "conditional-vae"
        return tags

    def _config(self, features: int) -> Config:
        """Return the configuration of training. Raises ValueError for a parameter that does not fit."""
        if self.model not in MODELS:
            raise ValueError(f"unknown model {self.model!r}; there are {', '.join(MODELS)}")
        hidden = self.hidden
        if hidden is None:
            hidden = () if MODELS[self.model].sizes == "flat" else (64,)
        sizes = hidden if isinstance(hidden, Sequence) else (hidden,)
        numbers = {name: _plain(getattr(self, name)) for name in ("latent", "epochs", "batch_size", "lr", "patience")}
        return Config(
            self.model,
            "X",
            features,
            tuple(map(_plain, sizes)),
            **numbers,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            options={name: _plain(value) for name, value in (self.options or {}).items()},
            schedule=self.schedule,
            schedule_options={name: _plain(value) for name, value in (self.schedule_options or {}).items()},
            clip=math.inf if self.clip is None else _plain(self.clip),
            validation=_plain(self.validation),
        )

    def _labels(self, y: Any, count: int, config: Config) -> tuple[np.ndarray, Config]:
        """Return whole numbers for the classes, and the configuration that knows how many; 0 where they do not matter."""
        if self.model != "conditional-vae":
            return np.zeros(count, dtype=np.int64), config
        if y is None:
            raise ValueError("conditional-vae learns samples given their classes: fit(X, y) requires y to be passed")
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        if labels.shape != (count,):
            raise ValueError(f"y needs one class for each of the {count} samples, got shape {np.shape(y)}")
        changed = {**config.options, "classes": len(self.classes_)}
        fields = {name: getattr(config, name) for name in config.__dataclass_fields__}
        return labels.astype(np.int64), Config(**(fields | {"options": changed}))

    def _range(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the least value and the range of every feature, 0 and 1 if it is not rescaled."""
        if not self.rescale:
            return np.zeros(X.shape[1]), np.ones(X.shape[1])
        low = X.min(0).astype(np.float64)
        return low, X.max(0) - low

    def _to_unit(self, X: np.ndarray) -> np.ndarray:
        return (X - self.data_min_) / np.where(self.data_range_ > 0, self.data_range_, 1.0)  # a constant becomes 0


def _plain(value: Any) -> Any:
    """Return Python's number for NumPy's, as a search over `np.arange` or `np.logspace` hands it in."""
    return value.item() if isinstance(value, np.generic) else value
