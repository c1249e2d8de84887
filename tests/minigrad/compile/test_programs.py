"""Random training programs, compiled: every step leaves the bits that the program itself leaves."""

from __future__ import annotations

import sys
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import nn, optim
from minigrad.compile.plan import Plan
from minigrad.nn import functional as F

ROWS, COLUMNS = 6, 5
Value = Any

# Each makes of the values so far (all of shape (6, 5)), a weight (5, 5), and two layers one value more.
OPERATIONS: dict[str, Callable[[Value, Value, Value, Any], Value]] = {
    "tanh": lambda a, b, w, m: a.tanh(),
    "exp": lambda a, b, w, m: (-a.abs()).exp(),
    "sigmoid": lambda a, b, w, m: a.sigmoid() * 2 - 1,
    "relu": lambda a, b, w, m: F.relu(a),
    "gelu": lambda a, b, w, m: F.gelu(a),
    "power": lambda a, b, w, m: a**2 / (1 + b**2),
    "add": lambda a, b, w, m: a + 0.5 * b,
    "where": lambda a, b, w, m: minigrad.where(a > b, a, b * 0.3),
    "maximum": lambda a, b, w, m: minigrad.maximum(a, b).clamp(-2, 2),
    "matmul": lambda a, b, w, m: a @ w,
    "transposed": lambda a, b, w, m: (w.t() @ a.t()).t(),
    "linear": lambda a, b, w, m: m["linear"](a),
    "norm": lambda a, b, w, m: m["norm"](a),
    "softmax": lambda a, b, w, m: F.softmax(a, 1) - b.mean(0),
    "logsumexp": lambda a, b, w, m: a - a.logsumexp(1, keepdim=True),
    "max": lambda a, b, w, m: b - a.max(0).values,
    "sort": lambda a, b, w, m: a.sort(1).values + a.cumsum(0),
    "slice": lambda a, b, w, m: minigrad.cat([a[3:], b[:3]]),
    "flip": lambda a, b, w, m: a.flip(0).reshape(3, 10).reshape(ROWS, COLUMNS),
    "index": lambda a, b, w, m: a[[5, 0, 0, 3, 2, 1]][:, [4, 4, 0, 1, 2]],
    "gather": lambda a, b, w, m: a.gather(1, b.argsort(1)),
    "stack": lambda a, b, w, m: minigrad.stack([a, b]).sum(0),
    "in place": lambda a, b, w, m: a.clone().mul_(0.5).add_(b),
    "part": lambda a, b, w, m: changed_in_part(a, b),
    "dropout": lambda a, b, w, m: F.dropout(a, 0.4),
    "noise": lambda a, b, w, m: a + minigrad.randn_like(a) * minigrad.rand(1),
    "detach": lambda a, b, w, m: a * b.detach() + minigrad.ones(COLUMNS),
    "number": lambda a, b, w, m: 1 / (2 + a * a) - 3,
    "statistics": lambda a, b, w, m: (a - a.mean()) / (b.std(0) + 1),
}

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01),
}

SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "none": lambda o: None,
    "step": lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5),
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 5),
}


def changed_in_part(a: Value, b: Value) -> Value:
    found = a.clone()
    found[1:3] = b[:2] * 2
    found[:, 0].add_(1.0)
    return found


Recipe = tuple[list[tuple[str, int, int]], str, str, bool, int]

recipes = st.tuples(
    st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8
    ),
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(sorted(SCHEDULERS)),
    st.booleans(),  # whether gradients are clipped
    st.sampled_from([1, 1, 2]),  # backward passes to a step of the optimizer
)


