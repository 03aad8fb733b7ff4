"""Data for the benchmarks: rows like those of Fashion-MNIST, or the real set from a folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from workloads import CLASSES, INPUTS


def synthetic(rows: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Ten noisy prototypes with about half of the pixels zero, as in Fashion-MNIST, and a quarter
    of the labels random.

    Random labels keep the loss from vanishing in long runs: subnormal gradients would slow some
    peers down for a reason that real data does not have.

    Returns:
        x float32 [rows, 784] in [0, 1] and labels int32 [rows].
    """
    rng = np.random.default_rng(seed)
    prototypes = rng.random((CLASSES, INPUTS), dtype=np.float32)
    mask = rng.random((CLASSES, INPUTS)) < 0.5
    labels = rng.integers(0, CLASSES, rows, dtype=np.int32)
    x = rng.random((rows, INPUTS), dtype=np.float32)
    x *= 0.5
    x += 0.5 * prototypes[labels]
    x *= mask[labels]
    noise = rng.random(rows) < 0.25
    return x, np.where(noise, rng.integers(0, CLASSES, rows), labels).astype(np.int32)


def real(folder: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The first training rows of the official files in `folder`, in the form of `synthetic`."""
    images = gzip.decompress((Path(folder) / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((Path(folder) / "train-labels-idx1-ubyte.gz").read_bytes())
    # idx headers: magic and three (images) or one (labels) big-endian sizes of four bytes.
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, INPUTS)[:rows]
    y = np.frombuffer(labels, np.uint8, offset=8)[:rows]
    return (x / np.float32(255)).astype(np.float32), y.astype(np.int32)


def load(rows: int, folder: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Rows from `folder` when one is given, synthetic ones otherwise."""
    return real(folder, rows) if folder else synthetic(rows)
