"""The literature's numbers: their programs on small data, the keeping of results, and that the pages show what was measured."""

import json
from pathlib import Path

import numpy as np
import pytest

from ae.models import MODELS
from benchmarks.__main__ import main
from benchmarks.literature import iwae, linear, page, run
from benchmarks.literature.number import Number

PCA = {"2": 43.645, "10": 26.714, "20": 18.454, "30": 13.866, "32": 13.193, "50": 9.004}  # of MNIST, computed elsewhere

DISTRIBUTED = {name for name in MODELS if name.endswith("vae")} | {"iwae", "vq-vae-ema"}  # their codes have a KL


def quickly(name, **changes):
    """The rows of a number's quick plan, on the bundled digits."""
    number = run.NUMBERS[name]
    small = Number(**{**vars(number), "quick": number.quick | changes})
    results = run.measure(small, quick=True, say=lambda text: None)
    json.dumps(results)
    return number, results["rows"]


def test_a_linear_autoencoder_reaches_the_error_of_pca():
    number, rows = quickly("linear")
    assert list(rows) == ["2", "10"]
    for row in rows.values():
        assert row["error"] == pytest.approx(row["pca"], rel=0.005)
        assert row["angle"] < 20
    assert "| 10 | 1.228 |" in number.table(rows)


def test_the_vae_is_the_same_on_pytorch():
    number, rows = quickly("vae")
    np.testing.assert_allclose(rows["minigrad"]["test_loss"], rows["PyTorch"]["test_loss"], rtol=1e-4)
    assert f"| minigrad | {rows['minigrad']['test_loss'][0]:.2f} |" in number.table(rows)


def test_more_codes_give_a_higher_likelihood():
    number, rows = quickly("iwae", epochs=8)
    assert all(number.claims(rows).values())
    assert all(0 < row["error"] < 0.5 for row in rows.values())


def test_models_that_know_the_noise_repair_it_better():
    number, rows = quickly("denoising")
    for noise in ("gaussian", "salt-and-pepper"):
        assert np.mean(rows[noise][noise]["0.3"]) < np.mean(rows["plain"][noise]["0.3"])
    assert number.table(rows).count("\n") == 11


def test_the_jacobian_shrinks_with_its_price():
    number, rows = quickly("contractive")
    assert next(iter(number.claims(rows).values()))
    assert number.table(rows).startswith("| weight of the price |")


def test_a_larger_beta_lowers_the_rate_and_raises_the_distortion():
    number, rows = quickly("beta")
    assert all(number.claims(rows).values())


def test_the_scoreboard_has_every_model_and_leaves_out_what_a_model_has_not():
    number, rows = quickly("scoreboard", epochs=1)
    assert list(rows) == list(MODELS)
    for name, row in rows.items():
        assert 0 < row["squared_error"] < 20
        assert 0.05 < row["probe"] <= 1
        assert 0.05 < row["neighbours"] <= 1
        assert (row["kl"] is None) == (row["elbo"] is None) == (name not in DISTRIBUTED), name
    assert rows["linear"]["bce"] is None
    assert rows["deep"]["elbo"] is None
    assert rows["vae"]["elbo"] < 0
    table = number.table(rows)
    assert all(f"\n| {name} |" in table for name in MODELS)
    assert table.count("**") >= 8


def test_principal_angles_are_those_of_a_turned_plane():
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.normal(size=(9, 4)))[0]
    small, large = np.radians(1e-5), np.radians(35)
    turned = np.stack(
        [np.cos(small) * basis[:, 0] + np.sin(small) * basis[:, 2], np.cos(large) * basis[:, 1] + np.sin(large) * basis[:, 3]], 1
    )  # fmt: skip
    mixed = turned @ generator.normal(size=(2, 2))  # another basis of the same plane
    np.testing.assert_allclose(linear.principal_angles(mixed, basis[:, :2]), [1e-5, 35], rtol=1e-6)


def test_principal_components_leave_the_least_error():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(200, 5)) * [5, 1, 3, 0.1, 2] + 7
    mean, components = linear.principal_components(x, 2)
    np.testing.assert_allclose(mean, x.mean(0))
    np.testing.assert_allclose(np.abs(components), np.eye(5)[:, [0, 2]], atol=0.2)
    spectrum = np.linalg.svd(x - mean, compute_uv=False) ** 2
    left = (x - mean) - (x - mean) @ components @ components.T
    assert (left**2).sum() == pytest.approx(spectrum[2:].sum())


class Rough:
    """A model whose estimate is off by half a nat if it draws few codes, and by a little more for some images."""

    def log_weights(self, images, samples=1, labels=None):
        truth = -images.sum(1).expand(samples, len(images))
        return truth if samples >= 50 else truth - 0.5 - 0.1 * images[:, 0]


def test_what_few_codes_miss_is_put_right_by_some_images_with_many():
    images = np.random.default_rng(2).random((400, 3)).astype(np.float32)
    nll, error = iwae.estimate(Rough(), images, samples=50, every=4, screen=5)
    assert nll == pytest.approx(images.sum(1).mean(), abs=4 * error)
    assert 0 < error < 0.1 * images[:, 0].std() / 9


