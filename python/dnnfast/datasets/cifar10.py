"""CIFAR-10: 60,000 colour images of 32x32 pixels of ten kinds of things.

Labels: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast import config
from dnnfast.datasets.files import File, Source, Split

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

SOURCE = Source(
    title="CIFAR-10",
    folder="cifar-10",
    system_folders=("~/.keras/datasets", "/usr/share/datasets/cifar-10"),
    addresses=("https://www.cs.toronto.edu/~kriz/",),
    hint="",
    files=(
        File(
            "cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ),
)

_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
_DAMAGES = (
    tarfile.TarError,
    pickle.UnpicklingError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
)
# What a pickled array is made of; anything else could run code.
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)


def load_data() -> Split:
    """Return the data set: 50,000 images to train on and 10,000 to test on.

    The archive is taken from the first place that has it: the cache
    (`$DNNFAST_HOME/datasets/cifar-10`, by default `~/.dnnfast/datasets/cifar-10`), that of Keras
    (`~/.keras/datasets`), `/usr/share/datasets/cifar-10`, the official address, from where it is
    stored in the cache after a check of its SHA-256 sum (170 MB).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `[n, 32, 32, 3]` (`[n, 3, 32, 32]` if
        `config.image_data_format` says so), labels uint8 `[n, 1]` from 0 to 9 (see `CLASS_NAMES`).

    Raises:
        ConnectionError: no place has the archive; the message says what to put where.
        ValueError: it is damaged.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

    Example:

    >>> load_data.__name__, len(CLASS_NAMES)  # (50000, 32, 32, 3) images need the archive
    ('load_data', 10)
    """
    path = SOURCE.paths()[0]
    batches = _read(path, (*_TRAIN, "test_batch"))
    images = np.concatenate([batches[name][0] for name in _TRAIN])
    labels = np.concatenate([batches[name][1] for name in _TRAIN])
    test_images, test_labels = batches["test_batch"]
    if config.image_data_format() == "channels_last":
        images, test_images = images.transpose(0, 2, 3, 1), test_images.transpose(0, 2, 3, 1)
    return (np.ascontiguousarray(images), labels), (np.ascontiguousarray(test_images), test_labels)


def _read(path: Path, names: tuple[str, ...]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return images ``[n, 3, 32, 32]`` and labels ``[n, 1]`` of the archive's batches."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in names and (stream := archive.extractfile(member)) is not None:
                    batch = _Unpickler(io.BytesIO(stream.read()), encoding="bytes").load()
                    labels = np.asarray(batch[b"labels"], np.uint8).reshape(-1, 1)
                    images = np.asarray(batch[b"data"], np.uint8).reshape(len(labels), 3, 32, 32)
                    found[name] = images, labels
        missing = [name for name in names if name not in found]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
    except _DAMAGES as error:
        raise ValueError(
            f"{path} is damaged or is not the official archive ({error}); delete it to have it "
            "downloaded again"
        ) from None
    return found
