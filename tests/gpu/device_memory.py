"""Arrays on the simulated device, as CuPy would give them."""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import sys
import types
from typing import Any

import numpy as np


class GpuArray:
    """Offers the CUDA array interface and nothing that a host could read by accident."""

    def __init__(self, values: np.ndarray) -> None:
        self._library = ctypes.CDLL(os.environ["DNNFAST_CUDA_LIBRARY"])
        self._library.dnnfast_sim_upload.restype = ctypes.c_void_p
        values = np.ascontiguousarray(values)
        self._pointer = self._library.dnnfast_sim_upload(
            values.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(values.nbytes)
        )
        self.shape, self.dtype = values.shape, values.dtype

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self._pointer, False),
            "strides": None,
            "version": 3,
            "stream": None,
        }

    def __getitem__(self, rows: slice) -> GpuArray:
        assert rows == slice(None)
        return self

    def numpy(self) -> np.ndarray:
        """Copy the values to the host."""
        values = np.empty(self.shape, self.dtype)
        self._library.dnnfast_sim_download(
            values.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_void_p(self._pointer),
            ctypes.c_size_t(values.nbytes),
        )
        return values


def pretend_cupy() -> None:
    """Make `import cupy` find a module whose arrays are `GpuArray`."""
    module = types.ModuleType("cupy")
    module.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    module.empty = lambda shape, dtype: GpuArray(np.full(shape, np.nan, dtype))  # type: ignore[attr-defined]
    sys.modules["cupy"] = module
