"""MNIST and Fashion-MNIST: 60,000 training and 10,000 test images of 28x28 pixels, in four IDX files each.

MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits". Fashion-MNIST: H. Xiao,
K. Rasul, R. Vollgraf (2017), arXiv:1708.07747. Neither is bundled: the files come from a folder or are downloaded.
"""

import os
from pathlib import Path

import numpy as np

from ae.data.download import Source, cache_folder, fetch, read_checked
from ae.data.splits import Splits, to_unit

SOURCES = {
    "mnist": Source(
        "mnist",
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        md5={
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
    ),
    "fashion-mnist": Source(
        "fashion-mnist",
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        ),
        md5={
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
    ),
}

_TORCHVISION = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw"}


def load_idx_set(source: Source, root: str | os.PathLike[str] | None = None) -> Splits:
    """Return the official splits, from the four files below `root`, or without a root from the cache or the network.

    Every file is checked against its MD5 sum, wherever it comes from. Raises FileNotFoundError if files are missing,
    ValueError if one is damaged or another data set's, ConnectionError if they cannot be downloaded.
    """
    if root is None:
        folder = cache_folder() / source.name
        arrays = [fetch(source, file, folder) for file in source.md5]
    else:
        paths = _locate(source, Path(root).expanduser())
        arrays = [read_checked(path, source, file) for file, path in paths.items()]
    train_images, train_labels, test_images, test_labels = arrays
    _, height, width = train_images.shape
    return Splits(
        source.name,
        to_unit(train_images, white=255),
        train_labels.astype(np.int64),
        to_unit(test_images, white=255),
        test_labels.astype(np.int64),
        (height, width),
    )


def _locate(source: Source, root: Path) -> dict[str, Path]:
    """Find the four files, raw or .gz, in the folder named after the set, in torchvision's, or in `root` itself.

    The folders that bear a name come first: a root may hold MNIST's files and a folder of Fashion-MNIST's.
    """
    report = []
    for folder in (root / source.name, root / _TORCHVISION[source.name], root):
        found = {file: path for file in source.md5 for path in (folder / file, folder / f"{file}.gz") if path.is_file()}
        missing = [file for file in source.md5 if file not in found]
        if not missing:
            return found
        if not folder.is_dir():
            report.append(f"\n  {folder}: no such folder")
        else:
            report.append(f"\n  {folder}: lacks {', '.join(missing)}")
    raise FileNotFoundError(
        f"{source.name} needs four files, raw or .gz, in one of these folders:{''.join(report)}\n"
        f"Put them there, or leave out the root (--data-root on the command line) to download them once into "
        f"{cache_folder() / source.name}."
    )
