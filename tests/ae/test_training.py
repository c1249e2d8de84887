"""What the trainer does besides stepping: schedules, clipping, choosing by validation, stopping, resuming, telling."""

import dataclasses
import errno
import math

import numpy as np
import pytest
import torch

import minigrad
from ae import runs, schedules
from ae.__main__ import main
from ae.config import Config
from ae.data import load
from ae.models import Loss, Model
from ae.train import Callback, Training, step, train, validation_rows
from minigrad import nn, optim

GLYPHS = Config("vae", "glyphs", 25, (7,), 3, epochs=6, batch_size=4, lr=0.01, seed=3)


def rates(schedule, epochs, **options):
    """The learning rates of every epoch of a run that started at 1."""
    optimizer = optim.SGD([nn.Parameter(minigrad.zeros(1))], lr=1.0)
    scheduler = schedules.build(schedule, optimizer, epochs, options)
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("step", {"every": 2, "gamma": 0.1}, [1, 1, 0.1, 0.1, 0.01, 0.01]),
        ("exponential", {"gamma": 0.5}, [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
        ("warmup", {"over": 4}, [0.25, 0.5, 0.75, 1, 1, 1]),
        ("cosine", {"floor": 0.2}, [0.6 + 0.4 * math.cos(math.pi * i / 6) for i in range(6)]),
    ],
)
def test_a_schedule_sets_the_rates_of_its_formula(name, options, expected):
    assert rates(name, 6, **options) == pytest.approx(expected)


def test_stages_are_those_of_the_iwae_paper():
    found = rates("stages", 3280)
    expected = [round(10 ** (-stage / 7), 1) for stage in range(8) for _ in range(3**stage)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "options", "advice"),
    [
        ("linear", {}, "unknown schedule 'linear'; there are constant, step"),
        ("step", {"rate": 1}, "schedule step has no option 'rate'; it has every, gamma"),
        ("step", {"every": 0}, "every of the schedule step needs a number from 1, got 0"),
        ("step", {"gamma": "big"}, "gamma of the schedule step needs a number, got 'big'"),
    ],
)
def test_a_schedule_says_what_it_needs(name, options, advice):
    with pytest.raises(ValueError, match=advice):
        schedules.build(name, optim.SGD([nn.Parameter(minigrad.zeros(1))], lr=1.0), 5, options)


def test_the_rates_of_a_run_are_written_down():
    config = dataclasses.replace(GLYPHS, epochs=3, schedule="exponential", schedule_options={"gamma": 0.5})
    lines = list(train(config.build(), load("glyphs"), config))
    assert [line.lr for line in lines] == pytest.approx([0.01, 0.005, 0.0025])


