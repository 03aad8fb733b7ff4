"""California housing: median house values of 20,640 block groups of the census of 1990.

Features: median income, house age, rooms, bedrooms, population, household size (averages a block
group), latitude, longitude.
"""

from __future__ import annotations

from dnnfast.datasets import npz
from dnnfast.datasets.files import File, Source, Split
from dnnfast.errors import unknown_name

SOURCE = Source(
    title="California housing",
    folder="california-housing",
    system_folders=("~/.keras/datasets",),
    addresses=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",),
    hint="",
    files=(
        File(
            "california_housing.npz",
            "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
        ),
    ),
)

_SMALL = 600


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Return the data set, shuffled and split: by default 16,512 samples to train on, 4,128 to
    test on.

    The file is taken from the first place that has it: the cache
    (`$DNNFAST_HOME/datasets/california-housing`, by default
    `~/.dnnfast/datasets/california-housing`), that of Keras (`~/.keras/datasets`), the official
    address, from where it is stored in the cache after a check of its SHA-256 sum.

    Args:
        version: `"large"` (default) or `"small"`, the first 600 samples.
        path: another file to read, if it exists.
        test_split: share of the samples to test on, in [0, 1). Default 0.2.
        seed: of the order; the same as Keras's for the same number. Default 113.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: features float32 `[n, 8]`, median values in dollars
        float32 `[n]`.

    Raises:
        ConnectionError: no place has the file; the message says which file to put where.
        ValueError: the version is not known, the file is damaged, or the share out of range.

    Source: Pace and Barry, "Sparse spatial autoregressions", 1997.

    Example:

    >>> load_data.__name__  # (16512, 8) samples need the file
    'load_data'
    """
    if version not in ("large", "small"):
        raise unknown_name("California housing version", version, ("large", "small"))
    x, y = npz.load_xy(SOURCE, path)
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return npz.split(x, y, test_split, seed)
