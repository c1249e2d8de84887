"""What a plan shows and does to memory, and how compiled functions are called."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad
from minigrad import nn
from minigrad.compile.places import live_ranges, places
from minigrad.nn import functional as F


def trained() -> Any:
    """A compiled step of the first autoencoder that is being replayed."""
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(25, 10), nn.ReLU(), nn.Linear(10, 25), nn.Sigmoid())
    optimizer = minigrad.optim.SGD(model.parameters(), lr=0.1)
    image = (minigrad.rand(1, 25) > 0.5).float()

    def step() -> float:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(model(image), image)
        loss.backward()
        optimizer.step()
        return loss.item()

    compiled = minigrad.compile(step)
    for _ in range(5):
        compiled()
    return compiled


def test_the_readme_shows_the_plan_of_its_own_step(capsys: Any) -> None:
    page = Path(minigrad.__file__).parent.joinpath("compile", "README.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    exec(program, {})
    assert capsys.readouterr().out == page.split("```text\n")[1].split("```")[0]


def test_plan_is_printed_with_its_instructions_and_memory() -> None:
    text = str(trained().plan())
    lines = text.splitlines()
    assert lines[1].endswith("dot(p0, p1.T)")  # the image times the first layer's weight
    assert "check: " in text
    assert "Python: _begin" in text
    assert lines[-1].startswith("memory: ")
    assert "without reuse" in lines[-1]


def test_values_alive_at_once_have_places_of_their_own() -> None:
    code = trained().plan().code
    place, size = places(code)
    ranges = live_ranges(code)
    for a, start in place.items():
        assert start + a.nbytes <= size
        for b, other in place.items():
            together = ranges[a][0] < ranges[b][1] and ranges[b][0] < ranges[a][1]
            apart = start + a.nbytes <= other or other + b.nbytes <= start
            assert a is b or apart or not together


def test_passes_leave_out_what_is_not_needed() -> None:
    def step(x: Any) -> Any:
        unused = x.exp() * 3
        del unused
        again = (x * 2).tanh() + (x * 2).tanh()
        return again.clone() * np.float32(1.5)

    compiled = minigrad.compile(step)
    for k in range(5):
        x = minigrad.full((4,), k / 4)
        assert minigrad.equal(compiled(x), step(x))
    names = [i.name for i in compiled.plan().code]
    assert names == ["multiply", "tanh", "add", "multiply"]


class Pair(NamedTuple):
    total: Any
    count: int


@dataclass
class Report:
    loss: float
    parts: dict[str, Any]


def test_results_keep_their_structure() -> None:
    def step(x: Any) -> Any:
        return Pair(x.sum(), 3), Report(x.mean().item(), {"max": [x.max(), x.argmax()]}), None

    compiled = minigrad.compile(step)
    for k in range(6):
        x = minigrad.arange(4.0) * k
        pair, report, nothing = compiled(x)
        assert (type(pair), pair.count, nothing) == (Pair, 3, None)
        assert pair.total.item() == x.sum().item()
        assert report.loss == x.mean().item()
        assert [y.item() for y in report.parts["max"]] == [x.max().item(), x.argmax().item()]


def test_method_can_be_compiled() -> None:
    class Scale:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        @minigrad.compile
        def apply(self, x: Any, *, shift: float = 0.0) -> Any:
            return x * self.factor + shift

    two, three = Scale(2.0), Scale(3.0)
    for k in range(6):
        x = minigrad.full((3,), float(k))
        assert minigrad.equal(two.apply(x, shift=1.0), x * 2.0 + 1.0)
        assert minigrad.equal(three.apply(x), x * 3.0)
    two.factor = 7.0
    assert minigrad.equal(two.apply(x, shift=1.0), x * 7.0 + 1.0)


def test_threads_do_not_share_a_replay() -> None:
    compiled = minigrad.compile(lambda x: ((x * 2).tanh() @ x).sum().item())
    wrong: list[float] = []

    def work(seed: int) -> None:
        x = minigrad.full((40, 40), seed / 100)
        expected = ((x * 2).tanh() @ x).sum().item()
        wrong.extend(found for found in (compiled(x) for _ in range(60)) if found != expected)

    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(former)
    assert not wrong


def test_error_in_a_captured_step_leaves_ordinary_arrays() -> None:
    weight = nn.Parameter(minigrad.ones(3))

    def step(x: Any) -> Any:
        y = (weight * x).sum()
        y.backward()
        if x.shape[0] == 3:
            raise KeyError("a mistake")
        return y

    compiled = minigrad.compile(step)
    for _ in range(3):
        try:
            compiled(minigrad.ones(3))
        except KeyError:
            assert type(weight.array) is np.ndarray
            assert type(weight.grad.array) is np.ndarray
