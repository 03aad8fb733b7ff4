"""The engines behind one interface: which Session, Dataset and helpers the current device has."""

from __future__ import annotations

import functools
import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dnnfast.config import settings


@functools.cache  # asked for at every prediction
def native() -> ModuleType:
    """Return the native module.

    Raises:
        ImportError: if the package was installed without it.
    """
    try:
        return importlib.import_module("dnnfast._core")
    except ImportError as error:
        raise ImportError(
            "dnnfast's native module (dnnfast._core) could not be loaded: "
            f"{error}. Reinstall the package (`pip install .` in its folder), or call "
            "dnnfast.config.set_device('reference') to run the slow NumPy engine."
        ) from error


def cuda_library() -> Path | None:
    """Return the library of the GPU part, or None if the installation has none."""
    given = os.environ.get("DNNFAST_CUDA_LIBRARY")
    path = Path(given) if given else Path(__file__).with_name("libdnnfast_cuda.so")
    return path if path.exists() else None


def with_cuda() -> ModuleType:
    """Return the native module, told where the GPU part lies."""
    native().set_cuda_library(str(cuda_library()))
    return native()


def module(device: str | None = None) -> ModuleType:
    """Return the module that implements a device (the current one by default)."""
    name = device or settings.device()
    return importlib.import_module("dnnfast.reference") if name == "reference" else native()


def session(graph: Any, device: str | None = None) -> Any:
    """Compile a `dnnfast.graph.Graph` for a device."""
    name = device or settings.device()
    if name.startswith("cuda:"):
        return with_cuda().Session(graph, name)
    return module(name).Session(graph)


def dataset(
    inputs: list[np.ndarray],
    targets: list[np.ndarray],
    weights: list[np.ndarray | None],
    device: str | None = None,
) -> Any:
    """Wrap arrays, without copying them, for a session of the same device."""
    return module(device).Dataset(inputs, targets, weights)


def shuffle(n: int, seed: int, epoch: int) -> np.ndarray:
    """Return the permutation of ``n`` rows for an epoch; the same on every device."""
    return module().shuffle(n, seed, epoch)


def infer_shape(op: str, shapes: list[tuple[int, ...]], attrs: dict[str, Any]) -> tuple[int, ...]:
    """Return the sample shape of an op's output."""
    return tuple(module().infer_shape(op, shapes, attrs))
