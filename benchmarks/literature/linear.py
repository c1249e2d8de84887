"""A linear autoencoder, trained by gradient, beside the exact principal component analysis of the same images.

Eckart and Young 1936 and Baldi and Hornik 1989: the least squared error through k numbers is that of the first k
principal components, and a linear autoencoder has no other minimum. PCA is fitted to the training images; both errors
are of the test set. The principal angles are those between the decoder's plane and PCA's.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ae.evaluation import in_blocks, squared_error
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown

TOLERANCE, ANGLE, ANGLED = 0.5, 1.0, "10"  # per cent, degrees, and the k whose angles are asked for
PLAN: Plan = {"data": "mnist", "k": [2, 10, 20, 30, 32, 50], "epochs": 45, "batch_size": 500, "lr": 1e-2}
QUICK: Plan = PLAN | {"data": "digits", "k": [2, 10], "epochs": 400, "batch_size": 100}


def names(plan: Plan) -> Sequence[str]:
    """Return a row for each size of the code."""
    return [str(k) for k in plan["k"]]


def measure(name: str, job: Job) -> Row:
    """Train with Adam, its rate falling to 0 along a cosine, and compare with PCA."""
    k, splits = int(name), job.splits
    model, _ = job.train(job.config("linear", latent=k, schedule="cosine"))
    mean, components = principal_components(splits.train_images, k)
    centred = splits.test_images - mean
    exact = squared_error(centred @ components @ components.T, centred)
    angles = principal_angles(model.decoder.weight.detach().numpy(), components)
    error = squared_error(in_blocks(model.reconstruct, splits.test_images), splits.test_images)
    return {"error": error, "pca": exact, "angle": float(angles[-1])}


def principal_components(images: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean `(pixels,)` and the first k principal components `(pixels, k)` of images, orthonormal columns."""
    x = images.astype(np.float64)
    mean = x.mean(0)
    centred = x - mean
    return mean, np.linalg.eigh(centred.T @ centred)[1][:, : -k - 1 : -1]


def principal_angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angles between the planes that two matrices' columns span, `(k,)` in degrees, the largest last.

    Small ones are taken from their sines, which rounding does not touch: with orthonormal Q1 and Q2 the singular values
    of `Q2 - Q1 Q1^T Q2`. Source: Bjorck and Golub 1973, "Numerical Methods for Computing Angles Between Linear
    Subspaces".
    """
    q1, q2 = (np.linalg.qr(one.astype(np.float64))[0] for one in (first, second))
    sines = np.linalg.svd(q2 - q1 @ (q1.T @ q2), compute_uv=False)
    return np.degrees(np.arcsin(np.clip(np.sort(sines), 0, 1)))


def table(rows: Rows) -> str:
    """Return both errors and the largest angle by the size of the code."""
    cells = [
        [name, f"{row['pca']:.3f}", f"{row['error']:.3f}", f"{_excess(row):+.3f} %", f"{row['angle']:.2f}°"]
        for name, row in rows.items()
    ]
    return markdown(["k", "PCA", "linear autoencoder", "difference", "largest angle"], cells)


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return whether the errors are PCA's, and the plane."""
    found = {f"every error within {TOLERANCE} % of PCA's": all(abs(_excess(row)) <= TOLERANCE for row in rows.values())}
    if ANGLED in rows:
        found[f"all principal angles for k = {ANGLED} below {ANGLE:g}°"] = rows[ANGLED]["angle"] < ANGLE
    return found


def _excess(row: Row) -> float:
    return 100 * (row["error"] / row["pca"] - 1)


NUMBER = Number(
    "linear", "Linear autoencoder and PCA: squared error per test image", PLAN, QUICK, names, measure, table, claims
)
