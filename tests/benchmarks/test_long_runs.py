"""Long runs: held to a time, broken off, and gone on with."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks import catalogue, measure, registry
from benchmarks.__main__ import main
from benchmarks.measure import Method
from benchmarks.results import read

QUICK = ["--rounds", "2", "--seconds", "0.001", "--threads", "1", "--engines", "minigrad,bare products"]


def test_a_run_goes_on_where_it_was_broken_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "results.json")]
    assert main(["run", *QUICK, *out, "--works", "tutorial", "--resume"]) == 0
    first = read(tmp_path / "results.json").works[0]
    assert main(["run", *QUICK, *out, "--works", "tutorial,vae-digits", "--resume"]) == 0
    works = read(tmp_path / "results.json").works
    assert [work.name for work in works] == ["tutorial", "vae-digits"]
    assert works[0] == first
    assert "vae-digits" in capsys.readouterr().out


def test_going_on_in_another_way_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "results.json"), "--works", "tutorial"]
    assert main(["run", *QUICK, *out]) == 0
    assert main(["run", *QUICK, *out, "--resume", "--seconds", "0.002"]) == 2
    assert "give the same, or another file" in capsys.readouterr().err
    assert main(["run", *QUICK, "--works", "tutorial", "--resume"]) == 2
    assert "--out" in capsys.readouterr().err


def test_what_does_not_fit_into_the_time_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = ["--minutes", "0.0001", "--out", str(tmp_path / "results.json")]
    assert main(["run", *QUICK, *minutes, "--works", "tutorial,vae-digits"]) == 1
    assert "left out, since 0.0001 minutes are over: vae-digits" in capsys.readouterr().out
    assert [work.name for work in read(tmp_path / "results.json").works] == ["tutorial"]
    assert main(["run", *QUICK, *minutes, "--works", "tutorial,vae-digits", "--resume"]) == 0
    (tutorial, digits) = read(tmp_path / "results.json").works
    assert len(tutorial.times["minigrad"].seconds) == len(digits.times["minigrad"].seconds) == 1


def test_time_is_shared_out_by_how_much_there_is_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, float] = {}

    def run(self: measure._Sitting, end: float) -> list[object]:
        given[self.works[0].name] = end - time.monotonic()
        return []

    monkeypatch.setattr(measure._Sitting, "run", run)
    works = catalogue.select(["tutorial", "mlp/depth"])  # one work, and four
    method = Method(9, 0.1, 1, minutes=10)
    list(measure.measure(works, registry.select("minigrad"), method, {}))
    assert given["tutorial"] == pytest.approx(120, rel=0.01)
    assert given["mlp/depth/1"] == pytest.approx(600, rel=0.01)


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="minutes must be positive"):
        Method(1, 0.1, 1, minutes=0)
