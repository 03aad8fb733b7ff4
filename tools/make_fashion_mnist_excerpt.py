#!/usr/bin/env python3
"""Make the Fashion-MNIST excerpt that ships inside the package.

It takes the first 700 training and the first 100 test images of each class, in their original
order, so the result depends on nothing but the official files. No time stamps are stored, so the
same liblzma gives the same file, and any liblzma the same arrays. (LZMA saves a seventh of the size
that np.savez_compressed takes; np.load reads both.)

    python tools/make_fashion_mnist_excerpt.py [FOLDER_WITH_THE_FOUR_FILES]

Files in the cache of dnnfast (which must be installed) go before those in the folder; without a
folder they come from where `fashion_mnist.load_data()` finds them. With --check nothing is
written; the packaged file is compared with a new one.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from dnnfast.datasets import fashion_mnist
from dnnfast.datasets.files import Source

TRAIN_PER_CLASS = 700
TEST_PER_CLASS = 100
TARGET = Path(__file__).parent.parent / "python/dnnfast/datasets/fashion_mnist_excerpt.npz"


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """The sorted indices of the first `count` samples of every class."""
    picked = [np.flatnonzero(labels == label)[:count] for label in range(10)]
    return np.sort(np.concatenate(picked))


def excerpt(source: Source) -> dict[str, np.ndarray]:
    """The arrays of the excerpt, from the full data set."""
    (x_train, y_train), (x_test, y_test) = source.load()
    train = first_of_each_class(y_train, TRAIN_PER_CLASS)
    test = first_of_each_class(y_test, TEST_PER_CLASS)
    return {
        "x_train": x_train[train],
        "y_train": y_train[train],
        "x_test": x_test[test],
        "y_test": y_test[test],
    }


def write(arrays: dict[str, np.ndarray]) -> None:
    """Write the packaged file."""
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_LZMA)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="folder with the four official files")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    args = parser.parse_args()
    source = fashion_mnist.SOURCE
    if args.folder:
        missing = [f.name for f in source.files if not Path(args.folder, f.name).is_file()]
        if missing:
            parser.error(f"{args.folder} lacks {', '.join(missing)}")
        source = dataclasses.replace(source, system_folders=(args.folder,))
    arrays = excerpt(source)
    if args.check:
        with np.load(TARGET) as packaged:
            same = all(np.array_equal(packaged[name], array) for name, array in arrays.items())
        print("the packaged excerpt is", "the expected one" if same else "DIFFERENT")
        return 0 if same else 1
    write(arrays)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
