"""What every data set is handed out as: flat images in [0, 1] with labels, for training and for testing."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Splits:
    """A data set: images `(N, H*W)` float32 in [0, 1], row by row, and labels `(N,)` int64, split in train and test.

    `image.reshape(splits.image_shape)` is the picture.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    image_shape: tuple[int, int]

    def __repr__(self) -> str:
        height, width = self.image_shape
        return f"Splits({self.name!r}, train={len(self.train_images)}, test={len(self.test_images)}, {height}x{width})"


def to_unit(images: np.ndarray, white: float) -> np.ndarray:
    """Turn pictures `(N, H, W)` of values 0 to `white` into rows `(N, H*W)` of float32 from 0 to 1."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows /= np.float32(white)
    return rows
