"""How the examples of a batch become tensors: ``default_collate`` stacks them, ``default_convert`` takes each alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.creation import as_tensor, tensor
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of a list of examples.

    Tensors and arrays are stacked along a new first dimension, numbers become a tensor (floats float64), strings stay a
    list; mappings, named tuples and sequences are collated entry by entry (a tuple's entries come as a list).

    Raises: TypeError for examples of another type; RuntimeError for sequences of different lengths.
    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch, 0)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise _unknown(first.dtype)
        return default_collate([as_tensor(example) for example in batch])
    if isinstance(first, float) and not isinstance(first, np.generic):
        return tensor(batch, dtype=dtypes.float64)
    if isinstance(first, np.generic) and first.dtype.kind in "biuf":
        return as_tensor(np.array(batch))
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt(first, {key: default_collate([example[key] for example in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(entries) for entries in zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        if any(len(example) != len(first) for example in batch):
            raise RuntimeError(
                f"each element in list of batch should be of equal size, got lengths {[len(e) for e in batch]}"
            )
        return _rebuilt(first, [default_collate(entries) for entries in zip(*batch, strict=True)])
    raise _unknown(type(first))


def default_convert(data: Any) -> Any:
    """The same example with its arrays as tensors; everything else stays as it is.

    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_convert
    """
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(entry) for entry in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuilt(data, [default_convert(entry) for entry in data])
    return data


def _rebuilt(example: Any, entries: Any) -> Any:
    """``entries`` (a dict or a list) in the type of ``example`` if it can be made so; a tuple becomes a list."""
    try:
        if isinstance(example, MutableMapping):
            found: Any = copy.copy(example)
            found.update(entries)
            return found
        if isinstance(example, MutableSequence):
            found = copy.copy(example)
            for i, entry in enumerate(entries):
                found[i] = entry
            return found
        make: Callable[[Any], Any] = list if isinstance(example, tuple) else type(example)
        return make(entries)
    except TypeError:
        return entries


def _unknown(kind: Any) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}: give the loader a "
        f"collate_fn that makes tensors of them"
    )
