"""Data sets, collation and the loader's other ways, against PyTorch's on the same examples."""

import collections

import numpy as np
import pytest
import torch
import torch.utils.data as reference

import minigrad.utils.data as data
from minigrad.creation import arange, tensor
from minigrad.random import manual_seed
from minigrad.tensor import Tensor

Point = collections.namedtuple("Point", "x y")  # a class made as users make it


def plain(value):
    """A batch of either library as Python data that shows types and dtypes."""
    if isinstance(value, (Tensor, torch.Tensor)):
        return str(value.dtype), list(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    return value


def example(make, i):
    """One example with entries of every kind, whose tensors are made by ``make``."""
    return {
        "tensor": make([[float(i), 2.0]]),
        "array": np.full((2, 1), i, np.int32),
        "scalar": np.float32(i),
        "int": i,
        "float": i / 2,
        "bool": i % 2 == 0,
        "text": f"name {i}",
        "bytes": b"x",
        "tuple": (i, make([i])),
        "list": [i, 0.5],
        "named": Point(i, make(float(i))),
        "ordered": collections.OrderedDict(a=i),
        "default": collections.defaultdict(list, b=1.0),
    }


@pytest.mark.parametrize("key", example(tensor, 0))
def test_default_collate_follows_torch(key):
    ours = data.default_collate([example(tensor, i)[key] for i in range(3)])
    theirs = reference.default_collate([example(torch.tensor, i)[key] for i in range(3)])
    assert plain(ours) == plain(theirs)


@pytest.mark.parametrize("key", example(tensor, 0))
def test_default_convert_follows_torch(key):
    assert plain(data.default_convert(example(tensor, 1)[key])) == plain(
        reference.default_convert(example(torch.tensor, 1)[key])
    )


@pytest.mark.parametrize(
    ("batch", "error"), [([[1, 2], [3]], RuntimeError), ([object()], TypeError), ([np.array(["a"])], TypeError)]
)
def test_default_collate_refuses_what_torch_refuses(batch, error):
    with pytest.raises(error):
        reference.default_collate(batch)
    with pytest.raises(error):
        data.default_collate(batch)


class Wrapped(data.Dataset):
    """A data set that the loader can only ask item by item."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, i):
        return self.dataset[i]

    def __len__(self):
        return len(self.dataset)


def test_batches_gathered_at_once_are_those_collated_item_by_item():
    rng = np.random.default_rng(0)
    x = Tensor.wrap(rng.standard_normal((20, 2, 3)).astype(np.float32).transpose(0, 2, 1))
    sets = data.TensorDataset(x, arange(20), x[:, 0, 0] > 0)
    nested = data.Subset(data.Subset(sets, [19, 3, -1, 7, 3, 0]), [5, 4, 4, 1])
    for dataset in (sets, data.Subset(sets, tensor([4, 1, 2])), nested, data.Subset(sets, range(3))):
        manual_seed(1)
        at_once = [plain(b) for b in data.DataLoader(dataset, batch_size=3, shuffle=True)]
        manual_seed(1)
        assert at_once == [plain(b) for b in data.DataLoader(Wrapped(dataset), batch_size=3, shuffle=True)]


def test_a_gathered_batch_has_memory_of_its_own():
    x = tensor([1.0, 2.0])
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(x), batch_size=2)))
    batch.array[...] = 0
    assert x.tolist() == [1.0, 2.0]


def test_batches_of_tensors_with_a_history_pass_gradients_on():
    w = tensor([1.0, 2.0, 3.0], requires_grad=True)
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(w * 2), batch_size=2)))
    batch.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 0.0]


def test_a_subclass_with_its_own_getitem_is_asked_item_by_item():
    class Doubled(data.TensorDataset):
        def __getitem__(self, i):
            return tuple(2 * t for t in super().__getitem__(i))

    class Shifted(data.Subset):
        def __getitem__(self, i):
            return (super().__getitem__(i)[0] + 100,)

    assert next(iter(data.DataLoader(Doubled(arange(3)), batch_size=3)))[0].tolist() == [0, 2, 4]
    shifted = Shifted(data.TensorDataset(arange(3)), [2, 1])
    assert next(iter(data.DataLoader(shifted, batch_size=2)))[0].tolist() == [102, 101]


def test_getitems_is_preferred_where_a_data_set_has_it():
    class Many:
        def __getitems__(self, indices):
            return [i * 10 for i in indices]

        def __len__(self):
            return 4

    assert [b.tolist() for b in data.DataLoader(Many(), batch_size=3)] == [[0, 10, 20], [30]]
    assert [b.tolist() for b in data.DataLoader(data.Subset(Many(), [3, 1]), batch_size=3)] == [[30, 10]]


def test_without_a_batch_size_each_example_comes_alone():
    batches = list(data.DataLoader(data.TensorDataset(arange(2), arange(2)), batch_size=None))
    theirs = list(reference.DataLoader(reference.TensorDataset(torch.arange(2), torch.arange(2)), batch_size=None))
    assert [plain(b) for b in batches] == [plain(b) for b in theirs]


def test_a_sampler_or_a_batch_sampler_decides_the_order():
    assert [b.tolist() for b in data.DataLoader(range(9), batch_size=2, sampler=[4, 0, 8])] == [[4, 0], [8]]
    batches = data.DataLoader(range(9), batch_sampler=[[1, 2, 3], [0]])
    assert [b.tolist() for b in batches] == [[1, 2, 3], [0]]
    assert len(batches) == 2


def test_collate_fn_receives_the_list_of_examples():
    assert list(data.DataLoader(range(3), batch_size=2, collate_fn=tuple)) == [(0, 1), (2,)]


class Counting(data.IterableDataset):
    def __init__(self, n, announced=None):
        self.n, self.announced = n, n if announced is None else announced

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.announced


class ReferenceCounting(Counting, reference.IterableDataset):
    pass


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("n", [0, 5, 6])
def test_iterable_data_sets_are_read_in_batches(n, drop_last):
    ours = data.DataLoader(Counting(n), batch_size=3, drop_last=drop_last)
    theirs = reference.DataLoader(ReferenceCounting(n), batch_size=3, drop_last=drop_last)
    assert [plain(b) for b in ours] == [plain(b) for b in theirs]
    assert len(ours) == len(theirs)
    assert list(data.DataLoader(Counting(n), batch_size=None)) == list(range(n))


def test_an_iterable_longer_than_announced_is_reported():
    loader = data.DataLoader(Counting(3, announced=2), batch_size=None)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        list(loader)


def test_data_sets_combine():
    a, b = data.TensorDataset(arange(3)), data.TensorDataset(arange(10, 12))
    both = a + b
    assert [int(both[i][0]) for i in range(len(both))] == [0, 1, 2, 10, 11]
    assert int(both[-1][0]) == 11
    assert [int(x) for (x,) in both] == [0, 1, 2, 10, 11]
    with pytest.raises(ValueError, match="length 5"):
        both[-6]
    chain = Counting(2) + Counting(3)
    assert list(chain) == [0, 1, 0, 1, 2]
    assert len(chain) == 5
    assert data.StackDataset(range(3), "abc")[1] == (1, "b")
    assert data.StackDataset(x=range(3), y="abc")[2] == {"x": 2, "y": "c"}


REFUSED = [
    (lambda d: d.DataLoader(range(3), num_workers=-1), ValueError),
    (lambda d: d.DataLoader(range(3), timeout=-1), ValueError),
    (lambda d: d.DataLoader(range(3), prefetch_factor=2), ValueError),
    (lambda d: d.DataLoader(range(3), persistent_workers=True), ValueError),
    (lambda d: d.DataLoader(range(3), multiprocessing_context="fork"), ValueError),
    (lambda d: d.DataLoader(range(3), sampler=[0], shuffle=True), ValueError),
    (lambda d: d.DataLoader(range(3), batch_sampler=[[0]], batch_size=2), ValueError),
    (lambda d: d.DataLoader(range(3), batch_sampler=[[0]], drop_last=True), ValueError),
    (lambda d: d.DataLoader(range(3), batch_size=None, drop_last=True), ValueError),
    (lambda d: d.DataLoader(range(3), batch_size=0), ValueError),
    (lambda d: d.DataLoader([], shuffle=True), ValueError),
    (lambda d: setattr(d.DataLoader(range(3)), "batch_size", 2), ValueError),
    (lambda d: d.RandomSampler(range(3), replacement=1), TypeError),
    (lambda d: d.RandomSampler(range(3), num_samples=0), ValueError),
    (lambda d: d.BatchSampler([1], True, False), ValueError),
    (lambda d: d.BatchSampler([1], 1, 0), ValueError),
    (lambda d: d.WeightedRandomSampler([1.0], 0), ValueError),
    (lambda d: d.WeightedRandomSampler([1.0], 1, replacement=1), ValueError),
    (lambda d: d.WeightedRandomSampler([[1.0]], 1), ValueError),
    (lambda d: d.ConcatDataset([]), AssertionError),
    (lambda d: d.StackDataset(), ValueError),
    (lambda d: d.StackDataset(range(2), range(3)), ValueError),
    (lambda d: d.StackDataset(range(2), x=range(2)), ValueError),
    (lambda d: d.random_split(range(3), [1, 1]), ValueError),
    (lambda d: d.random_split(range(3), [1.5, -0.5]), ValueError),
    (lambda d: d.Dataset()[0], NotImplementedError),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_use_raises_torchs_errors(call):
    attempt, error = call
    with pytest.raises(error):
        attempt(reference)
    with pytest.raises(error):
        attempt(data)


def test_tensors_of_different_lengths_are_refused_by_their_sizes():
    with pytest.raises(AssertionError, match=r"\[2, 3\]"):
        data.TensorDataset(arange(2), arange(3))


def test_an_iterable_data_set_cannot_be_shuffled_or_sampled():
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError, match="IterableDataset"):
            data.DataLoader(Counting(2), **options)
    with pytest.raises(AssertionError, match="ChainDataset"):
        data.ConcatDataset([Counting(2)])


@pytest.mark.parametrize("options", [{"num_workers": 2}, {"pin_memory": True}, {"timeout": 3}])
def test_what_minigrad_has_not_says_what_to_do(options):
    with pytest.raises(NotImplementedError, match=r"leave|use"):
        data.DataLoader(range(3), **options)
    assert data.get_worker_info() is None


def test_a_part_of_no_examples_is_reported():
    with pytest.warns(UserWarning, match="index 1 is 0"):
        data.random_split(range(2), [0.9, 0.1])
