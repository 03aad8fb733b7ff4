"""Boston housing: prices of 506 districts of the 1970s, by 13 features.

One feature is built on the share of Black residents; the set is kept for old examples, and
`california_housing` is the better choice for new ones.
"""

from __future__ import annotations

from dnnfast.datasets import npz
from dnnfast.datasets.files import File, Source, Split

SOURCE = Source(
    title="Boston housing",
    folder="boston-housing",
    system_folders=("~/.keras/datasets",),
    addresses=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",),
    hint="",
    files=(
        File(
            "boston_housing.npz",
            "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
        ),
    ),
)


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Return the data set, shuffled and split: by default 404 samples to train on, 102 to test on.

    The file is taken from the first place that has it: the cache
    (`$DNNFAST_HOME/datasets/boston-housing`, by default `~/.dnnfast/datasets/boston-housing`), that
    of Keras (`~/.keras/datasets`), the official address, from where it is stored in the cache after
    a check of its SHA-256 sum.

    Args:
        path: another file to read, if it exists.
        test_split: share of the samples to test on, in [0, 1). Default 0.2.
        seed: of the order; the same as Keras's for the same number. Default 113.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: features float64 `[n, 13]`, prices in thousands of
        dollars float64 `[n]`.

    Raises:
        ConnectionError: no place has the file; the message says which file to put where.
        ValueError: the file is damaged, or the share out of range.

    Source: Harrison and Rubinfeld, "Hedonic prices and the demand for clean air", 1978.

    Example:

    >>> load_data.__name__  # (404, 13) samples need the file
    'load_data'
    """
    return npz.split(*npz.load_xy(SOURCE, path), test_split, seed)