def test_a_clipped_step_is_pytorchs():
    rng = np.random.default_rng(0)
    weight, images = rng.normal(size=(4, 6)), rng.normal(size=(5, 6))

    class Squares(Model):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(minigrad.from_numpy(weight.copy()))

        def loss(self, images, labels=None):
            total = (images @ self.weight.t()).square().sum()
            return Loss(total, reconstruction=total)

    model = Squares()
    step(model, [optim.SGD(model.parameters(), lr=1.0)], minigrad.from_numpy(images), None, clip=0.5)
    expected = torch.nn.Parameter(torch.tensor(weight))
    (torch.tensor(images) @ expected.t()).square().sum().backward()
    torch.nn.utils.clip_grad_norm_([expected], 0.5)
    torch.optim.SGD([expected], lr=1.0).step()
    np.testing.assert_allclose(model.weight.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    assert np.linalg.norm(model.weight.detach().numpy() - weight) == pytest.approx(0.5, rel=1e-4)


def test_validation_images_are_chosen_by_the_seed_and_never_trained_on():
    config = dataclasses.replace(GLYPHS, validation=0.3)
    kept, aside = (set(rows.tolist()) for rows in validation_rows(10, config))
    assert len(aside) == 3
    assert kept | aside == set(range(10))
    others = validation_rows(1000, config)[1].tolist()
    assert (
        others
        == validation_rows(1000, config)[1].tolist()
        != validation_rows(1000, dataclasses.replace(config, seed=9))[1].tolist()
    )
    training = Training(config.build(), load("glyphs"), config)
    assert len(training.images) == 7
    pictures = {image.tobytes() for image in training.images.numpy()}
    assert not pictures & {image.tobytes() for image in training.validation[0].numpy()}


class Scripted(Model):
    """A model whose loss on the validation set follows a script; it has one weight that counts the steps."""

    def __init__(self, script):
        super().__init__()
        self.steps = nn.Parameter(minigrad.zeros(()))
        self.script, self.epoch = list(script), -1

    def loss(self, images, labels=None):
        if self.training:
            total = -self.steps
        else:
            self.epoch += len(images) == 3
            total = minigrad.tensor(float(self.script[max(self.epoch, 0)] if len(images) == 3 else 100.0))
        return Loss(total, reconstruction=total)

    def optimizers(self, lr):
        return [optim.SGD(self.parameters(), lr=1.0)]


SCRIPTED = dataclasses.replace(GLYPHS, epochs=20, batch_size=10, validation=0.3)


def test_training_stops_early_when_the_validation_loss_no_longer_falls():
    config = dataclasses.replace(SCRIPTED, patience=3)
    training = Training(Scripted([5, 4, 3, 3.5, 2.9, 3, 3, 2.9, 1]), load("glyphs"), config, compiled=False)
    assert [line.validation_loss for line in training.run()] == pytest.approx([5, 4, 3, 3.5, 2.9, 3, 3, 2.9])
    assert training.best_epoch == 5
    assert training.stopped == "no lower validation loss than epoch 5's for 3 epochs"


def test_the_best_model_is_the_one_that_is_kept(tmp_path):
    config = dataclasses.replace(SCRIPTED, epochs=5, keep_best=True)
    model = Scripted([5, 4, 2, 3, 3])
    training = Training(model, load("glyphs"), config, compiled=False)
    folder = runs.create(config, tmp_path)
    for metrics in training.run():
        runs.save(folder, training, metrics)
    kept = runs.load_file(folder / "model.safetensors")
    assert model.steps.item() == 5
    assert kept["steps"] == 3


def test_the_plateau_schedule_follows_the_validation_loss():
    options = {"gamma": 0.1, "wait": 1}
    config = dataclasses.replace(SCRIPTED, epochs=6, schedule="plateau", schedule_options=options)
    lines = list(train(Scripted([5, 4, 4, 4, 4, 4]), load("glyphs"), config, compiled=False))
    assert [line.lr for line in lines] == pytest.approx([1, 1, 1, 1, 0.1, 0.1])


def test_choosing_by_the_test_set_is_refused():
    for change in ({"patience": 3}, {"keep_best": True}, {"schedule": "plateau"}):
        with pytest.raises(ValueError, match=r"--validation 0\.1"):
            dataclasses.replace(GLYPHS, **change)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"epochs": 0}, "epochs needs a whole number from 1, got 0"),
        ({"epochs": True}, "epochs needs a whole number from 1, got True"),
        ({"lr": -1.0}, "lr needs a number above 0, got -1.0"),
        ({"clip": "short"}, "clip needs a number above 0, got 'short'"),
        ({"eps": 0}, "eps needs a number above 0, got 0"),
        ({"validation": 1.0}, "validation needs a share"),
        ({"hidden": ("a",)}, r"hidden needs whole numbers from 1, got \('a',\)"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"binarize": "half"}, "unknown binarize 'half'; there are none, threshold, dynamic"),
    ],
)
def test_a_configuration_says_what_it_needs(change, advice):
    with pytest.raises(ValueError, match=advice):
        dataclasses.replace(GLYPHS, **change)


def test_a_decoder_may_start_at_the_mean_image_and_adam_with_another_epsilon():
    digits = load("digits")
    config = Config("vae", "digits", 64, (8,), 2, 1, 32, 1e-3, 0, eps=1e-4, mean_bias=True)
    training = Training(config.build(), digits, config)
    mean = digits.train_images.mean(0)
    decoded = training.model.output.bias.detach().sigmoid().numpy()
    np.testing.assert_allclose(decoded, mean.clip(0.001, 0.999), rtol=1e-5)
    assert [group["eps"] for group in training.optimizers[0].param_groups] == [1e-4]
    with pytest.raises(ValueError, match="mean_bias is for VAEs and their relatives, deep has"):
        Training(dataclasses.replace(config, model="deep").build(), digits, dataclasses.replace(config, model="deep"))


