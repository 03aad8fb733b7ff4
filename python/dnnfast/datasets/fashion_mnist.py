"""Fashion-MNIST: 70,000 grey images of 28x28 pixels of ten kinds of clothing (Zalando, MIT
licence).

Labels: 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag,
9 ankle boot.
"""

from __future__ import annotations

import importlib
from importlib import resources

import numpy as np

from dnnfast.datasets.files import IdxFile, IdxSource, Split

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

SOURCE = IdxSource(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    system_folders=("/usr/share/datasets/fashion-mnist",),
    addresses=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    hint="On Debian and Ubuntu: apt-get install dataset-fashion-mnist. A small excerpt ships with "
    "the package: dnnfast.datasets.fashion_mnist.load_excerpt().",
    files=(
        IdxFile(
            "train-images-idx3-ubyte.gz",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            (60000, 28, 28),
        ),
        IdxFile(
            "train-labels-idx1-ubyte.gz",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            (60000,),
        ),
        IdxFile(
            "t10k-images-idx3-ubyte.gz",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            (10000, 28, 28),
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte.gz",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            (10000,),
        ),
    ),
)


def load_data() -> Split:
    """Return the full data set: 60,000 images to train on and 10,000 to test on.

    The files are taken from the first place that has all four: the cache
    (`$DNNFAST_HOME/datasets/fashion-mnist`, by default `~/.dnnfast/datasets/fashion-mnist`), the
    folder of Debian's package dataset-fashion-mnist (`/usr/share/datasets/fashion-mnist`), the
    official addresses, from where they are stored in the cache after a check of their SHA-256 sums.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `[n, 28, 28]` with 0 as background and
        255 as full intensity, labels uint8 `[n]` from 0 to 9 (see `CLASS_NAMES`).

    Raises:
        ConnectionError: no place has the files; the message says which files to put where.
        ValueError: a file is damaged or not the official one.

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
    machine learning algorithms", 2017.

    Example:

    >>> load_data.__name__, len(CLASS_NAMES)  # (60000, 28, 28) images need the files
    ('load_data', 10)
    """
    return SOURCE.load()


def load_excerpt() -> Split:
    """Return the excerpt that ships with the package: 7,000 training and 1,000 test images.

    It holds the first 700 training images and the first 100 test images of each class, in their
    original order; it needs no network. `tools/make_fashion_mnist_excerpt.py` makes it.

    Returns:
        The same form as `load_data`.

    Raises:
        ImportError: if this Python was built without liblzma.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = load_excerpt()
    >>> x_train.shape, x_test.shape, x_train.dtype, y_train[:3]
    ((7000, 28, 28), (1000, 28, 28), dtype('uint8'), array([9, 0, 0], dtype=uint8))
    """
    packaged = resources.files("dnnfast.datasets") / "fashion_mnist_excerpt.npz"
    try:
        importlib.import_module("lzma")
    except ImportError as error:
        raise ImportError(
            "load_excerpt: this Python was built without liblzma (Debian: liblzma-dev), in whose "
            "form the excerpt is packed; use another, or fashion_mnist.load_data()."
        ) from error
    with resources.as_file(packaged) as path, np.load(path) as arrays:
        train = arrays["x_train"], arrays["y_train"]
        return train, (arrays["x_test"], arrays["y_test"])
