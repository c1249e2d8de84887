"""The tensor and its creation, side by side with PyTorch's."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg

BOTH = pytest.mark.parametrize("module", [mg, torch])


def described(t):
    """All that can be seen of a tensor."""
    return repr(t), str(t.dtype), tuple(t.shape), t.requires_grad, t.is_leaf


CREATIONS = [
    lambda m: m.tensor([1, 2, 3]),
    lambda m: m.tensor([1.0, 2, 3]),
    lambda m: m.tensor(True),
    lambda m: m.tensor([[1.5], [2.5]], dtype=m.float64, requires_grad=True),
    lambda m: m.tensor([]),
    lambda m: m.tensor(np.arange(3, dtype=np.int16)),
    lambda m: m.tensor(np.float64(2.5)),
    lambda m: m.tensor([m.tensor(1), m.tensor(2)]),
    lambda m: m.tensor([1.7, -1.7], dtype=m.int64),
    lambda m: m.as_tensor(np.eye(2)),
    lambda m: m.as_tensor([1, 2], dtype=m.float16),
    lambda m: m.from_numpy(np.arange(4.0)),
    lambda m: m.zeros(2, 3),
    lambda m: m.zeros((2, 0)),
    lambda m: m.zeros([], dtype=m.int32),
    lambda m: m.ones(2, dtype=m.bool),
    lambda m: m.full((2, 2), 7),
    lambda m: m.full((2,), 1.5),
    lambda m: m.full((2,), True),
    lambda m: m.eye(2, 3),
    lambda m: m.arange(5),
    lambda m: m.arange(1, 10, 3),
    lambda m: m.arange(0.0, 1.0, 0.25),
    lambda m: m.arange(5, 0, -2),
    lambda m: m.arange(3, dtype=m.float32),
    lambda m: m.linspace(-1, 1, 7),
    lambda m: m.linspace(0, 1, 1),
    lambda m: m.linspace(3, -2, 11, dtype=m.float64),
    lambda m: m.zeros_like(m.ones(2, dtype=m.float64)),
    lambda m: m.ones_like(m.zeros(2), dtype=m.int64),
    lambda m: m.full_like(m.zeros(2), 3),
    lambda m: m.tensor([1.0]).new_zeros(2, 2),
    lambda m: m.tensor([1]).new_ones((2,)),
    lambda m: m.tensor([1]).new_full((2,), 4),
    lambda m: m.tensor([1.0]).new_tensor([1, 2]),
    lambda m: m.zeros(2, device="cpu"),
]


@pytest.mark.parametrize("create", CREATIONS)
def test_creation_looks_the_same(create):
    assert described(create(mg)) == described(create(torch))


CONVERSIONS = [
    lambda m, t: t.float(),
    lambda m, t: t.double(),
    lambda m, t: t.half(),
    lambda m, t: t.long(),
    lambda m, t: t.int(),
    lambda m, t: t.bool(),
    lambda m, t: t.to(m.float64),
    lambda m, t: t.to("cpu"),
    lambda m, t: t.to(m.zeros(1, dtype=m.float16)),
    lambda m, t: t.to("cpu", m.float64),
    lambda m, t: t.to(dtype=m.int32),
    lambda m, t: t.type(m.float64),
    lambda m, t: t.type_as(m.zeros(1, dtype=m.int64)),
    lambda m, t: t.clone(),
    lambda m, t: t.detach(),
    lambda m, t: t.T,
    lambda m, t: t.mT,
    lambda m, t: t.contiguous(),
    lambda m, t: t.view_as(m.zeros(3, 2)),
    lambda m, t: t.expand_as(m.zeros(4, 2, 3)),
]


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_conversion_looks_the_same(convert):
    data = [[0.0, 1.5, -2.5], [3.0, 0.25, 7.0]]
    ours, theirs = convert(mg, mg.tensor(data)), convert(torch, torch.tensor(data))
    assert described(ours) == described(theirs)


def test_to_the_same_type_is_the_same_tensor():
    for m in (mg, torch):
        t = m.ones(2)
        assert t.to(m.float32) is t
        assert t.cpu() is t
        assert t.contiguous() is t


@BOTH
def test_a_conversion_is_differentiated_through(module):
    x = module.ones(2, requires_grad=True)
    (x.double() * 2).sum().backward()
    assert str(x.grad.dtype) == "torch.float32"
    assert x.grad.tolist() == [2.0, 2.0]


@BOTH
def test_numpy_and_from_numpy_share_memory(module):
    a = np.zeros(3)
    t = module.from_numpy(a)
    a[0] = 1
    t[1] = 2
    assert t.tolist() == [1.0, 2.0, 0.0]
    assert np.shares_memory(t.numpy(), a)
    c = module.tensor(a)
    c[2] = 5
    assert a[2] == 0


@BOTH
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["deepcopy", "pickle"]
)
def test_a_copy_keeps_values_type_and_flag_but_not_memory(module, duplicate):
    t = module.tensor([[1.0, 2.0]], dtype=module.float64, requires_grad=True)
    t.sum().backward()
    found = duplicate(t)
    assert described(found) == described(t)
    with module.no_grad():
        found.zero_()
    assert t.tolist() == [[1.0, 2.0]]


def test_deepcopy_copies_the_gradient_and_keeps_shared_tensors_shared():
    for m in (mg, torch):
        t = m.ones(2, requires_grad=True)
        t.sum().backward()
        first, second = copy.deepcopy([t, t])
        assert first is second
        assert first.grad.tolist() == [1.0, 1.0]
        assert first.grad is not t.grad


@BOTH
def test_protocols_of_python(module):
    t = module.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in t] == [[1.0, 2.0], [3.0, 4.0]]
    _, b = t
    assert b.tolist() == [3.0, 4.0]
    assert len(t) == 2
    assert 3.0 in t
    assert 5.0 not in t
    assert float(t[0, 1]) == 2.0
    assert int(t[1, 0]) == 3
    assert [10, 20, 30][module.tensor(1)] == 20
    assert f"{t[1, 1]:.2f}" == "4.00"
    assert {t: 1}[t] == 1
    assert bool(module.tensor([[1]]))
    assert t.size() == (2, 2)
    assert t.size(-1) == 2
    assert repr(t.shape) == "torch.Size([2, 2])"
    assert repr(t.shape[:1]) == "torch.Size([2])"
    assert t.shape.numel() == t.numel() == 4
    assert t.stride() == (2, 1)
    assert t.T.stride() == (1, 2)


@BOTH
def test_a_subclass_shows_its_name(module):
    class Named(module.Tensor):
        pass

    assert repr(Named([1.0])) == "Named([1.])"


@BOTH
def test_the_default_type_can_be_changed(module):
    module.set_default_dtype(module.float64)
    try:
        assert module.tensor(1.5).dtype == module.zeros(1).dtype == module.float64
        assert repr(module.tensor(1.5)) == "tensor(1.5000)"
        assert (module.tensor([1, 2]) / 2).dtype == module.float64
    finally:
        module.set_default_dtype(module.float32)
    with pytest.raises(TypeError, match="floating"):
        module.set_default_dtype(module.int64)


@BOTH
def test_types_know_themselves(module):
    assert module.float32 is module.float
    assert module.float64.is_floating_point
    assert not module.int64.is_floating_point
    assert module.float16.itemsize == 2
    assert pickle.loads(pickle.dumps(module.int32)) is module.int32
    assert module.promote_types(module.int64, module.float16) is module.float16
    assert module.finfo(module.float32).eps == 2**-23
    assert module.iinfo(module.uint8).max == 255


def test_numpy_takes_a_type():
    assert np.zeros(2, dtype=mg.float64.dtype).dtype == np.float64


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, min_side=0, max_side=4), elements=st.floats(-5, 5)))
def test_lists_make_the_round_trip(a):
    ours, theirs = mg.tensor(a.tolist()), torch.tensor(a.tolist())
    assert ours.tolist() == theirs.tolist()
    assert ours.shape == tuple(theirs.shape)
    assert ours.dtype is mg.float32


@BOTH
def test_seeds_give_the_same_numbers(module):
    module.manual_seed(7)
    state = module.get_rng_state()
    first = [
        module.rand(3),
        module.randn(20),
        module.randperm(9),
        module.randint(5, (4,)),
        module.normal(1.0, 2.0, (3,)),
    ]
    module.set_rng_state(state)
    again = [
        module.rand(3),
        module.randn(20),
        module.randperm(9),
        module.randint(5, (4,)),
        module.normal(1.0, 2.0, (3,)),
    ]
    assert [repr(t) for t in first] == [repr(t) for t in again]
    torch.manual_seed(7)
    expected = [torch.rand(3), torch.randn(20), torch.randperm(9), torch.randint(5, (4,)), torch.normal(1.0, 2.0, (3,))]
    assert [repr(t) for t in first] == [repr(t) for t in expected]


@BOTH
def test_a_generator_of_its_own_leaves_the_default_stream_alone(module):
    module.manual_seed(0)
    expected = module.rand(2).tolist()
    module.manual_seed(0)
    own = module.Generator().manual_seed(5)
    drawn = module.rand(2, generator=own)
    assert module.rand(2).tolist() == expected
    assert drawn.tolist() == module.rand(2, generator=module.Generator().manual_seed(5)).tolist()


@pytest.mark.parametrize("name", ["bfloat16", "complex64", "jit", "sparse", "autocast"])
def test_what_is_out_of_scope_says_what_there_is(name):
    with pytest.raises(AttributeError, match=f"minigrad has no '{name}': "):
        getattr(mg, name)


def test_a_program_that_asks_for_a_gpu_stays_on_the_cpu() -> None:
    device = mg.device("cuda" if mg.cuda.is_available() else "cpu")
    assert str(device) == "cpu"
    mg.cuda.manual_seed_all(0)
    mg.backends.cudnn.deterministic = True
    with pytest.raises(AttributeError, match="is_available"):
        mg.cuda.Stream()
