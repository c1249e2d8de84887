"""Does each number of the code speak of one thing? Asked with pictures whose factors are known: `ae.data.glyph_factors`."""

import numpy as np


def mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Return `I(X; Y) = sum p(x, y) log(p(x, y) / (p(x) p(y)))` of two columns of whole numbers `(N,)`, in nats."""
    _, first = np.unique(x, return_inverse=True)
    _, second = np.unique(y, return_inverse=True)
    joint = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(joint, (first, second), 1 / len(x))
    alone = joint.sum(1, keepdims=True) * joint.sum(0)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())


def discretize(codes: np.ndarray, bins: int = 20) -> np.ndarray:
    """Return in which of `bins` equal intervals, from its column's least to its largest number, each number lies."""
    low, high = codes.min(0), codes.max(0)
    width = np.where(high > low, high - low, 1)
    return np.minimum((codes - low) / width * bins, bins - 1).astype(np.int64)


def mutual_information_gap(
    codes: np.ndarray, factors: dict[str, np.ndarray], bins: int = 20
) -> tuple[float, dict[str, float]]:
    """Return the mutual information gap (MIG) and its part for each factor, all from 0 to 1.

    `1/K sum_k (I(z_j1; v_k) - I(z_j2; v_k)) / H(v_k)`, j1 and j2 being the latents that tell the most and the second
    most of factor v_k: 1 if each factor is in one latent and in no other. Codes `(N, latent)` are means, and are cut
    into `bins` intervals to count; a code of one latent has no second.
    Source: Chen et al. 2018, "Isolating Sources of Disentanglement in Variational Autoencoders", equation 6; with means
    in bins as in Locatello et al. 2019, "Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations", appendix C.
    """
    columns = discretize(codes.astype(np.float64), bins).T
    gaps = {}
    for name, values in factors.items():
        told = sorted((mutual_information(column, values) for column in columns), reverse=True)
        second = told[1] if len(told) > 1 else 0.0
        gaps[name] = (told[0] - second) / mutual_information(values, values)  # I(v; v) = H(v)
    return float(np.mean(list(gaps.values()))), gaps
