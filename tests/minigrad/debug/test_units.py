"""dead_units finds, over all batches, the units whose slope is 0 or nearly so on every example."""

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn
from minigrad.debug import dead_units
from minigrad.utils.data import DataLoader, TensorDataset
from tests.minigrad.debug.healthy import ACTIVATIONS


def network(dead=(1, 4), width=8):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 2))
    with torch.no_grad():
        model[0].bias.copy_(torch.ones(width))
        for unit in dead:
            model[0].bias[unit] = -100.0
    return model


def batches(count=4, seed=0):
    return list(torch.tensor(np.random.default_rng(seed).normal(size=(count, 16, 3)).astype(np.float32)))


def test_planted_dead_units_are_named():
    found = dead_units(network(), batches())
    (site,) = found.sites
    assert (site.name, site.operation, site.units, site.dead, site.saturated) == ("1", "relu", 8, [1, 4], [])
    assert (found.dead, found.units, found.examples, found.batches) == (2, 8, 64, 4)
    text = str(found)
    assert "2 of 8 units are dead over 64 examples in 4 batches" in text
    assert "1 (relu): 2 of 8 dead, 25 %: units 1, 4." in text
    assert found


def test_a_unit_alive_in_one_batch_alone_is_not_dead():
    model = network(dead=())
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.fill_(-50.0)
    data = [torch.zeros(4, 3), torch.zeros(4, 3), torch.full((4, 3), 20.0)]
    assert dead_units(model, data[:2]).dead == 8
    assert dead_units(model, data).dead == 0


def test_the_share_of_values_with_slope_is_counted():
    model, data = network(dead=()), batches()
    active = np.mean([(model[0](x).detach().numpy() > 0).mean() for x in data])
    assert dead_units(model, data).sites[0].active == pytest.approx(active)


@pytest.mark.parametrize(("layer", "shift"), [(nn.Sigmoid, 9.0), (nn.Tanh, 5.0), (nn.Sigmoid, -9.0)])
def test_saturated_units_are_told_apart_from_dead_ones(layer, shift):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), layer())
    with torch.no_grad():
        model[0].weight.mul_(0.1)
        model[0].bias[2] = shift
    found = dead_units(model, batches())
    assert (found.dead, found.sites[0].saturated) == (0, [2])
    assert "1 of 5 saturated" in str(found)


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        h = torch.relu(self.norm(self.first(x)))
        for layer in (self.second, self.third):
            h = torch.relu(self.drop(layer(h)))
        return h


def test_activations_called_as_functions_are_named_by_line():
    found = dead_units(Functional(), batches())
    first = Functional.forward.__code__.co_firstlineno
    assert [site.origin.line - first for site in found.sites] == [1, 3, 3]
    assert [site.name.partition("test_units.py")[2] for site in found.sites] == [
        f":{first + 1}",
        f":{first + 3}",
        f":{first + 3} #2",
    ]
    assert found.batches == 4


class Shared(nn.Module):
    """One activation after two layers, and one layer run twice."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.act = nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()

    def forward(self, x):
        h = self.act(self.first(x))
        return self.act(self.first(-h)) + self.act(self.second(h))


def test_a_layer_run_twice_is_dead_only_if_it_is_so_both_times():
    model = Shared()
    with torch.no_grad():
        model.first.weight.copy_(torch.eye(3))
        model.first.bias.copy_(torch.tensor([0.0, -3.0, -100.0]))
        model.second.bias.fill_(-100.0)
    found = dead_units(model, torch.tensor([[1.0, 2.0, 3.0]]))
    # the first time round unit 0 gets 1 and unit 1 gets -1; the second time -1 and -3
    assert [(site.name, site.dead) for site in found.sites] == [("act", [1, 2]), ("act #2", [0, 1, 2])]


def test_the_model_is_left_as_it_was():
    model = Functional()
    model.drop.eval()
    before = {name: value.array.copy() for name, value in model.state_dict().items()}
    dead_units(model, batches())
    assert [m.training for m in (model, model.norm, model.drop)] == [True, True, False]
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.array, before[name])
    assert all(p.grad is None for p in model.parameters())


def test_batches_of_a_loader_and_a_function_of_the_batch():
    x = torch.cat(batches())
    loader = DataLoader(TensorDataset(x, torch.zeros(64)), batch_size=10)
    model = network()
    assert dead_units(model, loader).examples == 64
    assert dead_units(model, loader, lambda batch: model(batch[0])).dead == 2
    assert dead_units(model, x).batches == 1


def test_a_model_without_activations_has_no_units():
    found = dead_units(nn.Linear(3, 2), batches())
    assert (found.units, found.dead) == (0, 0)
    assert "there are no units to judge" in str(found)


def test_data_that_was_used_up_is_refused():
    used = iter(batches())
    list(used)
    with pytest.raises(ValueError, match="has no batches"):
        dead_units(network(), used)


@pytest.mark.parametrize("layer", ACTIVATIONS)
def test_every_activation_is_watched_and_healthy_ones_are_quiet(layer):
    torch.manual_seed(1)
    found = dead_units(nn.Sequential(nn.Linear(3, 8), layer()), batches())
    assert (found.units, found.dead, found.sites[0].saturated) == (8, 0, [])
    assert not found


@pytest.mark.parametrize("seed", range(5))
def test_dead_units_are_those_of_a_direct_count(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 40), nn.ReLU())
    with torch.no_grad():
        model[0].bias.copy_(torch.randn(40) * 2)
    data = batches(seed=seed)
    alive = np.concatenate([model(x).detach().numpy() for x in data]).max(axis=0) > 0
    assert dead_units(model, data).sites[0].dead == np.flatnonzero(~alive).tolist()
