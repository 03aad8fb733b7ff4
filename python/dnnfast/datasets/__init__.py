"""Data sets that examples and lectures use.

`load_data()` of each looks in the cache, then in the system's data folder, then downloads.
"""

from __future__ import annotations

from dnnfast.datasets import boston_housing, california_housing, cifar10, fashion_mnist, mnist

__all__ = ["boston_housing", "california_housing", "cifar10", "fashion_mnist", "mnist"]
