"""Files of results: what is written is read again, and what is not whole is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.results import Results, read


@pytest.fixture
def file(tmp_path: Path, made_up: Callable[..., Results]) -> Path:
    path = tmp_path / "results.json"
    made_up({"vae": {"minigrad": 1e-3, "torch": 2e-3}, "exp/both/1000": {"minigrad": 1e-6}}).write(path)
    return path


def test_results_survive_the_file(file: Path, made_up: Callable[..., Results]) -> None:
    results = made_up({"vae": {"minigrad": 1e-3, "torch": 2e-3}, "exp/both/1000": {"minigrad": 1e-6}})
    results.missing = {"jax": "not installed: pip install jax"}
    results.works[0].failures = {"torch compiled": "RuntimeError: no"}
    results.write(file)
    assert read(file) == results


def test_the_file_says_what_it_is(file: Path) -> None:
    content = json.loads(file.read_text())
    assert content["format"] == "minigrad benchmarks"
    assert content["version"] == 1
    assert list(content["works"][0]["times"]) == ["minigrad", "torch"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    before = file.read_bytes()
    results = read(file)
    results.machine["processor"] = object()
    with pytest.raises(TypeError):
        results.write(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.json"):
        read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("format"), "holds no results"),
        (lambda content: content.update(version=99), "version 99 of the format"),
        (lambda content: content.pop("machine"), "is damaged"),
        (lambda content: content["works"][0].pop("title"), "is damaged"),
        (lambda content: content["works"][0].update(colour="red"), "is damaged"),
        (lambda content: content["works"][0]["times"]["torch"].update(seconds=[]), "seconds of torch on vae"),
        (lambda content: content["works"][0]["times"]["torch"].update(seconds=[0.1, -1]), "seconds of torch on vae"),
    ],
)
def test_a_damaged_file_is_refused(file: Path, change: Callable[[dict], object], message: str) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        read(file)


@pytest.mark.parametrize("text", ["", "no JSON", '{"format": "minigrad bench'])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="is no JSON"):
        read(path)


def test_a_speed_is_the_median_of_the_rounds_ratios(made_up: Callable[..., Results]) -> None:
    (work,) = made_up({"vae": {"minigrad": 1.0, "torch": 1.0}}, rounds=3).works
    work.times["minigrad"].seconds = [1.0, 10.0, 2.0]
    work.times["torch"].seconds = [2.0, 30.0, 8.0]
    assert work.speed("minigrad", "torch").estimate == 3.0
