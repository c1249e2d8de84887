"""Comparing two runs: a change is seen, noise is not taken for one, and drift of the machine is not either."""

from collections.abc import Callable

import pytest

from benchmarks.compare import compare, text
from benchmarks.results import Results

STEPS = {"minigrad": 4e-3, "torch": 8e-3, "bare products": 2e-3}


def verdicts(before: Results, after: Results, anchor: str = "auto") -> list[str]:
    return [change.verdict for change in compare(before, after, ["minigrad"], anchor)]


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(0.8, "faster"), (1.25, "slower"), (1.0, "no difference seen"), (1.002, "no difference seen")],
)
def test_a_change_is_called_what_it_is(made_up: Callable[..., Results], factor: float, verdict: str) -> None:
    before = made_up({"vae": STEPS}, seed=1)
    after = made_up({"vae": STEPS | {"minigrad": factor * STEPS["minigrad"]}}, seed=2)
    assert verdicts(before, after) == [verdict]


def test_a_change_below_the_noise_is_not_seen(made_up: Callable[..., Results]) -> None:
    before = made_up({"vae": STEPS}, noise=0.5, seed=1)
    after = made_up({"vae": STEPS | {"minigrad": 1.1 * STEPS["minigrad"]}}, noise=0.5, seed=2)
    assert verdicts(before, after) == ["no difference seen"]


def test_noise_alone_is_hardly_ever_a_change(made_up: Callable[..., Results]) -> None:
    runs = [made_up({"vae": STEPS}, rounds=6, noise=0.3, seed=seed) for seed in range(400)]
    seen = [verdicts(*pair)[0] for pair in zip(runs[::2], runs[1::2], strict=True)]
    assert seen.count("no difference seen") >= 195


def test_a_machine_that_became_slower_is_no_change(made_up: Callable[..., Results]) -> None:
    before, after = made_up({"vae": STEPS}, seed=1), made_up({"vae": STEPS}, drift=1.5, seed=2)
    assert verdicts(before, after) == ["no difference seen"]
    assert verdicts(before, after, "none") == ["slower"]


def test_the_ratio_is_that_of_the_times(made_up: Callable[..., Results]) -> None:
    before = made_up({"vae": STEPS}, noise=0)
    after = made_up({"vae": STEPS | {"minigrad": STEPS["minigrad"] / 2}}, noise=0)
    (change,) = compare(before, after, ["minigrad"])
    assert change.ratio.estimate == pytest.approx(0.5)
    assert change.anchor == "bare products"


def test_torch_is_the_anchor_where_no_limit_was_measured(made_up: Callable[..., Results]) -> None:
    run = made_up({"gradcheck/4": {"minigrad": 1e-3, "torch": 1e-3}})
    (change,) = compare(run, run, ["minigrad"])
    assert change.anchor == "torch"


def test_an_engine_alone_is_compared_by_its_times(made_up: Callable[..., Results]) -> None:
    run = made_up({"vae": {"minigrad": 1e-3}})
    (change,) = compare(run, run, ["minigrad"])
    assert change.anchor is None
    assert change.verdict == "no difference seen"


def test_four_rounds_cannot_tell(made_up: Callable[..., Results]) -> None:
    before = made_up({"vae": STEPS}, rounds=4)
    after = made_up({"vae": STEPS | {"minigrad": 1.0}}, rounds=4)
    assert verdicts(before, after) == ["too few rounds to tell"]


def test_runs_without_a_work_in_common_are_refused(made_up: Callable[..., Results]) -> None:
    with pytest.raises(ValueError, match="no work of minigrad in common"):
        compare(made_up({"vae": STEPS}), made_up({"deep": STEPS}), ["minigrad"])


def test_a_work_of_other_sizes_is_another_work(made_up: Callable[..., Results]) -> None:
    before, after = made_up({"vae": STEPS, "deep": STEPS}), made_up({"vae": STEPS, "deep": STEPS})
    after.works[0].parameters["batch"] = 64
    assert [change.work for change in compare(before, after, ["minigrad"])] == ["deep"]


def test_the_text_names_what_makes_runs_hard_to_compare(made_up: Callable[..., Results]) -> None:
    before, after = made_up({"vae": STEPS}), made_up({"vae": STEPS})
    after.machine["processor"], after.method["threads"] = "another", 4
    after.engines["torch"]["numpy"] = "2.5.0"
    shown = text(compare(before, after, ["minigrad"]), before, after)
    assert "the runs differ in processor: made up and another" in shown
    assert "the runs differ in threads: 2 and 4" in shown
    assert "the runs differ in numpy of torch: 2.4.0 and 2.5.0" in shown
    assert "no difference seen (beside bare products)" in shown
