"""Slopes without a rule: how a function changes along a line, how sure that is, and whether there is a kink.

Central differences at h, h/2 and h/4 are extrapolated to h = 0 (Richardson): the error falls like h^6, so that a large h
does, and a large h keeps rounding small. Where the difference between the slopes to the left and to the right does not
shrink with h, there is a kink or a jump within h: the step is made smaller until the point lies beside it, and its slope is
then taken from the side that has no kink.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Line = Callable[[float], np.ndarray]  # the outputs, flattened, at a place on a line

SMOOTH, KINK, JUMP, UNKNOWN = 0, 1, 2, 3
EPS = float(np.finfo(np.float64).eps)
GOAL = 1e-9  # the relative error at which no smaller step is tried
SMALLEST = 1e-12  # relative to the point: what is nearer to a kink counts as on it


class Slopes(NamedTuple):
    """Per output: the slope, its estimated error, what the point is, and the slopes to either side of a kink."""

    value: np.ndarray
    error: np.ndarray
    kind: np.ndarray
    left: np.ndarray
    right: np.ndarray


@np.errstate(all="ignore")
def slopes(line: Line, at: float, y: np.ndarray, noise: np.ndarray, h: float) -> Slopes:
    """The slopes at ``at`` of outputs that are ``y`` there, each known to ``noise``; ``h`` is the first step."""
    unknown, none = np.full(y.shape, np.nan), np.zeros(y.shape, int)
    best = Slopes(unknown, np.full(y.shape, np.inf), none, unknown, unknown)
    bent = np.zeros(y.shape, bool)
    steps = [h, h / 4, h / 16, h / 64, h / 1024]
    if at and abs(at) < h * 100:
        steps.append(abs(at) / 100)  # a point so near to 0 that the function may change within h
    for step in steps:
        value, error, bend = _central(line, at, y, noise, step)
        better = error < best.error
        best = best._replace(value=np.where(better, value, best.value), error=np.where(better, error, best.error))
        bent = bend if step == h else bent & (bend | ~np.isfinite(value))
        scale = np.maximum(np.abs(best.value), _scale(best.value))
        limited = 8 * noise / step > error / 2  # rounding rules: a smaller step would be worse
        if np.all(((best.error <= GOAL * scale) | limited) & ~bend):
            doubt = _doubt(line, at, noise, step / 1000, best)
            if not doubt.any():
                break
            best = best._replace(error=np.where(doubt, np.inf, best.error))  # agreement by chance, as between stairs
    else:
        doubt = _doubt(line, at, noise, step / 1000, best)
    if np.any((best.error > 1e-6 * scale) & (noise > 1e-11 * np.abs(y))):
        for step in (8 * h, 64 * h):  # low precision: rounding asks for larger steps
            value, error, bend = _central(line, at, y, noise, step)
            better = (error < best.error) & ~bend & (np.abs(value - best.value) <= 3 * best.error)
            best = best._replace(value=np.where(better, value, best.value), error=np.where(better, error, best.error))
    lost = bent | ~np.isfinite(best.value) | (best.error > 1e-4 * np.maximum(scale, np.abs(y).max(initial=0.0)))
    if lost.any():
        best = _beside(line, at, y, noise, h, best, lost)
    if doubt.any():  # no step tells what a smaller one does
        stairs = _doubt(line, at, noise, step / 1000, best) & (best.kind == SMOOTH)
        best = best._replace(kind=np.where(stairs, JUMP, best.kind))
    return best


def _doubt(line: Line, at: float, noise: np.ndarray, h: float, best: Slopes) -> np.ndarray:
    """Where a much smaller step tells another slope."""
    above, below = at + h, at - h
    slope = (line(above) - line(below)) / (above - below)
    slack = 20 * best.error + 20 * noise / h + 1e-5 * np.abs(best.value)
    return ~(np.abs(slope - best.value) <= slack) & np.isfinite(best.value)


def _scale(value: np.ndarray) -> float:
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max(initial=0.0)) * 1e-3


def _central(
    line: Line, at: float, y: np.ndarray, noise: np.ndarray, h: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three central differences extrapolated: slope, error, and whether the gap between the two sides persists."""
    d, gaps = [], []
    for step in (h, h / 2, h / 4):
        above, below = at + step, at - step
        up, down = line(above), line(below)
        d.append((up - down) / (above - below))
        gaps.append(np.abs((up - y) / (above - at) - (y - down) / (at - below)))
    first, second = (4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3
    value = (16 * second - first) / 15
    rounding = 8 * noise / h
    # the last term covers a slope that itself has a kink: there the error falls only like h
    error = np.maximum(np.abs(value - second), np.abs(second - first) / 3) + rounding
    floor = 6 * noise / (h / 4) + 1e-7 * np.abs(value)
    bend = (gaps[2] > 0.35 * gaps[0] + floor) | (gaps[2] > 0.7 * gaps[1] + floor)
    bend |= (np.abs(d[2]) > 2 * np.abs(d[0]) + floor) | ~np.isfinite(value)  # growing like 1 / h: a jump
    error = np.where(bend, np.maximum(error, gaps[2]), error)
    error[~np.isfinite(value)] = np.inf
    return value, error, bend


def _side(line: Line, at: float, y: np.ndarray, noise: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """The slope to one side (h < 0: to the left), extrapolated from four differences, and its error."""
    d = []
    for step in (h, h / 2, h / 4, h / 8):
        there = at + step
        d.append((line(there) - y) / (there - at))
    r = [2 * b - a for a, b in itertools.pairwise(d)]
    s = [(4 * b - a) / 3 for a, b in itertools.pairwise(r)]
    value = (8 * s[1] - s[0]) / 7
    error = np.abs(value - s[1]) + 60 * noise / abs(h)
    error[~np.isfinite(value)] = np.inf
    return value, error


def _best_side(line: Line, at: float, y: np.ndarray, noise: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """The slope to one side with the smallest error of three steps; where no two of them agree, that is the error."""
    tried = [_side(line, at, y, noise, step) for step in (h, h / 8, h / 64)]
    value, error = tried[0]
    for finer, its in tried[1:]:
        better = its < error
        value, error = np.where(better, finer, value), np.where(better, its, error)
    spread = np.minimum(np.abs(tried[0][0] - tried[1][0]), np.abs(tried[1][0] - tried[2][0]))
    return value, np.maximum(error, np.where(np.isfinite(spread), spread, 0.0))


def _beside(
    line: Line, at: float, y: np.ndarray, noise: np.ndarray, h: float, best: Slopes, lost: np.ndarray
) -> Slopes:
    """Tell for the ``lost`` outputs whether the point is on a kink, or which side of one it is on."""
    right, right_error = _best_side(line, at, y, noise, h)
    left, left_error = _best_side(line, at, y, noise, -h)
    sure = np.isfinite(left) & np.isfinite(right)
    gap = np.where(sure, np.abs(right - left), np.inf)
    size = np.maximum(np.abs(left), np.abs(right))
    steady = np.maximum(left_error, right_error) <= 1e-2 * size + 60 * noise / h
    same = sure & steady & (gap <= 10 * (left_error + right_error) + 1e-7 * size)
    value, error, kind = best.value.copy(), best.error.copy(), best.kind.copy()
    open_ = lost & ~same
    # Smaller and smaller steps: does the gap vanish before rounding hides it?
    step, before = h, np.full(y.shape, np.nan)
    while step > SMALLEST * max(1.0, abs(at)) and open_.any():
        step /= 4
        above, below = at + step, at - step
        if above == at or below == at:
            break
        up, down = line(above), line(below)
        forward, backward = (up - y) / (above - at), (y - down) / (at - below)
        middle = (up - down) / (above - below)
        blur = 6 * noise / step
        now = np.abs(forward - backward)
        visible = blur < 0.05 * np.where(np.isfinite(gap), gap, np.abs(middle) + 1)
        stable = np.abs(middle - before) <= 0.1 * np.abs(middle) + 5 * blur
        before = middle
        gone = (
            open_
            & visible
            & stable
            & np.isfinite(middle)
            & (now < 0.1 * np.where(np.isfinite(gap), gap, np.inf) + blur)
        )
        if gone.any():
            by_right = np.abs(middle - right) <= np.abs(middle - left)
            by_right = np.where(np.isfinite(left), by_right & np.isfinite(right), True)
            near, its = np.where(by_right, right, left), np.where(by_right, right_error, left_error)
            tight = np.abs(middle - near) <= 10 * its + blur + 1e-3 * np.abs(near)
            found = np.where(tight, near, middle)
            value = np.where(gone, found, value)
            error = np.where(gone, np.where(tight, its, np.maximum(blur, 1e-2 * np.abs(middle))), error)
            kind = np.where(gone, SMOOTH, kind)
            open_ &= ~gone
    steep = ~sure | (size > 1e3 * (1 + np.abs(best.value))) | (np.maximum(left_error, right_error) > 1e-2 * (1 + size))
    kind = np.where(open_, np.where(steep, JUMP, KINK), kind)
    still = lost & same & (best.error > left_error + right_error)
    value = np.where(still, (left + right) / 2, value)
    error = np.where(still, np.maximum(left_error, right_error) + gap, error)
    return Slopes(value, error, kind, np.where(open_, left, best.left), np.where(open_, right, best.right))


# Nine irregular places, so that the steps of float32 are not met in step, and what a parabola through them leaves over
_PLACES = np.array([-0.91, -0.58, -0.37, -0.11, 0.13, 0.31, 0.62, 0.79, 0.98]) * 4
_POWERS = np.vander(_PLACES, 3)
_REST = np.eye(len(_PLACES)) - _POWERS @ np.linalg.pinv(_POWERS)


@np.errstate(all="ignore")
def noise_of(lines: list[Line], spacing: float) -> np.ndarray:
    """How much rounding moves each output: how far nine near values are from a parabola, as a standard deviation.

    A smooth function is a parabola there up to ``spacing``^3. Of three lines the median counts, so that neither a kink on one
    of them nor values that happen not to change does harm. For float32 inside a function it finds the noise of float32.
    """
    found = []
    for line in lines:
        points = np.stack([line(k * spacing) for k in _PLACES])
        rest = _REST @ (points - points[4])
        found.append(np.sqrt(np.sum(rest * rest, axis=0) / (len(_PLACES) - 3)))
    return np.nan_to_num(np.median(found, axis=0), posinf=0.0)
