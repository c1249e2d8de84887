"""How much of the class a code gives away: to a linear classifier, and to its nearest neighbours.

Neither learns features of its own. What they find is in the code, and for the first in a form that a plane can cut.
"""

from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def linear_probe(
    codes: np.ndarray,
    labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    penalty: float = 1e-4,
) -> float:
    """Return the share of test codes that softmax regression on the codes, each column standardized, gives their label.

    Codes `(N, latent)`, labels `(N,)`; see `fit_softmax`. Source: Alain and Bengio 2016, "Understanding Intermediate
    Layers Using Linear Classifier Probes".
    """
    codes, test_codes = codes.astype(np.float64), test_codes.astype(np.float64)
    centre, scale = codes.mean(0), codes.std(0)
    scale[scale == 0] = 1  # a constant says nothing, whatever its scale
    classes, targets = np.unique(labels, return_inverse=True)
    weight, bias = fit_softmax((codes - centre) / scale, targets, len(classes), penalty)
    guesses = classes[((test_codes - centre) / scale @ weight + bias).argmax(1)]
    return float((guesses == test_labels).mean())


def fit_softmax(x: np.ndarray, y: np.ndarray, classes: int, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights `(features, classes)` and bias `(classes,)` of softmax regression at its minimum.

    Minimizes `-mean_n log softmax(x_n W + b)[y_n] + penalty / 2 * |W|^2`, in nats, which is convex; the bias is free.
    x is `(N, features)`, y `(N,)` of 0 ... classes - 1. Source: Bishop 2006, "Pattern Recognition and Machine
    Learning", equations 4.104 to 4.109.
    """
    ones = np.eye(classes)[y]
    shape = (x.shape[1] + 1, classes)

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = flat.reshape(shape)
        logits = x @ parameters[:-1] + parameters[-1]
        logits -= logits.max(1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        slope = (np.exp(log_p) - ones) / len(x)
        gradient = np.vstack((x.T @ slope + penalty * parameters[:-1], slope.sum(0)))
        value = -(ones * log_p).sum() / len(x) + penalty / 2 * np.square(parameters[:-1]).sum()
        return float(value), gradient.ravel()

    found = minimize(cost, np.zeros(shape[0] * shape[1])).reshape(shape)
    return found[:-1], found[-1]


def minimize(
    function: Function, start: np.ndarray, steps: int = 500, tolerance: float = 1e-6, memory: int = 10
) -> np.ndarray:
    """Return where a smooth convex function has its minimum, by L-BFGS with a backtracking line search.

    `function(x)` returns value and gradient `(n,)`. It ends when no gradient's number exceeds `tolerance`, or after
    `steps`. Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4, 7.5 and 3.1.
    """
    x, pairs = start, []  # type: np.ndarray, list[tuple[np.ndarray, np.ndarray]]
    value, gradient = function(x)
    for _ in range(steps):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_inverse_hessian_times(gradient, pairs)
        slope, length = gradient @ direction, 1.0
        if not pairs:
            length = min(1.0, 1.0 / np.abs(gradient).sum())
        while True:
            new = x + length * direction
            new_value, new_gradient = function(new)
            if new_value <= value + 1e-4 * length * slope or length < 1e-12:
                break
            length /= 2
        move, change = new - x, new_gradient - gradient
        if move @ change > 1e-12 * (change @ change):  # else the curvature is lost in rounding
            pairs = [*pairs[1 - memory :], (move, change)]
        if not new_value < value and length < 1e-12:
            break  # nothing below within rounding
        x, value, gradient = new, new_value, new_gradient
    return x


def _inverse_hessian_times(gradient: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the quasi-Newton estimate of H^-1 g from the last moves and the changes of gradient they made."""
    result, weights = gradient.copy(), []
    for move, change in reversed(pairs):
        weights.append((move @ result) / (move @ change))
        result -= weights[-1] * change
    if pairs:
        move, change = pairs[-1]
        result *= (move @ change) / (change @ change)
    for (move, change), weight in zip(pairs, reversed(weights), strict=True):
        result += (weight - (change @ result) / (move @ change)) * move
    return result


def nearest_neighbours(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray, k: int = 5
) -> float:
    """Return the share of test codes whose k nearest codes, by Euclidean distance, vote for their label.

    Codes `(N, latent)`, labels `(N,)`; of labels with as many votes the smallest wins. With fewer than k codes all vote.
    Source: Cover and Hart 1967, "Nearest Neighbor Pattern Classification".
    """
    codes, test_codes = codes.astype(np.float64), test_codes.astype(np.float64)
    classes, targets = np.unique(labels, return_inverse=True)
    k, squares, right = min(k, len(codes)), np.square(codes).sum(1), 0
    for start in range(0, len(test_codes), 200):  # 200 x N distances at a time
        block = test_codes[start : start + 200]
        distances = squares - 2 * block @ codes.T  # less |block|^2, the same for all
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        votes = np.eye(len(classes), dtype=np.int64)[targets[nearest]].sum(1)
        right += int((classes[votes.argmax(1)] == test_labels[start : start + 200]).sum())
    return right / len(test_codes)
