"""What the tests of the data sets share: files in IDX format, and a small data set in MNIST's four files."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from ae.data.download import Source

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def encode(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, CODES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@dataclass
class SmallSet:
    """Arrays by file name, and the raw IDX bytes of each."""

    arrays: dict[str, np.ndarray]
    raw: dict[str, bytes]

    def zipped(self, file: str) -> bytes:
        return gzip.compress(self.raw[file], mtime=0)

    def source(self, *mirrors: str, name: str = "mnist") -> Source:
        return Source(name, mirrors, {file: hashlib.md5(raw).hexdigest() for file, raw in self.raw.items()})


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[np.ndarray], bytes]:
    return encode


@pytest.fixture(scope="session")
def small() -> SmallSet:
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (300, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 300, dtype=np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 20, dtype=np.uint8),
    }
    return SmallSet(arrays, {file: encode(array) for file, array in arrays.items()})
