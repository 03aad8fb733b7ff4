"""Data sets that the lectures use: `dnnfast.datasets.fashion_mnist`, `dnnfast.datasets.mnist`.

`load_data()` of each looks in the cache, then in the system's data folder, then downloads.
"""

from __future__ import annotations

from dnnfast.datasets import fashion_mnist, mnist

__all__ = ["fashion_mnist", "mnist"]
