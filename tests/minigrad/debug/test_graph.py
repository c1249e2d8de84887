"""graph_report counts nodes, depth and kept memory, by operation and by line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as torch
from minigrad import nn
from minigrad.debug import graph_report, trace_lines
from tests.minigrad.debug.healthy import runs


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    x = torch.randn(32, 8)
    with trace_lines():
        h = model(x)
        loss = (h**2).mean()
    return loss, model


def test_the_numbers_of_a_small_network():
    loss, model = network()
    report = graph_report(loss)
    assert len(list(model.parameters())) == report.leaves
    assert (report.nodes, report.leaves, report.depth) == (5, 4, 5)
    kept = {part.what: (part.nodes, part.bytes) for part in report.operations}
    # relu: its output 32 x 16; linear: x 32 x 8 and its weight 4 x 16 (the first weight needs no gradient of x); pow: 32 x 4
    assert kept == {
        "ReluBackward0": (1, 4 * 32 * 16),
        "AddmmBackward0": (2, 4 * (32 * 8 + 4 * 16)),
        "PowBackward0": (1, 4 * 32 * 4),
        "MeanBackward0": (1, 0),
    }
    assert report.bytes == sum(count for _, count in kept.values())
    assert report.leaf_bytes == 4 * 4 * 16


def test_lines_share_the_bytes():
    loss, model = network()
    report = graph_report(loss)
    first = network.__code__.co_firstlineno
    assert [(p.origin.line - first, p.nodes, p.bytes) for p in report.lines] == [(5, 3, 3328), (6, 2, 512)]
    text = str(report)
    assert f"test_graph.py:{first + 5}" in text
    assert "h = model(x)" in text
    assert "5 operations on 4 leaves; the longest path from the loss to a leaf passes 5." in text
    assert f"It keeps 3.84 kB for backward, of which {model[2].weight.nbytes} B are parameters" in text
    assert "most by ReluBackward0: 2.05 kB, 53 %" in text


def test_without_tracing_the_report_says_how_to_see_lines():
    report = graph_report((torch.ones(3, requires_grad=True) * 2).sum())
    assert report.lines == []
    assert "run the forward pass under `with minigrad.debug.trace_lines():`" in str(report)


def test_after_backward_nothing_is_kept():
    loss, _ = network()
    loss.backward()
    report = graph_report(loss)
    assert report.freed
    assert report.bytes == 0
    assert "backward has freed what was saved" in str(report)


def test_memory_that_two_operations_keep_counts_once():
    x = torch.randn(100, requires_grad=True)
    y = x.exp()
    report = graph_report((y * y).sum())
    assert report.bytes == 400
    assert report.leaf_bytes == 0


def test_views_of_one_memory_count_once():
    x = torch.randn(10, 10, requires_grad=True)
    report = graph_report((x[:5] * x[5:]).sum())
    assert report.bytes == report.leaf_bytes == 400


def test_the_depth_of_a_graph_that_meets_again_is_its_longest_path():
    x = torch.ones(2, requires_grad=True)
    a = x.exp()
    b = a.sin().cos().tanh()
    report = graph_report((a + b).sum())
    assert (report.nodes, report.depth) == (6, 6)


def test_ten_thousand_operations_are_no_matter_of_recursion():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1
    assert graph_report(y.sum()).depth == 10_001


def test_a_tensor_without_graph_is_refused():
    with pytest.raises(RuntimeError, match="has no graph; see why_no_grad"):
        graph_report(torch.ones(1))
    with pytest.raises(RuntimeError, match="it is a leaf"):
        graph_report(torch.ones(1, requires_grad=True))


def test_a_notebook_shows_a_table():
    html = graph_report(network()[0])._repr_html_()
    assert html.count("<table>") == 2
    assert "<td>ReluBackward0</td>" in html


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["exp", "tanh", "relu", "sin", "mul", "add", "view"]), min_size=1, max_size=12))
def test_counts_agree_with_the_program(program):
    x = torch.tensor(np.linspace(0.1, 1, 6)).requires_grad_()
    y, nodes = x, 0
    for name in program:
        y = {"mul": lambda v: v * 2, "add": lambda v: v + x, "view": lambda v: v.view(2, 3).view(6)}.get(
            name, lambda v, name=name: getattr(v, name)()
        )(y)
        nodes += 2 if name == "view" else 1
    report = graph_report(y.sum())
    assert (report.nodes, report.leaves, report.depth) == (nodes + 1, 1, nodes + 1)
    assert report.bytes % 48 == 0
    assert sum(part.nodes for part in report.operations) == report.nodes


@pytest.mark.parametrize("make", runs(6))
def test_every_network_can_be_reported(make):
    run = make()
    for loss in run.objectives():
        report = graph_report(loss)
        assert report.bytes >= report.leaf_bytes > 0
        assert 0 < report.depth <= report.nodes
