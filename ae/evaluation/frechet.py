"""How far generated images, as a crowd, are from real ones: the Frechet distance of two Gaussians fitted to features.

The well-known FID takes the features of a network trained on ImageNet, which knows nothing of 8x8 digits. Here they are
the first principal components of the training images: plain, the same for all, and a distance in the pixels' own units.
"""

from collections.abc import Iterator

import numpy as np

from ae.evaluation.blocks import BLOCK

COMPONENTS = 50


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """Return the squared Frechet (2-Wasserstein) distance between two Gaussians, in squared units of the features.

    `|m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2)`, means `(d,)`, covariances `(d, d)`.
    Source: Dowson and Landau 1982, "The Frechet Distance between Multivariate Normal Distributions", equation 4.
    """
    root = _square_root(covariance)
    # The trace of a root is the sum of the roots of the eigenvalues, which rounding may push below 0.
    eigenvalues = np.linalg.eigvalsh(root @ other_covariance @ root)
    cross = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    apart = np.square(mean - other_mean).sum() + np.trace(covariance) + np.trace(other_covariance) - 2 * cross
    return float(max(apart, 0.0))


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


class PrincipalFeatures:
    """The first `components` principal components of images `(N, pixels)`, or as many as there are.

    Source: Pearson 1901, "On Lines and Planes of Closest Fit to Systems of Points in Space".
    """

    def __init__(self, images: np.ndarray, components: int = COMPONENTS) -> None:
        self.mean = images.mean(0, dtype=np.float64)
        scatter = np.zeros((images.shape[1], images.shape[1]))
        for centred in self._centred(images):
            scatter += centred.T @ centred
        _, vectors = np.linalg.eigh(scatter)  # ascending
        self.vectors = vectors[:, ::-1][:, : min(components, len(images) - 1, images.shape[1])]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the features `(N, components)` of images, in grey levels."""
        return np.concatenate([centred @ self.vectors for centred in self._centred(images)])

    def _centred(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Give images less the mean, a few at a time: all of MNIST's in float64 would take half a gigabyte."""
        for start in range(0, len(images), BLOCK):
            yield images[start : start + BLOCK] - self.mean

    def distance(self, images: np.ndarray, others: np.ndarray) -> float:
        """Return the Frechet distance between the features of two sets of images, two at least in each."""
        if min(len(images), len(others)) < 2:
            raise ValueError(f"a covariance needs two images at least, got {len(images)} and {len(others)}")
        first, second = self(images), self(others)
        return frechet_distance(
            first.mean(0),
            np.atleast_2d(np.cov(first, rowvar=False)),
            second.mean(0),
            np.atleast_2d(np.cov(second, rowvar=False)),
        )
