"""Flags, a TOML file and a run's config.json say the same things; what does not fit is said in one message."""

import json

import pytest

from ae import runs
from ae.__main__ import main

SHORT = ["--data", "glyphs", "--epochs", "3"]

TOML = """
model = "beta-vae"
data = "glyphs"
epochs = 2
batch-size = 5
hidden = [9, 8]
lr = 1
schedule = "step"
keep_best = true
validation = 0.2

[options]
beta = 0.5

[schedule-options]
every = 1
"""


def lines(folder):
    return [json.loads(line) | {"seconds": None} for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_flags_reach_the_configuration(tmp_path):
    flags = ["--schedule", "step", "--schedule-set", "every=2", "--clip", "1.5", "--validation", "0.2"]
    flags += ["--eps", "1e-4", "--mean-bias"]
    assert main(["train", *SHORT, *flags, "--patience", "2", "--keep-best", "--out", str(tmp_path)]) == 0
    config = json.loads((tmp_path / "config.json").read_text())
    expected = {
        "schedule": "step", "schedule_options": {"every": 2}, "clip": 1.5, "validation": 0.2, "patience": 2,
        "keep_best": True, "eps": 1e-4, "mean_bias": True,
    }  # fmt: skip
    assert expected.items() <= config.items()
    assert {"validation_loss", "lr"} <= lines(tmp_path)[0].keys()


def test_a_toml_file_is_a_configuration_and_flags_go_before_it(tmp_path):
    file, folder = tmp_path / "run.toml", tmp_path / "run"
    file.write_text(TOML)
    assert main(["train", "--config", str(file), "--lr", "0.01", "--set", "warmup=3", "--out", str(folder)]) == 0
    config = runs.read_config(folder)
    assert (config.model, config.hidden, config.batch_size, config.lr) == ("beta-vae", (9, 8), 5, 0.01)
    assert config.options == {"beta": 0.5, "warmup": 3}
    assert config.schedule_options == {"every": 1}
    assert config.keep_best


def test_another_model_on_the_command_line_drops_the_files_options(tmp_path):
    file, folder = tmp_path / "run.toml", tmp_path / "run"
    file.write_text(TOML)
    assert main(["train", "vae", "--config", str(file), "--lr", "0.01", "--out", str(folder)]) == 0
    assert runs.read_config(folder).options == {}


def test_a_run_is_reproduced_from_its_config_json(tmp_path):
    flags = ["--schedule", "cosine", "--clip", "1", "--validation", "0.2", "--binarize", "dynamic", "--seed", "5"]
    main(["train", "iwae", *SHORT, *flags, "--set", "k=3", "--out", str(tmp_path / "first")])
    main(["train", "--config", str(tmp_path / "first" / "config.json"), "--out", str(tmp_path / "second")])
    assert lines(tmp_path / "first") == lines(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("epochs = ", "is no TOML file"),
        ("epoch = 3", "unknown key 'epoch'; there are model, data"),
        ("epochs = true", "epochs needs a whole number, got True"),
        ('lr = "small"', "lr needs a number, got 'small'"),
        ("hidden = [2.5]", "hidden needs a list of whole numbers, got [2.5]"),
        ("options = 3", "options needs a table, got 3"),
        ("epochs = 0", "epochs needs a whole number from 1, got 0"),
        ('model = "gan"', "unknown model 'gan'"),
        ('data = "cifar"', "unknown data set 'cifar'"),
        ('schedule = "linear"', "unknown schedule 'linear'"),
        ("pixels = 25", "other than the 64 pixels of digits"),
        ("[options]\nbeta = 2", "vae has no option beta"),
        ("[options]\nlikelihood = 2", "option likelihood of vae needs a text, got 2"),
        ('model = "beta-vae"\noptions = {beta = "2"}', "option beta of beta-vae needs a number, got '2'"),
        ('model = "iwae"\noptions = {k = 2.5}', "option k of iwae needs a whole number, got 2.5"),
        ('model = "iwae"\noptions = {k = true}', "option k of iwae needs a whole number, got True"),
        ("hidden = [true]", "hidden needs whole numbers from 1, got (True,)"),
        ("lr = inf", "lr needs a number above 0, got inf"),
        ("patience = 2", "--validation 0.1"),
    ],
)
def test_a_file_that_does_not_fit_is_said_in_one_message(tmp_path, monkeypatch, capsys, text, advice):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(text)
    assert main(["train", "--config", "run.toml"]) == 1
    error = capsys.readouterr().err
    assert advice in error
    assert not (tmp_path / "runs").exists()


def test_a_missing_file_is_said(tmp_path, capsys):
    assert main(["train", "--config", str(tmp_path / "no.toml")]) == 1
    assert "there is no configuration file" in capsys.readouterr().err


def test_a_run_goes_on_to_more_epochs_and_ends_as_if_it_never_paused(tmp_path, capsys):
    main(["train", *SHORT, "--out", str(tmp_path / "parts")])
    assert main(["train", "--resume", str(tmp_path / "parts"), "--epochs", "5"]) == 0
    assert "epoch 5/5" in capsys.readouterr().err
    main(["train", "--data", "glyphs", "--epochs", "5", "--out", str(tmp_path / "whole")])
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ([], "has finished its 3 epochs: name more with --epochs"),
        (["--epochs", "2"], "a run of 3 epochs already, asked for 2"),
        (["--lr", "0.1", "--out", "x"], "leave out --lr, --out, or start a new run"),
        (["--set", "beta=1"], "leave out --set"),
    ],
)
def test_what_cannot_be_resumed_is_said(tmp_path, capsys, arguments, advice):
    main(["train", *SHORT, "--out", str(tmp_path)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["train", "--resume", str(tmp_path), *arguments]) == 1
    assert advice in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_no_run_is_not_resumed(tmp_path, capsys):
    assert main(["train", "--resume", str(tmp_path)]) == 1
    assert "is no run: it has no config.json" in capsys.readouterr().err


def test_early_stopping_and_the_kept_epoch_are_said(tmp_path, capsys):
    flags = ["--validation", "0.3", "--patience", "2", "--keep-best", "--lr", "0.3", "--batch-size", "2"]
    assert main(["train", "autoencoder", "--data", "glyphs", "--epochs", "200", *flags, "--out", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    found = lines(tmp_path)
    best = min(found, key=lambda line: line["validation_loss"])
    assert len(found) == best["epoch"] + 2 < 200
    assert f"stopped after epoch {len(found)}: no lower validation loss than epoch {best['epoch']}'s" in output
    assert f"kept: the model of epoch {best['epoch']}, validation loss {best['validation_loss']:.2f}" in output
    assert f"test loss after epoch {best['epoch']}: {best['test_loss']:.2f}" in output
    assert main(["train", "--resume", str(tmp_path)]) == 1
    assert "stopped after epoch" in capsys.readouterr().err
