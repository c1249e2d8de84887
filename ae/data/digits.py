"""The bundled data set: 1,797 handwritten digits of 8x8 pixels, which need no network and no folder.

They are the test half of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998) as scikit-learn
ships it, not a smaller MNIST: a pixel counts, from 0 to 16, the black dots in a 4x4 block of a 32x32 scan. See NOTICE.
"""

from importlib import resources

import numpy as np

from ae.data.splits import Splits, to_unit


def load_digits() -> Splits:
    """Return the digits, 1,442 to train on and 355 to test with.

    The test set is every fifth image of each class, in the order of the file. Every fifth image of the file would not
    do: its labels run 0, 1, ..., 9 over and over in places, so that the test set would hold 21 of one class and 52 of
    another. Neighbours in the file tend to be by one hand, so the test error is that of new digits by known hands.
    """
    with resources.files("ae.data").joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        images, labels = to_unit(arrays["images"], white=16), arrays["labels"].astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        test[np.flatnonzero(labels == digit)[4::5]] = True
    return Splits("digits", images[~test], labels[~test], images[test], labels[test], (8, 8))
