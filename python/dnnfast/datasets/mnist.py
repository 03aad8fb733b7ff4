"""MNIST: 70,000 grey images of 28x28 pixels of handwritten digits (LeCun, Cortes and Burges)."""

from __future__ import annotations

from pathlib import Path

from dnnfast.datasets import npz
from dnnfast.datasets.files import IdxFile, IdxSource, Split

SOURCE = IdxSource(
    title="MNIST",
    folder="mnist",
    system_folders=("/usr/share/datasets/mnist",),
    addresses=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    hint="",
    files=(
        IdxFile(
            "train-images-idx3-ubyte.gz",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            (60000, 28, 28),
        ),
        IdxFile(
            "train-labels-idx1-ubyte.gz",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            (60000,),
        ),
        IdxFile(
            "t10k-images-idx3-ubyte.gz",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            (10000, 28, 28),
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte.gz",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            (10000,),
        ),
    ),
)


def load_data(path: str = "mnist.npz") -> Split:
    """Return the data set: 60,000 images to train on and 10,000 to test on.

    The files are taken from the first place that has all four: the cache
    (`$DNNFAST_HOME/datasets/mnist`, by default `~/.dnnfast/datasets/mnist`), the folder
    `/usr/share/datasets/mnist`, the mirrors of the official files, from where they are stored in
    the cache after a check of their SHA-256 sums.

    Args:
        path: a .npz file as Keras stores it, to be read instead if it exists.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `[n, 28, 28]`, labels uint8 `[n]`.

    Raises:
        ConnectionError: no place has the files; the message says which files to put where.
        ValueError: a file is damaged or not the official one.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998.

    Example:

    >>> [file.shape for file in SOURCE.files]  # load_data() itself needs the files
    [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    """
    given = Path(path).expanduser()
    if given.is_file():
        arrays = npz.read(given, ("x_train", "y_train", "x_test", "y_test"))
        return (arrays[0], arrays[1]), (arrays[2], arrays[3])
    return SOURCE.load()
