"""`python -m ae evaluate` measures every model, the same figures for the same seed, and says what does not apply."""

import dataclasses
import json

import numpy as np
import pytest

import minigrad
from ae import runs
from ae.__main__ import main
from ae.data import load
from ae.evaluation import METRICS, evaluate, table
from ae.models import MODELS, NAMES, Autoencoder, build

DIGITS = load("digits")
FEW = dataclasses.replace(
    DIGITS, train_images=DIGITS.train_images[:200], train_labels=DIGITS.train_labels[:200],
    test_images=DIGITS.test_images[:40], test_labels=DIGITS.test_labels[:40],
)  # fmt: skip


def model(name):
    minigrad.manual_seed(0)
    entry = MODELS[name]
    return build(name, 64, () if entry.sizes == "flat" else (16,), 70 if entry.wide else 4)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "vae"
    assert main(["train", "--data", "glyphs", "--epochs", "30", "--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_measured_or_told_why_not(name):
    found = evaluate(model(name), FEW, samples=3)
    assert set(found.values) == set(METRICS)
    for key, value in found.values.items():
        assert (value is None) == (key in found.notes and key != "nll") or (key == "nll"), key
        assert value is None or np.isfinite(value), key
    assert (found.values["nll"] is None) == (not hasattr(model(name), "log_weights"))
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize("name", ["vae", "conditional-vae", "categorical-vae", "denoising"])
def test_a_seed_decides_the_figures_and_nothing_is_left_changed(name):
    one = model(name).train()
    before = {key: value.clone() for key, value in one.state_dict().items()}
    minigrad.manual_seed(8)
    first = evaluate(one, FEW, samples=3)
    drawn = minigrad.rand(3).tolist()
    assert evaluate(one, FEW, samples=3).as_dict() == first.as_dict()
    assert evaluate(one, FEW, samples=3, seed=1).as_dict() != first.as_dict()
    minigrad.manual_seed(8)
    assert minigrad.rand(3).tolist() == drawn
    assert one.training
    assert all((value == before[key]).all() for key, value in one.state_dict().items())


def test_all_models_see_the_same_noise():
    first, second = (evaluate(model(name), FEW, samples=1).values for name in ("vae", "vq-vae"))
    for noise in ("masking", "gaussian", "salt-and-pepper"):
        assert first[f"denoising_{noise}_before"] == second[f"denoising_{noise}_before"]


def test_probes_are_not_told_the_labels():
    class Telling(Autoencoder):
        """A model that hands on the label it is told."""

        def embed(self, images, labels=None):
            if labels is None:
                return minigrad.zeros(len(images), 10)
            return minigrad.nn.functional.one_hot(labels, 10).float()

        def reconstruct(self, images, labels=None):
            return images

    values = evaluate(Telling(64, 10), FEW, samples=1).values
    assert values["linear_probe"] < 0.3
    assert values["neighbours"] < 0.3


def test_a_models_own_figures_agree_with_its_loss():
    one = model("vae").eval()
    values = evaluate(one, FEW, samples=200).values
    images = minigrad.from_numpy(FEW.test_images)
    reconstruction, kl = (float(part) for part in one.losses(images))
    assert values["kl"] == pytest.approx(kl, rel=1e-5)
    assert values["elbo"] == pytest.approx(-reconstruction - kl, rel=0.02)  # noise is drawn anew
    assert -values["nll"] > values["elbo"]
    assert values["mse"] == pytest.approx(values["squared_error"] / 64)


def test_binarized_pixels_have_no_floor_and_no_caveat():
    found = evaluate(model("vae"), FEW, samples=2, binarize=True)
    assert found.values["bce_floor"] == 0
    assert "nll" not in found.notes


def test_a_model_of_other_images_is_refused():
    with pytest.raises(ValueError, match="takes images of 64 pixels, but those of glyphs have 25"):
        evaluate(model("vae"), load("glyphs"))


def test_a_single_image_is_too_few():
    with pytest.raises(ValueError, match="two test images at least, got 1: ask for more"):
        evaluate(model("vae"), FEW, images=1)


def test_the_table_has_a_row_for_each_number_and_a_column_for_each_run():
    found = {name: evaluate(model(name), FEW, samples=2) for name in ("vae", "linear")}
    lines = table(found).splitlines()
    assert lines[0].split() == ["vae", "linear", "unit", "better"]
    assert len(lines) > len(METRICS)
    bce = next(line for line in lines if line.startswith("reconstruction, cross-entropy"))
    assert f"{found['vae'].values['bce']:#.4g}" in bce
    assert " - " in bce
    assert any("only the squared error can be measured (linear)" in line for line in lines)


def test_the_command_prints_a_table_and_writes_json(run, capsys):
    assert main(["evaluate", str(run), "--samples", "7"]) == 0
    output = capsys.readouterr().out
    found = json.loads((run / "evaluation.json").read_text())
    assert found["settings"] == {"data": "glyphs", "images": 10, "samples": 7, "binarize": False, "seed": 0}
    assert set(found["values"]) == set(METRICS)
    assert f"{found['values']['elbo']:#.4g}" in output


def test_the_command_prints_json_of_several_runs(run, tmp_path, capsys):
    main(["train", "linear", "--data", "glyphs", "--epochs", "1", "--out", str(tmp_path / "linear")])
    capsys.readouterr()
    assert main(["evaluate", str(run), str(tmp_path / "linear"), "--json", "--images", "5", "--seed", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["vae", "linear"]
    assert found["vae"]["settings"]["images"] == 5


def test_what_cannot_be_evaluated_is_said_in_one_message(run, tmp_path, capsys):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text((run / "config.json").read_text())
    (tmp_path / "other").mkdir()
    for name in ("model.safetensors", "config.json"):
        (tmp_path / "other" / name).write_bytes((run / name).read_bytes())
    config = json.loads((run / "config.json").read_text()) | {"hidden": [5]}
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    for folder, advice in (
        ("nowhere", "is no run: it has no config.json"),
        ("half", "is no whole run: it has no model.safetensors"),
        ("other", "is not of the model that config.json describes"),
    ):
        assert main(["evaluate", str(tmp_path / folder)]) == 1
        error = capsys.readouterr().err
        assert advice in error
        assert "Traceback" not in error
    assert runs.load(run) is not None