def counted(rows, fail=""):
    """A number that counts what it measures, and breaks down at the row `fail`."""
    seen = []

    def measure(name, job):
        seen.append(name)
        if name == fail:
            raise KeyboardInterrupt
        return {"value": len(name) + job.seed}

    plan = {"data": "glyphs", "rows": rows}
    return seen, Number(
        "counted", "Counted", plan, plan, lambda plan: plan["rows"], measure, lambda rows: "", lambda rows: {}
    )


def test_an_interrupted_number_goes_on_where_it_was(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run.measure(counted(["a", "bb", "ccc"], fail="bb")[1], out=tmp_path)
    assert list(run.read(tmp_path / "counted.json")["rows"]) == ["a"]
    seen, number = counted(["a", "bb", "ccc"])
    results = run.measure(number, out=tmp_path)
    assert seen == ["bb", "ccc"]
    assert results == run.read(tmp_path / "counted.json")
    assert results["rows"] == {"a": {"value": 2}, "bb": {"value": 3}, "ccc": {"value": 4}}
    assert [file.name for file in tmp_path.iterdir()] == ["counted.json"]


@pytest.mark.parametrize(("rows", "seed"), [(["a"], 2), (["a", "b"], 1)])
def test_rows_of_another_seed_or_plan_are_measured_again(tmp_path, rows, seed):
    run.measure(counted(["a"])[1], seed=1, out=tmp_path)
    seen, number = counted(rows)
    run.measure(number, seed=seed, out=tmp_path)
    assert seen == rows


def test_a_file_of_something_else_is_refused(tmp_path, capsys):
    for content, message in (("{", "is no JSON"), ("{}", "holds no results")):
        (tmp_path / "contractive.json").write_text(content)
        assert main(["numbers", "contractive", "--quick", "--out", str(tmp_path)]) == 2
        assert message in capsys.readouterr().err


def test_an_unknown_number_is_refused(capsys):
    assert main(["numbers", "pca"]) == 2
    assert "no number is called 'pca'; there are vae, linear" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--readme"], ["--readme", "--quick", "--out", "somewhere"]])
def test_the_pages_are_rewritten_from_kept_numbers_of_the_full_plans_only(flags, capsys, monkeypatch):
    monkeypatch.setattr(run, "measure", None)  # nothing is measured before it is refused
    assert main(["numbers", "beta", *flags]) == 2
    assert "--readme shows what --out FOLDER holds of the full plans" in capsys.readouterr().err


def test_the_command_measures_prints_and_keeps(tmp_path, capsys):
    assert main(["numbers", "contractive", "--quick", "--out", str(tmp_path / "new")]) == 0
    printed = capsys.readouterr()
    assert "the norm falls with every rise of the price: holds" in printed.out
    assert "contractive, 0.3: epoch 1 of" in printed.err
    assert list(run.read(tmp_path / "new" / "contractive.json")["rows"]) == ["0", "0.3", "1"]


def test_a_missed_claim_is_said_and_is_the_exit_status(monkeypatch, capsys):
    _, number = counted(["a"])
    missed = Number(**{**vars(number), "claims": lambda rows: {"it is so": False}})
    monkeypatch.setattr(run, "NUMBERS", {"counted": missed})
    assert main(["numbers"]) == 1
    assert "it is so: MISSED." in capsys.readouterr().out


def kept():
    return {name: run.read(page.KEPT / f"{name}.json") for name in run.NUMBERS}


def test_every_number_is_kept_whole_and_of_the_plan_that_the_program_has():
    for name, results in kept().items():
        number = run.NUMBERS[name]
        assert results["plan"] == json.loads(json.dumps(number.plan)), f"measure {name} again"
        assert list(results["rows"]) == list(number.names(number.plan))


@pytest.mark.parametrize("file", page.PAGES, ids=lambda file: file.parent.name)
def test_the_pages_show_what_was_measured(file: Path):
    text = file.read_text(encoding="utf-8")
    assert page.rewritten(text, kept()) == text


def test_a_number_that_was_interrupted_is_not_shown(tmp_path):
    half = run.read(page.KEPT / "beta.json")
    half["rows"].pop("8")
    run.write(tmp_path / "beta.json", half)
    copy = tmp_path / "page.md"
    copy.write_text("<!-- number: beta -->\nold\n<!-- end -->\n", encoding="utf-8")
    page.rewrite(tmp_path, (copy,))
    assert "\nold\n" in copy.read_text(encoding="utf-8")


def test_a_page_that_says_something_else_is_put_right(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text("before\n<!-- number: beta -->\n| 0.5 | 1000 nats |\n<!-- end -->\nafter\n", encoding="utf-8")
    page.rewrite(pages=(copy,))
    text = copy.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- number: beta -->\n| beta |")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "1000 nats" not in text
    copy.write_text("nothing here", encoding="utf-8")
    with pytest.raises(ValueError, match="no marks"):
        page.rewrite(pages=(copy,))


def test_the_figures_of_pca_are_those_known_before():
    rows = kept()["linear"]["rows"]
    assert {k: round(row["pca"], 3) for k, row in rows.items()} == PCA


def test_the_readmes_sentence_on_the_vae_is_the_kept_result():
    rows, text = kept()["vae"]["rows"], page.PAGES[1].read_text(encoding="utf-8")
    ours, theirs = (rows[name]["test_loss"][-1] for name in ("minigrad", "PyTorch"))
    assert f"after ten epochs is {ours:.2f} nats per" in text
    assert f"reaches {theirs:.2f}" in text
