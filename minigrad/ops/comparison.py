"""Comparisons and tests of each element. Their results are bool, and nothing flows through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import promote
from minigrad.engine import Primitive


@Primitive
def eq(x: Any, other: Any) -> Any:
    return np.equal(*promote(x, other))


@Primitive
def ne(x: Any, other: Any) -> Any:
    return np.not_equal(*promote(x, other))


@Primitive
def lt(x: Any, other: Any) -> Any:
    return np.less(*promote(x, other))


@Primitive
def le(x: Any, other: Any) -> Any:
    return np.less_equal(*promote(x, other))


@Primitive
def gt(x: Any, other: Any) -> Any:
    return np.greater(*promote(x, other))


@Primitive
def ge(x: Any, other: Any) -> Any:
    return np.greater_equal(*promote(x, other))


@Primitive
def isnan(x: Any) -> Any:
    return np.isnan(x)


@Primitive
def isinf(x: Any) -> Any:
    return np.isinf(x)


@Primitive
def isfinite(x: Any) -> Any:
    return np.isfinite(x)


@Primitive
def logical_not(x: Any) -> Any:
    return np.logical_not(x)


@Primitive
def logical_and(x: Any, other: Any) -> Any:
    return np.logical_and(x, other)


@Primitive
def logical_or(x: Any, other: Any) -> Any:
    return np.logical_or(x, other)


@Primitive
def logical_xor(x: Any, other: Any) -> Any:
    return np.logical_xor(x, other)


def _whole(name: str, *operands: Any) -> tuple[Any, ...]:
    if np.asarray(operands[0]).dtype.kind == "f":
        raise NotImplementedError(
            f"{name} is not implemented for floating tensors: combine comparisons, as in (x > 0) & (x < 1)"
        )
    return operands


@Primitive
def bitwise_and(x: Any, other: Any) -> Any:
    return np.bitwise_and(*_whole("bitwise_and", *promote(x, other)))


@Primitive
def bitwise_or(x: Any, other: Any) -> Any:
    return np.bitwise_or(*_whole("bitwise_or", *promote(x, other)))


@Primitive
def bitwise_xor(x: Any, other: Any) -> Any:
    return np.bitwise_xor(*_whole("bitwise_xor", *promote(x, other)))


@Primitive
def bitwise_not(x: Any) -> Any:
    return np.invert(*_whole("bitwise_not", x))


@Primitive
def bitwise_left_shift(x: Any, other: Any) -> Any:
    return np.left_shift(*_whole("bitwise_left_shift", *promote(x, other)))


@Primitive
def bitwise_right_shift(x: Any, other: Any) -> Any:
    return np.right_shift(*_whole("bitwise_right_shift", *promote(x, other)))
