"""A row of the table of operations: how to call one, on what, and to which order its derivatives are compared.

``call(m, *inputs, **options)`` runs on PyTorch and on minigrad alike, ``m`` being the library; where minigrad's operation
is internal to a layer above, ``torch`` says what PyTorch calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, anything, each, together


class Row(NamedTuple):
    name: str
    call: Callable[..., Any]
    cases: st.SearchStrategy[Case]
    domain: Callable[[np.ndarray], np.ndarray] = anything
    torch: Callable[..., Any] | None = None
    order: int = 2  # of the highest derivative compared; 0 for results without a gradient
    kinks: int = 2  # the order compared at kinks and ties
    special: int = 1  # the order compared at nan, inf and saturation; -1 for not at all
    dtypes: str = "fib"  # floats, integers, bools (d: floats but half precision): what the type test tries
    mixed: bool = True  # whether it mixes types
    exact: float = 1.0  # factor on the tolerances


BOOLS = st.booleans()


def method(name: str) -> Callable[..., Any]:
    return lambda m, x, *args, **options: getattr(x, name)(*args, **options)


def function(name: str) -> Callable[..., Any]:
    return lambda m, *args, **options: getattr(m, name)(*args, **options)


def unary(name: str, domain: Any = anything, **more: Any) -> Row:
    return Row(name, function(name), each(), domain, **more)


def binary(name: str, domain: Any = anything, **more: Any) -> Row:
    return Row(name, function(name), together(), domain, **more)


def layer(name: str, call: Any, torch: Any, kinks: int = 2, **options: Any) -> Row:
    return Row(
        name,
        lambda m, x, **o: call(x, **o),
        each(**options),
        torch=lambda m, x, **o: torch(x, **o),
        kinks=kinks,
        dtypes="f",
    )
