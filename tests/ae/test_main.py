"""The command line: what it writes, prints and refuses, and that Ctrl-C leaves a usable run."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import minigrad
from ae import runs
from ae.__main__ import DEFAULTS, main
from ae.data import NAMES, load

SHORT = ["--data", "glyphs", "--epochs", "3"]
FILES = {"config.json", "metrics.jsonl", "model.safetensors", "state.safetensors"}
PICTURES = {"loss.png", "reconstructions.png", "samples.png"}


def files(folder):
    return {path.name for path in folder.iterdir()}


def without_time(folder):
    return [json.loads(line) | {"seconds": None} for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_train_without_arguments_is_a_vae_on_the_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(DEFAULTS["digits"], "epochs", 2)
    assert main(["train"]) == 0
    folder = tmp_path / "runs" / "vae-digits"
    assert files(folder) == FILES | PICTURES
    assert runs.read_config(folder).model == "vae"
    lines = runs.read_metrics(folder)
    assert [line.epoch for line in lines] == [1, 2]
    assert all(line.test_loss == pytest.approx(line.reconstruction + line.kl) for line in lines)
    output = capsys.readouterr()
    assert f"{lines[-1].test_loss:.2f} nats per image" in output.out
    assert "epoch 2/2" in output.err


def test_training_lowers_the_loss_and_generalizes(tmp_path):
    assert main(["train", "--epochs", "8", "--out", str(tmp_path)]) == 0
    lines = runs.read_metrics(tmp_path)
    images = load("digits").test_images
    mean = np.clip(load("digits").train_images.mean(axis=0), 1e-6, 1 - 1e-6)
    mean_image = -(images * np.log(mean) + (1 - images) * np.log(1 - mean)).sum(axis=1).mean()
    assert lines[-1].test_loss < lines[0].test_loss
    assert lines[-1].test_loss < mean_image  # what a model that ignores its input would reach


@pytest.mark.parametrize("model", ["autoencoder", "deep"])
def test_a_model_without_noise_has_no_samples_and_no_kl(tmp_path, model):
    assert main(["train", model, *SHORT, "--out", str(tmp_path)]) == 0
    assert "samples.png" not in files(tmp_path)
    assert {line.kl for line in runs.read_metrics(tmp_path)} == {0.0}


def test_the_first_autoencoder_learns_the_ten_glyphs(tmp_path):
    assert main(["train", "autoencoder", "--data", "glyphs", "--out", str(tmp_path)]) == 0
    images = load("glyphs").test_images
    model = runs.load(tmp_path)
    copies = model.reconstruct(minigrad.from_numpy(images)).detach().numpy()
    assert ((copies > 0.5) == (images > 0.5)).all()


def test_options_reach_the_run(tmp_path):
    options = [
        "--epochs",
        "1",
        "--batch-size",
        "4",
        "--lr",
        "0.5",
        "--latent",
        "3",
        "--hidden",
        "9",
        "8",
        "--seed",
        "7",
    ]
    assert main(["train", "deep", "--data", "glyphs", *options, "--out", str(tmp_path / "a" / "b")]) == 0
    assert json.loads((tmp_path / "a" / "b" / "config.json").read_text()) == {
        "model": "deep", "data": "glyphs", "pixels": 25, "hidden": [9, 8], "latent": 3,
        "epochs": 1, "batch_size": 4, "lr": 0.5, "seed": 7,
    }  # fmt: skip


def test_a_seed_decides_the_run(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        main(["train", *SHORT, "--batch-size", "3", "--seed", seed, "--out", str(tmp_path / name)])
    assert without_time(tmp_path / "a") == without_time(tmp_path / "b") != without_time(tmp_path / "c")
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert models[0] == models[1] != models[2]


def test_the_saved_model_is_the_one_that_the_last_line_measures(tmp_path):
    main(["train", "autoencoder", *SHORT, "--out", str(tmp_path)])
    images = load("glyphs").test_images.astype(np.float64)
    model = runs.load(tmp_path)
    p = model.reconstruct(minigrad.from_numpy(images.astype(np.float32))).detach().numpy()
    by_hand = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=1).mean()
    assert runs.read_metrics(tmp_path)[-1].reconstruction == pytest.approx(by_hand, rel=1e-5)


def test_without_matplotlib_the_run_says_which_extra_draws(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["train", *SHORT, "--out", str(tmp_path)]) == 0
    assert "pip install minigrad[plots]" in capsys.readouterr().out
    assert files(tmp_path) == FILES


def test_a_run_that_exists_is_kept(tmp_path, capsys):
    main(["train", *SHORT, "--out", str(tmp_path)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["train", *SHORT, "--seed", "5", "--out", str(tmp_path)]) == 1
    assert "name another folder" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["train", "undercomplete", "--latent", "64"], "less numbers than the image, 64, got 64"),
        (["train", "vae", "--set", "beta=2"], "vae has no option 'beta'; it has likelihood, activation"),
        (["train", "beta-vae", "--set", "beta=much"], "option beta of beta-vae needs a number, got 'much'"),
        (["train", "iwae", "--set", "k=2.5"], "option k of iwae needs a whole number, got '2.5'"),
        (["train", "iwae", "--set", "k=0"], "k needs a number of at least 1, got 0"),
        (["train", "autoencoder", "--hidden", "9"], "take the model deep"),
        (["train", "--data", "mnist", "--data-root", "nowhere"], "no such folder"),
        (["train", "--lr", "1e30", "--data", "glyphs"], "--lr"),
        (["train", "beta-vae", "--set", "beta"], "an option of beta-vae is given as NAME=VALUE, got 'beta'"),
        (["train", "beta-vae", "--set", "beta=inf"], "beta needs a number of at least 0, got inf"),
        (["train", "factor-vae", "--set", "width=0"], "width needs a number of at least 1, got 0"),
        (["train", "adversarial", "--set", "width=0"], "width needs a number of at least 1, got 0"),
        (["train", "conditional-vae", "--set", "classes=3"], "labels up to 9: give it 10, as in --set classes=10"),
        (["train", "--latent", "1000000000000"], "Unable to allocate"),
        (["train", "--config", "."], ".: Is a directory"),
        (["train", "--out", __file__], "is a file, or lies in one: name another folder"),
        (["train", "--out", f"{__file__}/run"], "is a file, or lies in one: name another folder"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_message(tmp_path, monkeypatch, capsys, arguments, advice):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert "ae: error: " in error
    assert advice in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ([], "COMMAND"),
        (["train", "gan"], "invalid choice: 'gan'"),
        (["train", "--data", "cifar"], "invalid choice: 'cifar'"),
        (["train", "--epochs", "0"], "--epochs: needs a whole number from 1, got '0'"),
        (["train", "--batch-size", "many"], "--batch-size: needs a whole number from 1, got 'many'"),
        (["train", "--lr", "nan"], "--lr: needs a number above 0, got 'nan'"),
        (["train", "--seed", "-1"], "--seed: needs a whole number from 0"),
    ],
)
def test_what_cannot_be_understood_is_said_with_the_usage(capsys, arguments, advice):
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert advice in capsys.readouterr().err


def test_every_data_set_has_its_defaults():
    assert set(DEFAULTS) == set(NAMES)


def interrupt_once(command, ready):
    """Start a command, send it the signal of Ctrl-C once `ready()`, and return its exit status and what it printed."""
    # A shell starts its background jobs deaf to Ctrl-C, and what they start inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    try:
        while not ready():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, output, errors


def test_ctrl_c_leaves_a_usable_run(tmp_path):
    folder = tmp_path / "run"
    metrics = folder / "metrics.jsonl"
    status, output, errors = interrupt_once(
        [sys.executable, "-m", "ae", "train", "--epochs", "100000", "--out", str(folder)],
        ready=lambda: metrics.exists() and metrics.read_text().count("\n") >= 2,
    )
    lines = runs.read_metrics(folder)
    assert status == 130
    assert "Traceback" not in errors
    assert f"kept as it was after epoch {len(lines)} of 100000" in errors
    assert f"{lines[-1].test_loss:.2f} nats per image" in output
    assert files(folder) == FILES | PICTURES
    assert runs.load(folder).sample(3).shape == (3, 64)


def test_ctrl_c_before_the_first_epoch_is_over_leaves_the_model_of_the_start(tmp_path):
    folder = tmp_path / "run"
    slow = ["--hidden", "4000", "--batch-size", "1"]
    status, _, errors = interrupt_once(
        [sys.executable, "-m", "ae", "train", *slow, "--out", str(folder)],
        ready=(folder / "model.safetensors").exists,
    )
    assert status == 130
    assert "Traceback" not in errors
    assert runs.read_metrics(folder) == []
    assert runs.load(folder).sample(3).shape == (3, 64)


def test_a_run_ended_by_ctrl_c_is_resumed_and_ends_as_if_it_never_paused(tmp_path):
    folder, long = tmp_path / "parts", ["--epochs", "12", "--hidden", "64"]
    command = [sys.executable, "-m", "ae", "train", *long, "--out", str(folder)]
    metrics = folder / "metrics.jsonl"
    status, _, errors = interrupt_once(command, lambda: metrics.exists() and metrics.read_text().count("\n") >= 2)
    assert status == 130
    assert f"to go on with it: python -m ae train --resume {folder}" in errors
    assert 2 <= len(runs.read_metrics(folder)) < 12
    assert main(["train", "--resume", str(folder)]) == 0
    assert main(["train", *long, "--out", str(tmp_path / "whole")]) == 0
    assert without_time(folder) == without_time(tmp_path / "whole")
    models = [(path / "model.safetensors").read_bytes() for path in (folder, tmp_path / "whole")]
    assert models[0] == models[1]


def test_a_reader_that_stops_early_is_no_error():
    process = subprocess.Popen([sys.executable, "-m", "ae", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    with process:
        assert process.stderr.read() == b""
