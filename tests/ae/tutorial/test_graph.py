"""The drawing of a graph shows what was computed, and of the gradients only those that have arrived."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

import minigrad
from ae.tutorial.graph import Graph, colour, picture, walk


def layer(engine):
    """A linear layer of 3 pixels and 2 units: x @ w + b, squared and summed."""
    x = engine.ones(1, 3)
    w = engine.full((3, 2), 0.5, requires_grad=True)
    b = engine.zeros(2, requires_grad=True)
    m = x @ w
    a = m + b
    loss = (a**2).sum()
    for tensor in (m, a, loss):
        tensor.retain_grad()
    return loss, {"w": w, "b": b, "m": m, "a": a, "loss": loss}


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_every_tensor_named_is_drawn_by_its_name(engine):
    loss, names = layer(engine)
    svg = Graph(loss, names)._repr_svg_()
    ElementTree.fromstring(svg)
    assert {"w", "b", "m", "a", "loss"} <= set(re.findall(r'font-weight="600">(\w+)<', svg))


@pytest.mark.parametrize("engine", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_bias_is_marked_as_broadcast_and_nothing_else(engine):
    loss, names = layer(engine)
    assert re.findall(r"broadcast to [^<]+", Graph(loss, names).svg()) == ["broadcast to (1, 2)"]


# The nameless square's result shows nothing; the addition hands its gradient to both m and b.
@pytest.mark.parametrize(("steps", "shown"), [(0, 0), (1, 1), (2, 2), (3, 4), (4, 5), (None, 5)])
def test_gradients_appear_as_the_walk_reaches_them(steps, shown):
    loss, names = layer(minigrad)
    loss.backward()
    assert Graph(loss, names, steps).svg().count(">gradient<") == shown


def test_a_walk_back_visits_each_node_once_and_after_all_its_users():
    x = minigrad.ones(2, requires_grad=True)
    a = x * 2
    loss = (a * a + a).sum()
    order = walk(loss.grad_fn)
    assert len({id(node) for node in order}) == len(order)
    for i, node in enumerate(order):
        assert all(order.index(other) > i for other, _ in node.next_functions if other)


def test_what_was_not_recorded_is_refused():
    with pytest.raises(ValueError, match="without grad_fn"):
        Graph(minigrad.ones(2), {})


def test_colours_are_red_above_zero_and_blue_below():
    assert colour(1) == "rgb(215,30,30)"
    assert colour(-1) == "rgb(30,30,215)"
    assert colour(0) == "rgb(255,255,255)"


def test_a_row_of_25_is_drawn_as_a_square():
    squares = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]*fill="rgb', picture(np.arange(25.0), 0, 0, "value"))
    assert len({x for x, _ in squares}) == len({y for _, y in squares}) == 5
