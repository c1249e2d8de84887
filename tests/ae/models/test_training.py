"""Every model learns the bundled digits with the one trainer, is saved whole, and comes back as it was."""

import numpy as np
import pytest

import minigrad
from ae import runs
from ae.__main__ import main
from ae.data import load
from ae.models import MODELS, NAMES
from ae.train import mean_loss


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_trains_it_and_its_loss_falls(name, folder, capsys):
    assert main(["train", name, "--epochs", "5", "--lr", "0.003", "--out", str(folder / name)]) == 0
    lines = runs.read_metrics(folder / name)
    assert lines[-1].train_loss < lines[0].train_loss
    assert lines[-1].reconstruction < lines[0].reconstruction
    assert (folder / name / "samples.png").exists() == MODELS[name].kind.generates
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_the_saved_run_is_the_model_that_was_measured(name, folder):
    model, splits = runs.load(folder / name), load("digits")
    images, labels = minigrad.from_numpy(splits.test_images), minigrad.from_numpy(splits.test_labels)
    minigrad.manual_seed(0)
    found = mean_loss(model, images, 32, labels)
    last = runs.read_metrics(folder / name)[-1]
    assert found["reconstruction"] == pytest.approx(last.reconstruction, rel=0.03)  # noise is drawn anew
    assert set(last.parts) == set(found) - {"total", "reconstruction", "kl"}


def test_options_reach_the_model_and_are_kept(tmp_path):
    options = ["--set", "beta=0.5", "warmup=7", "likelihood=gaussian"]
    assert main(["train", "beta-vae", "--data", "glyphs", "--epochs", "1", *options, "--out", str(tmp_path)]) == 0
    assert runs.read_config(tmp_path).options == {"beta": 0.5, "warmup": 7, "likelihood": "gaussian"}
    model = runs.load(tmp_path)
    assert (model.beta, model.warmup, model.step.item()) == (0.5, 7, 1)
    assert "likelihood.logvar" in model.state_dict()


def test_a_model_with_two_players_trains_both(tmp_path):
    config = ["train", "factor-vae", "--data", "glyphs", "--epochs", "1", "--out"]
    main([*config, str(tmp_path / "a")])
    after = runs.load(tmp_path / "a").state_dict()
    before = runs.read_config(tmp_path / "a").build().state_dict()
    for name, value in after.items():
        assert not np.array_equal(value.numpy(), before[name].numpy()), name


def test_list_shows_every_model_with_a_line_each(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(MODELS[line.split()[0]].about in line for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_list_of_one_model_shows_its_source_and_its_options(name, capsys):
    assert main(["list", name]) == 0
    output = capsys.readouterr().out
    assert "Source: " in output
    for option, default in MODELS[name].options().items():
        assert f"{option}={default}" in output
