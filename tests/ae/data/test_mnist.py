"""MNIST and Fashion-MNIST from a folder: every layout is found, and nothing but the official files is accepted."""

import os

import numpy as np
import pytest

from ae.data import NAMES, load
from ae.data.mnist import SOURCES


@pytest.fixture
def small_mnist(small, monkeypatch):
    """The small set under MNIST's name; the real one's sums would refuse it."""
    monkeypatch.setitem(SOURCES, "mnist", small.source())
    return small


def lay(small, folder, ending=""):
    folder.mkdir(parents=True, exist_ok=True)
    for file, raw in small.raw.items():
        (folder / f"{file}{ending}").write_bytes(small.zipped(file) if ending else raw)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("layout", ["", "mnist", "MNIST/raw"])
def test_files_are_found_in_every_layout(small_mnist, tmp_path, layout, ending):
    lay(small_mnist, tmp_path / layout, ending)
    splits = load("mnist", root=tmp_path)
    arrays = small_mnist.arrays
    np.testing.assert_array_equal(
        splits.train_images, arrays["train-images-idx3-ubyte"].reshape(300, 784).astype(np.float32) / np.float32(255)
    )
    np.testing.assert_array_equal(
        splits.test_images, arrays["t10k-images-idx3-ubyte"].reshape(20, 784).astype(np.float32) / np.float32(255)
    )
    np.testing.assert_array_equal(splits.train_labels, arrays["train-labels-idx1-ubyte"])
    np.testing.assert_array_equal(splits.test_labels, arrays["t10k-labels-idx1-ubyte"])
    assert splits.train_images.dtype == splits.test_images.dtype == np.float32
    assert splits.train_labels.dtype == splits.test_labels.dtype == np.int64
    assert (splits.name, splits.image_shape) == ("mnist", (28, 28))


def test_raw_and_gz_may_be_mixed_and_the_root_may_be_a_string(small_mnist, tmp_path):
    lay(small_mnist, tmp_path)
    file = "train-images-idx3-ubyte"
    (tmp_path / file).unlink()
    (tmp_path / f"{file}.gz").write_bytes(small_mnist.zipped(file))
    assert len(load("mnist", root=str(tmp_path)).train_images) == 300


def test_a_folder_with_the_name_wins_over_the_root(small, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "fashion-mnist", small.source(name="fashion-mnist"))
    lay(small, tmp_path / "fashion-mnist")
    for file in small.raw:
        (tmp_path / file).write_bytes(b"another data set's")
    assert load("fashion-mnist", root=tmp_path).name == "fashion-mnist"


def test_missing_files_are_listed_with_their_folder(small_mnist, tmp_path):
    lay(small_mnist, tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load("mnist", root=tmp_path)
    lines = str(caught.value).splitlines()
    assert f"  {tmp_path / 'mnist'}: lacks train-images-idx3-ubyte, t10k-labels-idx1-ubyte" in lines
    assert f"  {tmp_path / 'MNIST/raw'}: no such folder" in lines
    assert f"  {tmp_path}: lacks {', '.join(small_mnist.raw)}" in lines
    assert "--data-root" in lines[-1]
    assert "download" in lines[-1]


def test_another_data_sets_file_is_refused(small_mnist, tmp_path):
    lay(small_mnist, tmp_path)
    raw = bytearray(small_mnist.raw["t10k-images-idx3-ubyte"])
    raw[-1] ^= 1
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(raw)
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte: .* not mnist's t10k-images-idx3-ubyte: the MD5 sum"):
        load("mnist", root=tmp_path)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(
        ValueError, match="unknown data set 'cifar'; there are glyphs, moving-glyphs, digits, mnist, fashion-mnist"
    ):
        load("cifar")
    assert NAMES == ("glyphs", "moving-glyphs", "digits", "mnist", "fashion-mnist")


@pytest.fixture(scope="module")
def mnist():
    if "AE_DATA" not in os.environ:
        pytest.skip("AE_DATA does not name the folder that holds the folder mnist")
    return load("mnist", root=os.environ["AE_DATA"])


@pytest.fixture(scope="module")
def fashion():
    if "AE_FASHION" not in os.environ:
        pytest.skip("AE_FASHION does not name the folder of Fashion-MNIST's files")
    return load("fashion-mnist", root=os.environ["AE_FASHION"])


def test_mnist_is_the_official_one(mnist):
    assert mnist.train_images.shape == (60000, 784)
    assert mnist.test_images.shape == (10000, 784)
    assert mnist.train_images.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert mnist.train_images.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (mnist.train_images.min(), mnist.train_images.max()) == (0, 1)


def test_the_mean_image_of_mnist_leaves_the_known_error(mnist):
    error = ((mnist.test_images - mnist.train_images.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1).mean()
    assert error == pytest.approx(52.897, abs=5e-4)


def test_fashion_mnist_is_the_official_one(fashion):
    assert fashion.train_images.shape == (60000, 784)
    assert fashion.test_images.shape == (10000, 784)
    assert fashion.train_images.mean(dtype=np.float64) == pytest.approx(0.2860, abs=5e-5)
    assert fashion.train_images.std(dtype=np.float64) == pytest.approx(0.3530, abs=5e-5)
    assert np.bincount(fashion.train_labels).tolist() == [6000] * 10
    assert np.bincount(fashion.test_labels).tolist() == [1000] * 10
    assert fashion.train_labels[:5].tolist() == [9, 0, 0, 3, 0]
