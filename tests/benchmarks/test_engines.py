"""Every engine that is installed does every work it claims, with the same results; small sizes, no times asserted."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import catalogue
from benchmarks.catalogue import WORKS, Work
from benchmarks.engines import bare
from benchmarks.engines.numpy_optimizers import Adam, sgd
from benchmarks.measure import Method, measure
from benchmarks.registry import ENGINES, Engine
from benchmarks.results import Outcome

QUICK = Method(rounds=1, seconds=1e-3, threads=1, turns=1, warm=1e-3, patience=120)


def small(name: str, **sizes: Any) -> Work:
    """A work of the catalogue at another size, in one family with the others so that they share processes."""
    (work,) = catalogue.select([name])
    check = {"images": 20} if work.check else {}
    return dataclasses.replace(work, parameters=work.parameters | sizes, family="small", check=check)


SMALL = [
    small("tutorial"),
    small("vae", pixels=12, hidden=8, latent=4, batch=6),
    small("deep", widths=[5, 7, 5], batch=3),
    small("wide", widths=[6, 6], batch=3),
    *(small(f"{name}/{way}/10") for name in catalogue.OPERATIONS for way in ("forward", "both")),
    small("log_softmax/both/1000"),
    small("chain/10"),
    small("double-backward/8", batch=4),
    small("gradcheck/4"),
    small("loading/16", rows=40),
    small("epoch", pixels=12, hidden=8, latent=4, batch=6, images=20),
]

SLOW_TO_COMPILE = {"torch compiled", "tinygrad"}


def outcomes(works: list[Work], *engines: Engine) -> list[Outcome]:
    return list(measure(works, list(engines), QUICK, {}))


def test_the_small_works_are_of_every_kind() -> None:
    assert {work.kind for work in SMALL} == {work.kind for work in WORKS}


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "minigrad"])
def test_an_engine_computes_what_minigrad_does(name: str) -> None:
    engine = ENGINES[name]
    if missing := engine.missing():
        pytest.skip(missing)
    works = [work for work in SMALL if engine.can(work)]
    if name in SLOW_TO_COMPILE:
        works = [work for work in works if work.name == "exp/both/10"]
    for outcome in outcomes(works, ENGINES["minigrad"], engine):
        assert outcome.failures == {}, outcome.name
        assert len(outcome.times[name].seconds) == 1
        assert len(outcome.times["minigrad"].seconds) == 1


def test_names_of_works_are_unique() -> None:
    names = [work.name for work in WORKS]
    assert len(names) == len(set(names))


def test_works_of_a_family_stand_together_and_grow() -> None:
    seen: dict[str, int] = {}
    last = ""
    for work in WORKS:
        assert work.family == last or work.family not in seen, f"{work.name} stands apart from its family"
        assert (work.size or 0) > seen.get(work.family, -1), f"{work.name} is not larger than the one before"
        seen[work.family], last = work.size or 0, work.family


@pytest.mark.parametrize(
    ("pattern", "count"), [("steps", 5), ("vae", 1), ("exp/*", 14), ("mlp/width", 5), ("all", len(WORKS)), ("*/10", 17)]
)
def test_works_are_found_by_group_family_name_and_pattern(pattern: str, count: int) -> None:
    assert len(catalogue.select([pattern])) == count


@pytest.mark.parametrize("patterns", [[], ["vea"], ["vae", "nothing/*"]])
def test_an_unknown_work_is_refused_with_the_groups(patterns: list[str]) -> None:
    with pytest.raises(ValueError, match="groups are steps, operations"):
        catalogue.select(patterns)


def test_bare_products_are_those_of_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    step = bare.products([(7, 5), (5, 3)], batch=2)
    monkeypatch.setattr(np, "matmul", lambda a, b, out: shapes.append((a.shape, b.shape)))
    step()
    forward, weight = [((2, 7), (7, 5)), ((2, 5), (5, 3))], [((5, 2), (2, 7)), ((3, 2), (2, 5))]
    assert sorted(shapes) == sorted([*forward, *weight, ((2, 3), (3, 5))])


@pytest.mark.parametrize("threads", [1, 3])
def test_bare_traffic_moves_every_number(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    monkeypatch.setattr(np, "copyto", lambda target, source: moved.append(source.size))
    bare.traffic(6 * bare.BLOCK, threads)()
    assert len(moved) == threads
    assert sum(moved) == 3 * bare.BLOCK


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_numpy_optimizers_step_as_pytorch_does(name: str) -> None:
    generator = np.random.default_rng(0)
    start = [generator.standard_normal(shape).astype(np.float32) for shape in ((3, 4), (4,))]
    ours, theirs = [p.copy() for p in start], [torch.from_numpy(p.copy()).requires_grad_() for p in start]
    optimizer = torch.optim.SGD(theirs, lr=0.1) if name == "sgd" else torch.optim.Adam(theirs)
    adam = Adam(ours)
    for _ in range(20):
        gradients = [generator.standard_normal(p.shape).astype(np.float32) for p in start]
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        sgd(ours, gradients) if name == "sgd" else adam.step(gradients)
    for parameter, array in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(array, parameter.detach().numpy(), rtol=1e-5, atol=1e-7)