def trained(recipe: Recipe, compiled: bool, steps: int = 9) -> list[Any]:
    """What a training run leaves behind at each step, as bytes."""
    operations, optimizer_name, scheduler_name, clipped, passes = recipe
    minigrad.manual_seed(1)
    modules = nn.ModuleDict({"linear": nn.Linear(COLUMNS, COLUMNS), "norm": nn.BatchNorm1d(COLUMNS)})
    weight = nn.Parameter(minigrad.rand(COLUMNS, COLUMNS) - 0.5)
    parameters = [weight, *modules.parameters()]
    optimizer = OPTIMIZERS[optimizer_name](parameters)
    scheduler = SCHEDULERS[scheduler_name](optimizer)

    def step(x: Value) -> tuple[float, Value]:
        if passes == 1:
            optimizer.zero_grad()
        values = [x, x @ weight]
        for name, i, k in operations:
            values.append(OPERATIONS[name](values[i % len(values)], values[k % len(values)], weight, modules))
        loss = sum((value**2).mean() for value in values[1:])
        loss.backward()
        if clipped:
            nn.utils.clip_grad_norm_(parameters, 0.5)
        if passes == 1:
            optimizer.step()
        return loss.item() * 2, values[-1].detach()

    run = minigrad.compile(step) if compiled else step
    found: list[Any] = []
    for k in range(steps):
        loss, value = run(minigrad.rand(ROWS, COLUMNS) - 0.3)
        if passes != 1 and k % passes == passes - 1:
            optimizer.step()
            optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()
        state = [*parameters, *modules.buffers()]
        found.append([loss, value.numpy().tobytes(), *(t.detach().numpy().tobytes() for t in state)])
        found.append([None if p.grad is None else p.grad.numpy().tobytes() for p in parameters])
    if compiled:
        assert [plan for kind in run._kinds.values() for plan in kind.plans], "nothing was replayed"
    return found


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(recipe=recipes)
def test_compiled_training_leaves_the_same_bits(recipe: Recipe) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Detected call of")
        assert trained(recipe, True) == trained(recipe, False)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_compiled_training_with_each_operation(name: str) -> None:
    recipe: Recipe = ([(name, 1, 0), (name, 2, 1), ("linear", 3, 3)], "Adam", "none", False, 1)
    assert trained(recipe, True) == trained(recipe, False)


def test_the_check_of_a_plan_sees_a_wrong_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    places = sys.modules["minigrad.compile.places"]
    right = places.live_ranges

    def wrong(program: Any) -> Any:  # every value is thought dead one instruction after it was made
        return {buffer: (first, min(first + 1, last)) for buffer, (first, last) in right(program).items()}

    monkeypatch.setattr(places, "live_ranges", wrong)
    agreed: list[bool] = []
    original = Plan.agrees

    def agrees(self: Any, *args: Any) -> Any:
        found = original(self, *args)
        agreed.append(found[0])
        return found

    monkeypatch.setattr(Plan, "agrees", agrees)
    weight = nn.Parameter(minigrad.rand(8, 8))

    def step(x: Value) -> Value:
        a, b = x @ weight, (x * 2).tanh()
        c = a.exp() + b
        return (c * a * b).sum()

    compiled = minigrad.compile(step)
    with pytest.warns(UserWarning, match="runs as it is"):
        found = [compiled(minigrad.full((8, 8), k / 10)).item() for k in range(12)]
    assert agreed
    assert not any(agreed)
    assert found == [step(minigrad.full((8, 8), k / 10)).item() for k in range(12)]


def test_replay_allocates_no_arrays() -> None:
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(256, 200), nn.ReLU(), nn.Linear(200, 256), nn.Sigmoid())
    optimizer = optim.Adam(model.parameters())
    x = minigrad.rand(512, 256)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(model(x), x)
        loss.backward()
        optimizer.step()
        return loss.item()

    def peak(run: Callable[[], float]) -> int:
        for _ in range(6):
            run()
        tracemalloc.start()
        try:
            run()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            run()
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    smallest = 200 * 256 * 4  # bytes: of the weights; the batch's arrays are larger
    buffers = 3 * 8192 * 4  # NumPy's loops convert and broadcast in buffers of 8192 elements, an operand each
    assert peak(minigrad.compile(step)) < buffers < smallest
    assert peak(step) > 5 * smallest  # the measure sees what a step allocates
