"""Arrays that lie on a GPU: read and written in place, never looked into by the host."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

# The types that engines read.
_KINDS = "fiub"


class DeviceArray:
    """Where an array of a GPU lies, as its ``__cuda_array_interface__`` (version 3) tells.

    Shape, strides and basic indexing are those of NumPy; values cannot be asked for.

    Args:
        owner: the array; it is kept.
        what: its name in messages.

    Raises:
        TypeError: if it is not numeric.
    """

    def __init__(self, owner: Any, what: str) -> None:
        interface = owner.__cuda_array_interface__
        self.stream = interface.get("stream") or 0
        # For the native module. Its data pointer is the device's: whoever looks at a value crashes.
        self.geometry = np.asarray(_Geometry(owner, interface))
        if self.dtype.kind not in _KINDS or self.dtype.byteorder not in "=|":
            raise TypeError(
                f"{what} has dtype {self.dtype}; expected float16, float32, float64, bool or an "
                "integer type."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.geometry.shape

    @property
    def ndim(self) -> int:
        """Its number of axes."""
        return self.geometry.ndim

    @property
    def size(self) -> int:
        """Its number of elements."""
        return self.geometry.size

    @property
    def dtype(self) -> np.dtype:
        """Its type."""
        return self.geometry.dtype

    @property
    def strides(self) -> tuple[int, ...]:
        """Its strides in bytes."""
        return self.geometry.strides

    def __len__(self) -> int:
        return len(self.geometry)

    def __getitem__(self, key: Any) -> DeviceArray:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(k is None or k is Ellipsis or isinstance(k, (int, slice)) for k in keys):
            raise TypeError("an array on a GPU takes slices and integers as indices only.")
        part = DeviceArray.__new__(DeviceArray)
        part.stream = self.stream
        part.geometry = self.geometry[(*keys, Ellipsis) if Ellipsis not in keys else keys]
        return part


class _Geometry:
    """The interface of a host array with the place of a device's; it keeps the owner."""

    def __init__(self, owner: Any, interface: dict[str, Any]) -> None:
        self.owner = owner
        fields = ("shape", "typestr", "data", "strides")
        self.__array_interface__ = {k: interface[k] for k in fields if k in interface}
        self.__array_interface__["version"] = 3


def is_on_gpu(value: Any) -> bool:
    """Tell whether a value is an array on a GPU."""
    if isinstance(value, np.ndarray):
        return False
    if isinstance(value, DeviceArray) or hasattr(value, "__cuda_array_interface__"):
        return True
    return hasattr(value, "__dlpack_device__") and int(value.__dlpack_device__()[0]) == 2


def device_array(value: Any, what: str) -> DeviceArray:
    """Return an array on a GPU as a `DeviceArray`, without a copy.

    Raises:
        TypeError: if it is not numeric, or offers DLPack only and CuPy is not installed.
    """
    if isinstance(value, DeviceArray):
        return value
    if not hasattr(value, "__cuda_array_interface__"):
        if importlib.util.find_spec("cupy") is None:
            raise TypeError(
                f"{what} is a {type(value).__name__} on a GPU, which CuPy is needed for: "
                "pip install 'dnnfast[cuda13]', or pass it as a NumPy array."
            )
        value = importlib.import_module("cupy").from_dlpack(value)
    return DeviceArray(value, what)


def empty_like_given(inputs: list[Any], shape: tuple[int, ...]) -> Any:
    """Return an uninitialised float32 array where the inputs are: of CuPy if that is possible."""
    given = any(isinstance(x, DeviceArray) for x in inputs)
    if given and importlib.util.find_spec("cupy") is not None:
        return importlib.import_module("cupy").empty(shape, "float32")
    return np.empty(shape, np.float32)


def native(arrays: list[Any]) -> list[Any]:
    """Return arrays as the native module takes them."""
    return [device_array(a, "an array") if is_on_gpu(a) else a for a in arrays]