def test_pixels_are_black_or_white_if_so_configured():
    class Seen(Scripted):
        def loss(self, images, labels=None):
            self.seen.append(images.numpy().copy())
            return super().loss(images)

    for how in ("threshold", "dynamic"):
        config = dataclasses.replace(SCRIPTED, data="digits", epochs=2, validation=0.0, binarize=how, batch_size=2000)
        model = Seen([1] * 9)
        model.seen = []
        minigrad.manual_seed(0)
        list(train(model, load("digits"), config, compiled=False))
        assert all(set(np.unique(images)) == {0.0, 1.0} for images in model.seen)
        first, _, second, _ = (images.sum() for images in model.seen)
        assert (first == second) == (how == "threshold")
        grey = load("digits").train_images
        expected = (grey > 0.5).sum() if how == "threshold" else grey.sum()
        assert first == pytest.approx(expected, rel=0.02)


def test_callbacks_hear_of_batches_and_epochs_and_may_stop():
    class Ear(Callback):
        def __init__(self):
            self.heard = []

        def after_batch(self, training):
            self.heard.append("batch")

        def after_epoch(self, training, metrics):
            self.heard.append(metrics.epoch)
            if metrics.epoch == 2:
                training.stop("enough")

    ear = Ear()
    lines = list(train(GLYPHS.build(), load("glyphs"), GLYPHS, callbacks=[ear]))
    assert ear.heard == ["batch"] * 3 + [1] + ["batch"] * 3 + [2]
    assert len(lines) == 2


RESUMED = [
    GLYPHS,
    dataclasses.replace(GLYPHS, model="factor-vae", schedule="stages", clip=1.0),
    dataclasses.replace(GLYPHS, model="vq-vae-ema"),
    dataclasses.replace(GLYPHS, model="categorical-vae", binarize="dynamic"),
    dataclasses.replace(GLYPHS, model="beta-vae", options={"warmup": 9}, schedule="cosine"),
    dataclasses.replace(GLYPHS, validation=0.3, schedule="plateau", schedule_options={"wait": 1}, keep_best=True),
]


@pytest.mark.parametrize("config", RESUMED, ids=lambda config: f"{config.model}-{config.schedule}")
def test_a_resumed_run_is_the_uninterrupted_one_to_the_last_bit(config, tmp_path):
    splits = load("glyphs")
    whole, parts = runs.create(config, tmp_path / "whole"), runs.create(config, tmp_path / "parts")
    training = Training(config.build(), splits, config)
    for metrics in training.run():
        runs.save(whole, training, metrics)
    training = Training(config.build(), splits, config)
    runs.save(parts, training)
    for left in (2, 5, 6):
        for metrics in training.run():
            runs.save(parts, training, metrics)
            if metrics.epoch == left:
                break
        minigrad.rand(17)  # what another program would draw meanwhile
        training = Training(config.build(), splits, config)
        assert len(runs.resume(parts, training)) == left
    for name in ("model.safetensors", "state.safetensors"):
        first, second = (runs.load_file(folder / name) for folder in (whole, parts))
        assert first.keys() == second.keys()
        for key in first:
            assert first[key].tobytes() == second[key].tobytes(), key
    same = [dataclasses.replace(line, seconds=0.0) for line in runs.read_metrics(whole)]
    assert [dataclasses.replace(line, seconds=0.0) for line in runs.read_metrics(parts)] == same


def interrupted(tmp_path, epochs=3):
    """A run's folder, left after so many epochs."""
    folder = runs.create(GLYPHS, tmp_path / "run")
    training = Training(GLYPHS.build(), load("glyphs"), GLYPHS)
    runs.save(folder, training)
    for metrics in training.run():
        runs.save(folder, training, metrics)
        if metrics.epoch == epochs:
            return folder
    raise AssertionError


