"""The profile of a compiled step."""

import pytest

from benchmarks import catalogue, profile
from benchmarks.__main__ import main


def test_the_shares_of_a_step_name_every_kind_that_it_has() -> None:
    (work,) = catalogue.select(["tutorial"])
    found = profile.profile(work, seconds=0.05)
    assert list(found) == list(profile.KINDS)
    assert all(found[kind] > 0 for kind in ("products", "elementwise", "sums", "optimizer"))


def test_a_work_that_is_no_compiled_step_is_refused() -> None:
    with pytest.raises(ValueError, match="not one compiled step"):
        profile.profile(catalogue.select(["loading"])[0])


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "--works", "tutorial", "--seconds", "0.05"]) == 0
    head, _, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == row.count("|")
    assert row.startswith("| 25-10-25")
    assert "%" in row
