"""The command line: what it prints, writes and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import page, registry
from benchmarks.__main__ import main
from benchmarks.catalogue import GROUPS, WORKS
from benchmarks.registry import ENGINES, Engine
from benchmarks.results import Results, read

QUICK = ["--works", "tutorial", "--rounds", "2", "--seconds", "0.001", "--threads", "1"]
STEPS = {"minigrad": 4e-3, "torch": 8e-3, "bare products": 2e-3}


def test_run_prints_and_keeps_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    assert main(["run", *QUICK, "--engines", "minigrad,bare products", "--out", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "tutorial: 25-10-25 AE, batch 1, SGD" in printed
    assert "1 thread each" in printed
    results = read(file)
    assert [work.name for work in results.works] == ["tutorial"]
    assert list(results.works[0].times) == ["minigrad", "bare products"]
    assert results.method["rounds"] == 2
    assert main(["show", str(file)]) == 0
    assert "tutorial: 25-10-25 AE, batch 1, SGD" in capsys.readouterr().out


def test_results_name_no_machine_and_no_path(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    main(["run", *QUICK, "--engines", "minigrad", "--out", str(file)])
    content = json.loads(file.read_text())
    assert content["machine"].keys() <= {
        "processor",
        "processors",
        "system",
        "python",
        "memory in GB",
        "load before",
    }
    assert str(Path.home()) not in file.read_text()
    assert "/" not in json.dumps(content["engines"])


def test_a_missing_engine_is_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ghost = Engine("ghost", "no_such_package", "benchmarks.engines.ghost", "start", frozenset({"tutorial"}))
    monkeypatch.setitem(registry.ENGINES, "ghost", ghost)
    file = tmp_path / "results.json"
    assert main(["run", *QUICK, "--engines", "minigrad,ghost", "--out", str(file)]) == 0
    assert "not taking part: ghost (not installed: pip install no_such_package)" in capsys.readouterr().out
    assert read(file).missing == {"ghost": "not installed: pip install no_such_package"}
    assert main(["run", *QUICK, "--engines", "ghost"]) == 2
    assert "ghost: not installed: pip install no_such_package" in capsys.readouterr().err


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no compiler 'no-such-compiler'" in ENGINES["torch compiled"].missing()


def test_list_names_every_work_and_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in (*GROUPS, *(work.name for work in WORKS), *ENGINES):
        assert name in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--works", "vea"], "no work is called 'vea'"),
        (["run", "--works", ","], "no work is named"),
        (["run", "--engines", "pytorch"], "no engine is called 'pytorch'; there are minigrad"),
        (["run", "--engines", ""], "no engine is named"),
        (["run", "--rounds", "0"], "rounds must be at least 1"),
        (["run", "--threads", "0"], "threads must be at least 1"),
        (["run", "--seconds", "-1"], "seconds must be positive"),
        (["run", "--out", "no/such/folder/results.json"], "there is no folder"),
        (["show", "none.json"], "there is no file none.json"),
        (["plot", "none.json"], "there is no file none.json"),
        (["compare", "none.json", "none.json"], "there is no file none.json"),
        (["readme", "none.json"], "there is no file none.json"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_compare_prints_a_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], made_up: Callable[..., Results]
) -> None:
    before, after = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    made_up({"vae": STEPS, "deep": STEPS}, seed=1).write(before)
    made_up({"vae": STEPS | {"minigrad": 2e-3}, "deep": STEPS}, seed=2).write(after)
    assert main(["compare", before, after]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("]")[-1].strip() for line in lines if line.startswith(("vae", "deep"))] == [
        "faster (beside bare products)",
        "no difference seen (beside bare products)",
    ]
    assert main(["compare", before, after, "--anchor", "nobody"]) == 2


def test_plots_are_drawn_of_what_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], made_up: Callable[..., Results]
) -> None:
    steps, sweeps = tmp_path / "steps.json", tmp_path / "sweeps.json"
    made_up({"tutorial": STEPS, "vae": STEPS}).write(steps)
    sizes = ["exp/both/10", "exp/both/1000", "exp/forward/10", "mlp/width/8", "mlp/width/32"]
    made_up(dict.fromkeys(sizes, STEPS)).write(sweeps)
    assert main(["plot", str(steps), str(sweeps), "--out", str(tmp_path)]) == 0
    names = ["speed", "share-of-limit", "crossover-operations", "scaling-operations", "crossover", "scaling"]
    assert capsys.readouterr().out.split() == [str(tmp_path / f"{name}.png") for name in names]
    for name in names:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], made_up: Callable[..., Results]
) -> None:
    made_up({"tutorial": {"minigrad": 1e-3}}).write(tmp_path / "one.json")
    assert main(["plot", str(tmp_path / "one.json"), "--out", str(tmp_path)]) == 2
    assert "nothing to draw" in capsys.readouterr().err


def test_plots_name_the_extra_that_they_need(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    made_up: Callable[..., Results],
) -> None:
    made_up({"tutorial": STEPS}).write(tmp_path / "one.json")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert main(["plot", str(tmp_path / "one.json"), "--out", str(tmp_path)]) == 2
    assert "minigrad[bench]" in capsys.readouterr().err


def test_the_page_has_its_tables_rewritten(tmp_path: Path, made_up: Callable[..., Results]) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(page.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    results = made_up({"vae": STEPS | {"jax": 1e-3}, "wide": STEPS}, noise=0)
    page.rewrite(results, copy)
    first = copy.read_text(encoding="utf-8")
    assert "|  | VAE 784-400-20, batch 128, Adam | 2048-2048-2048 AE, batch 256, Adam |" in first
    assert "| minigrad | 4.00 ms (**2.0**, 2.0 to 2.0) | 4.00 ms (**2.0**, 2.0 to 2.0) |" in first
    assert "| torch | 8.00 ms | 8.00 ms |" in first
    assert "| jax | 1.00 ms (**8.0**, 8.0 to 8.0) | - |" in first
    assert "| jax | 1.0 MB | - |" in first
    page.rewrite(results, copy)
    assert copy.read_text(encoding="utf-8") == first


def test_a_page_shows_no_interval_of_fewer_than_three_rounds(tmp_path: Path, made_up: Callable[..., Results]) -> None:
    copy = tmp_path / "README.md"
    copy.write_text("<!-- times: steps -->\n<!-- end -->\n")
    page.rewrite(made_up({"vae": STEPS}, rounds=2, noise=0), copy)
    assert "| minigrad | 4.00 ms (**2.0**) |" in copy.read_text()
    page.rewrite(made_up({"vae": STEPS}, rounds=3, noise=0), copy)
    assert "| minigrad | 4.00 ms (**2.0**, 2.0 to 2.0) |" in copy.read_text()


def test_a_page_keeps_the_tables_of_other_groups(tmp_path: Path, made_up: Callable[..., Results]) -> None:
    copy = tmp_path / "README.md"
    text = "<!-- times: steps -->\nold\n<!-- end -->\n<!-- times: mlp -->\nolder\n<!-- end -->\n"
    copy.write_text(text)
    page.rewrite(made_up({"mlp/width/8": STEPS}), copy)
    assert copy.read_text().startswith("<!-- times: steps -->\nold\n<!-- end -->\n<!-- times: mlp -->\n|  | MLP 4 x 8")


def test_a_page_without_marks_is_refused(tmp_path: Path, made_up: Callable[..., Results]) -> None:
    copy = tmp_path / "README.md"
    copy.write_text("nothing here\n")
    with pytest.raises(ValueError, match="has no marks"):
        page.rewrite(made_up({"vae": STEPS}), copy)
