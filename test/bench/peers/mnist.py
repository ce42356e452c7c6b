"""MNIST from the four uncompressed IDX files, standardised with the training set's own mean and deviation."""

from pathlib import Path

import numpy as np


def read_idx(path: Path) -> np.ndarray:
    """The unsigned bytes of an IDX file, in its own shape."""
    content = path.read_bytes()
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load_mnist(folder: str):
    """Training images, training labels, test images, test labels; images are float32, [count, 28, 28]."""
    files = {path.name.replace(".", "-"): path for path in Path(folder).iterdir()}
    images, labels, test_images, test_labels = (
        read_idx(files[name])
        for name in (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        )
    )
    mean, deviation = images.mean() / 255, images.std() / 255
    standardise = lambda pixels: ((pixels / np.float32(255) - mean) / deviation).astype(np.float32)
    return standardise(images), labels.astype(np.int64), standardise(test_images), test_labels.astype(np.int64)
