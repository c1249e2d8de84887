"""A run's folder: whole, readable by others, never written over, and plain about what is damaged."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from safetensors import safe_open

import minigrad
from ae import runs
from ae.train import Config, Metrics

CONFIG = Config(model="vae", data="digits", pixels=64, hidden=(6,), latent=3, epochs=2, batch_size=5, lr=0.01, seed=4)
LINE = Metrics(epoch=1, train_loss=3.5, test_loss=3.0, reconstruction=2.0, kl=1.0, seconds=0.1)


def test_a_model_comes_back_as_it_was_saved(tmp_path):
    folder, model = runs.create(CONFIG, tmp_path / "run"), CONFIG.build()
    with minigrad.no_grad():
        model.mu.bias.add_(1.0)
    runs.save_model(folder, model, epoch=7)
    loaded = runs.load(folder)
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, value in loaded.state_dict().items():
        assert np.array_equal(value.numpy(), model.state_dict()[name].numpy()), name
    assert not loaded.training


def test_pytorch_reads_the_model_and_its_epoch(tmp_path):
    model = CONFIG.build()
    runs.save_model(tmp_path, model, epoch=7)
    arrays = safetensors.torch.load_file(tmp_path / "model.safetensors")
    assert {name: tuple(value.shape) for name, value in arrays.items()} == {
        name: tuple(value.shape) for name, value in model.state_dict().items()
    }
    assert np.array_equal(arrays["encoder.weight"].numpy(), model.encoder.weight.detach().numpy())
    with safe_open(tmp_path / "model.safetensors", "np") as file:
        assert file.metadata() == {"epoch": "7"}


def test_a_weight_that_is_a_view_in_another_order_is_saved_as_it_reads(tmp_path):
    model = CONFIG.build()
    turned = np.arange(6 * 64, dtype=np.float32).reshape(64, 6).T
    model.encoder.weight.data = minigrad.from_numpy(turned)
    runs.save_model(tmp_path, model, epoch=1)
    assert np.array_equal(safetensors.torch.load_file(tmp_path / "model.safetensors")["encoder.weight"].numpy(), turned)


def test_a_model_that_cannot_be_written_leaves_the_old_one_whole(tmp_path, monkeypatch):
    model = CONFIG.build()
    runs.save_model(tmp_path, model, epoch=1)
    before = (tmp_path / "model.safetensors").read_bytes()

    def full_disk(path, content):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: .*model\.safetensors'"):
        runs.save_model(tmp_path, model, epoch=2)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_config_and_metrics_read_back(tmp_path):
    folder = runs.create(CONFIG, tmp_path / "run")
    assert runs.read_config(folder) == CONFIG
    assert runs.read_metrics(folder) == []
    runs.append_metrics(folder, LINE)
    runs.append_metrics(folder, LINE)
    assert runs.read_metrics(folder) == [LINE, LINE]
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert list(json.loads(lines[0])) == ["epoch", "train_loss", "test_loss", "reconstruction", "kl", "seconds"]


def test_runs_without_a_name_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [str(runs.create(CONFIG)) for _ in range(3)] == ["runs/vae-digits", "runs/vae-digits-2", "runs/vae-digits-3"]


def test_a_run_goes_into_a_folder_that_is_empty(tmp_path):
    assert runs.create(CONFIG, tmp_path) == tmp_path


def test_a_run_writes_over_nothing(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"not empty.*name another folder"):
        runs.create(CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_load_says_that_a_folder_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is no run: it has no config\.json"):
        runs.load(tmp_path)
    runs.create(CONFIG, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has no model\.safetensors"):
        runs.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"model": "vae", "hidden": [3]}', '{"hidden": 3}'])
def test_load_says_that_a_configuration_is_damaged(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        runs.load(tmp_path)


def test_load_says_that_a_model_is_damaged(tmp_path):
    runs.create(CONFIG, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        runs.load(tmp_path)