def test_an_interruption_between_the_files_is_put_right(tmp_path):
    folder = interrupted(tmp_path)
    model, lines = (folder / "model.safetensors").read_bytes(), runs.read_metrics(folder)
    text = (folder / "metrics.jsonl").read_text()
    runs.save_model(folder, GLYPHS.build(), 2)
    (folder / "metrics.jsonl").write_text("".join(text.splitlines(keepends=True)[:2]))
    assert runs.resume(folder, Training(GLYPHS.build(), load("glyphs"), GLYPHS)) == lines
    assert (folder / "model.safetensors").read_bytes() == model
    assert (folder / "metrics.jsonl").read_text() == text


def test_a_run_without_or_with_a_damaged_state_cannot_be_resumed(tmp_path):
    folder = interrupted(tmp_path)
    training = Training(GLYPHS.build(), load("glyphs"), GLYPHS)
    (folder / "state.safetensors").write_bytes(b"\0" * 30)
    with pytest.raises(ValueError, match=r"state\.safetensors is damaged"):
        runs.resume(folder, training)
    (folder / "state.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"cannot be resumed: it has no state\.safetensors"):
        runs.resume(folder, training)


def test_a_run_that_cannot_be_resumed_is_left_as_it_was(tmp_path, capsys):
    folder = interrupted(tmp_path)
    (folder / "state.safetensors").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["train", "--resume", str(folder), "--epochs", "9"]) == 1
    assert "has no state.safetensors" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "names"), [({"hidden": (9,)}, "hidden"), ({"lr": 0.5, "options": {"activation": "tanh"}}, "lr, options")]
)
def test_a_run_whose_configuration_was_changed_is_refused(tmp_path, change, names):
    folder, other = interrupted(tmp_path), dataclasses.replace(GLYPHS, **change)
    with pytest.raises(ValueError, match=f"has since been changed in {names}; change it back, or start a new run"):
        runs.resume(folder, Training(other.build(), load("glyphs"), other))


def test_a_line_that_a_full_disk_cut_off_is_written_again(tmp_path):
    folder = interrupted(tmp_path)
    text = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(text[:-9])
    assert len(runs.read_metrics(folder)) == 2
    assert len(runs.resume(folder, Training(GLYPHS.build(), load("glyphs"), GLYPHS))) == 3
    assert (folder / "metrics.jsonl").read_text() == text


def test_a_full_disk_says_which_file_and_how_to_go_on(tmp_path, monkeypatch, capsys):
    folder, write = interrupted(tmp_path), runs.write_file

    def full(path, content):
        if path.name == "model.safetensors" and runs.read_metrics(folder)[-1].epoch == 4:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(runs, "write_file", full)
    assert main(["train", "--resume", str(folder)]) == 1
    error = capsys.readouterr().err
    assert f"kept as it was after epoch 4 of 6\nto go on with it: python -m ae train --resume {folder}" in error
    assert f"ae: error: {folder / 'model.safetensors'}: No space left on device" in error
    assert "Traceback" not in error
    monkeypatch.setattr(runs, "write_file", write)
    assert main(["train", "--resume", str(folder)]) == 0


def test_a_longer_run_is_the_run_that_was_long_from_the_start(tmp_path):
    folder = interrupted(tmp_path, epochs=6)
    config = runs.lengthen(folder, 9)
    assert runs.read_config(folder) == GLYPHS
    training = Training(config.build(), load("glyphs"), config)
    runs.resume(folder, training)
    assert runs.read_config(folder) == config == dataclasses.replace(GLYPHS, epochs=9)
    lines = [line.test_loss for line in training.run()]
    fresh = [line.test_loss for line in train(config.build(), load("glyphs"), config)]
    assert lines == fresh[6:]


def test_a_schedule_laid_out_for_a_length_is_not_lengthened(tmp_path):
    folder = runs.create(dataclasses.replace(GLYPHS, schedule="cosine"), tmp_path / "run")
    with pytest.raises(ValueError, match="laid out for 6 epochs: start a new run"):
        runs.lengthen(folder, 9)
    with pytest.raises(ValueError, match="a run of 6 epochs already, asked for 4"):
        runs.lengthen(folder, 4)
