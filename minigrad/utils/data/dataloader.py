"""The loader: goes through a data set in batches.

Each iteration draws from the generator what PyTorch's draws, in the same order, so the same seed gives the same batches
and leaves the generator in the same state.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.tensor import Tensor
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import IterableDataset, Subset, TensorDataset
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

T = TypeVar("T", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T]):
    """Batches of ``batch_size`` examples, in order, shuffled, or as a ``sampler`` or ``batch_sampler`` says.

    ``collate_fn`` makes a batch of a list of examples (default: ``default_collate``). With ``batch_size=None`` each example
    comes alone. Batches of a ``TensorDataset`` (or a ``Subset`` of one) are cut from its tensors in one go.

    Raises: ValueError for options that exclude each other; NotImplementedError for ``num_workers`` other than 0.
    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
    """

    _complete = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        if pin_memory or pin_memory_device:
            raise NotImplementedError(
                "pin_memory: there is no other device to copy batches to, minigrad computes on the CPU; leave it out"
            )
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            unwanted = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for name, value in unwanted.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._iterable:
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.generator, self.collate_fn = dataset, generator, collate_fn
        self.batch_size, self.drop_last, self.sampler, self.batch_sampler = (
            batch_size,
            drop_last,
            sampler,
            batch_sampler,
        )
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.prefetch_factor, self.persistent_workers, self.in_order = prefetch_factor, persistent_workers, in_order
        self.multiprocessing_context = multiprocessing_context
        self._announced: int | None = None
        self._complete = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._complete and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized: make a new loader"
            )
        super().__setattr__(name, value)

    @property
    def _order(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._order)
        count = self._announced = len(self.dataset)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        return _Batches(self)


class _Batches:
    """One iteration of a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._order = iter(loader._order)
        draw_seed(loader.generator)  # PyTorch draws a seed for worker processes here, also if there are none
        self._source = iter(loader.dataset) if loader._iterable else None
        self._given = 0

    def __iter__(self) -> _Batches:
        return self

    def __len__(self) -> int:
        return len(self._loader._order)

    def __next__(self) -> Any:
        index = next(self._order)
        loader = self._loader
        if self._source is not None:
            batch = loader.collate_fn(self._read(self._source, index))
            self._count()
            return batch
        if loader.batch_sampler is None:
            return loader.collate_fn(loader.dataset[index])
        if loader.collate_fn is default_collate:
            tensors = gather(loader.dataset, index)
            if tensors is not None:
                return tensors
        fetch = getattr(loader.dataset, "__getitems__", None)
        return loader.collate_fn(fetch(index) if callable(fetch) else [loader.dataset[i] for i in index])

    def _read(self, source: Iterator[Any], index: Any) -> Any:
        loader = self._loader
        if loader.batch_sampler is None:
            return next(source)
        examples = [example for _, example in zip(index, source, strict=False)]
        if not examples or (loader.drop_last and len(examples) < len(index)):
            raise StopIteration
        return examples

    def _count(self) -> None:
        self._given += 1
        announced = self._loader._announced
        if announced is not None and self._given > announced:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {announced} (when accessing "
                f"len(dataloader)), but {self._given} samples have been fetched.",
                stacklevel=3,
            )


def gather(dataset: Any, index: list[int]) -> list[Tensor] | None:
    """The batch at ``index`` of a plain ``TensorDataset``, or of subsets of one, by one indexing of each tensor.

    The same as collating the examples one by one. None for other data sets and indices, and for tensors with a history.
    """
    while type(dataset) is Subset:
        indices = dataset.indices
        index, dataset = [indices[i] for i in index], dataset.dataset
    if type(dataset) is not TensorDataset or any(t.requires_grad for t in dataset.tensors):
        return None
    try:
        where = np.array(index)
    except ValueError:
        return None
    if where.ndim != 1 or where.dtype.kind != "i":
        return None
    return [Tensor.wrap(t.array.take(where, axis=0)) for t in dataset.tensors]


class _Endless(Sampler[None]):
    """For an iterable data set, which is asked for the next example without an index."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def get_worker_info() -> None:
    """Information on the worker process: always None, since examples are loaded in the main process."""
    return None


def _check_workers(num_workers: int, timeout: float, prefetch: int | None, persistent: bool, context: Any) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers > 0:
        raise NotImplementedError(
            f"num_workers={num_workers}: minigrad loads examples in the main process, use num_workers=0 (a TensorDataset "
            "needs no workers: its batches are cut in one go)"
        )
    if timeout > 0:
        raise NotImplementedError("timeout: there are no worker processes to wait for, leave it out")
    if prefetch is not None:
        raise ValueError("prefetch_factor option could only be specified in multiprocessing: leave it out")
    if persistent:
        raise ValueError("persistent_workers option needs num_workers > 0: leave it out")
    if context is not None:
        raise ValueError("multiprocessing_context can only be used with multi-process loading: leave it out")
