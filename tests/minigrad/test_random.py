"""Random tensors beside PyTorch's: fills of memory of any layout, the default stream and its state."""

import numpy as np
import pytest
import torch

import minigrad

LAYOUTS = {
    "contiguous": lambda m: m.zeros(5, 7),
    "transposed": lambda m: m.zeros(5, 7).t(),
    "every second column": lambda m: m.zeros(5, 8)[:, ::2],
    "the left half": lambda m: m.zeros(5, 40)[:, :20],
    "permuted and sliced": lambda m: m.zeros(6, 5, 8)[:, :, ::2].permute(2, 0, 1),
    "few and transposed": lambda m: m.zeros(2, 3).t(),
}
FILLS = {
    "uniform_": lambda x: x.uniform_(-1, 2),
    "normal_": lambda x: x.normal_(1, 2),
    "exponential_": lambda x: x.exponential_(),
    "bernoulli_": lambda x: x.bernoulli_(0.3),
    "random_": lambda x: x.random_(0, 100),
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("fill", list(FILLS))
def test_a_fill_draws_in_the_order_of_memory(fill, layout):
    found = []
    for m in (minigrad, torch):
        m.manual_seed(3)
        x = LAYOUTS[layout](m)
        FILLS[fill](x)
        found += [x.numpy(), m.rand(3).numpy()]  # the stream stands where PyTorch's does, too
    np.testing.assert_allclose(found[0], found[2], 1e-6, 1e-6)
    np.testing.assert_array_equal(found[1], found[3])


def test_the_default_generator_is_the_stream_of_all_functions():
    stream = minigrad.manual_seed(1)
    assert stream is minigrad.default_generator
    assert isinstance(stream, minigrad.Generator)
    state = stream.get_state()
    assert isinstance(state, minigrad.Tensor)
    drawn = minigrad.rand(3)
    stream.set_state(state)
    np.testing.assert_array_equal(minigrad.rand(3, generator=minigrad.default_generator).numpy(), drawn.numpy())
    assert minigrad.equal(minigrad.get_rng_state(), stream.get_state())


def test_states_are_exchanged_with_pytorch():
    torch.manual_seed(5)
    torch.randn(3)
    minigrad.set_rng_state(minigrad.from_numpy(torch.get_rng_state().numpy()))
    np.testing.assert_array_equal(minigrad.rand(4).numpy(), torch.rand(4).numpy())
