"""The few process-wide settings and their checks."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from dnnfast import checks
from dnnfast.errors import unknown_name

DEVICES = ("cpu", "reference", "cuda:0")
DEVICE_VARIABLE = "DNNFAST_DEVICE"

_device: str | None = None
_epsilon = 1e-7


def device() -> str:
    """Return the device that models run on.

    Unless `set_device` chose one, it is what the environment variable ``DNNFAST_DEVICE`` names, or
    ``"cpu"``.

    Raises:
        ValueError: if the variable names no device.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.device() in ("cpu", "reference")
        True
    """
    global _device
    if _device is None:
        try:
            _device = checked_device(DEVICE_VARIABLE, os.environ.get(DEVICE_VARIABLE) or "cpu")
        except ValueError as error:
            raise ValueError(f"environment variable {DEVICE_VARIABLE}: {error}") from None
    return _device


def set_device(name: str) -> None:
    """Choose the device that models run on from now on.

    A model moves, with its weights and optimizer state, the next time it is used.

    Args:
        name: ``"cpu"`` (native code, the default), ``"reference"`` (NumPy in float64, slow, the
            specification that the others are tested against), or ``"cuda:0"``, ``"cuda:1"``, ...
            (an NVIDIA GPU, where the GPU part is built: experimental, tested in simulation and not
            yet on a GPU); ``"cuda"`` is ``"cuda:0"``. For ``"cuda:described"`` models can be
            planned (`Model.plan`), as for an H200, on a machine that has none.

    Raises:
        ValueError: if there is no such device, or the GPU part is not installed.

    Example:
        >>> import dnnfast
        >>> before = dnnfast.config.device()
        >>> dnnfast.config.set_device("reference")
        >>> dnnfast.config.device()
        'reference'
        >>> dnnfast.config.set_device(before)
    """
    global _device
    _device = checked_device("set_device", name)


@contextlib.contextmanager
def on_device(name: str | None, where: str) -> Iterator[None]:
    """Run what is inside on another device, or on the current one for None."""
    global _device
    before = device()
    _device = before if name is None else checked_device(where, name)
    try:
        yield
    finally:
        _device = before


def takes_device(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method's keyword ``device`` the device that it runs on; None: the current one."""

    @functools.wraps(method)
    def on_its_device(self: Any, *args: Any, device: str | None = None, **others: Any) -> Any:
        if device is None:
            return method(self, *args, **others)
        with on_device(device, method.__name__):
            return method(self, *args, **others)

    return on_its_device


def checked_device(where: str, name: str) -> str:
    """Return the full name of a device that this installation has."""
    if not isinstance(name, str) or not re.fullmatch(r"cuda(:(\d+|described))?", name):
        if name not in DEVICES:
            raise unknown_name("device", name, DEVICES)
        return name
    from dnnfast import engine

    if engine.cuda_library() is None:
        raise ValueError(
            f"{where}: {name!r} needs dnnfast's GPU part, which this installation does not have. "
            "Build it where nvcc is found: pip install . -C cmake.define.DNNFAST_CUDA=ON"
        )
    return name if ":" in name else f"{name}:0"


def set_threads(count: int) -> None:
    """Set the number of threads of the ``"cpu"`` device; results do not depend on it.

    Args:
        count: a positive integer.

    Raises:
        ValueError: if ``count`` is not a positive integer.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_threads(0)
        Traceback (most recent call last):
        ValueError: set_threads: expected a positive integer, got 0.
    """
    from dnnfast import engine

    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"set_threads: expected a positive integer, got {count!r}.")
    engine.native().set_threads(count)


def threads() -> int:
    """Return the number of threads of the ``"cpu"`` device.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.threads() >= 1
        True
    """
    from dnnfast import engine

    return int(engine.native().threads())


def floatx() -> str:
    """Return the default floating-point type of layers, ``"float32"``.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.floatx()
        'float32'
    """
    return "float32"


def set_floatx(value: str) -> None:
    """Accept ``"float32"``, the type that models compute in.

    Raises:
        ValueError: for any other type.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_floatx("float32")
    """
    if value != "float32":
        raise ValueError(
            f"set_floatx: models compute in float32, got {value!r}. Data of any numeric type is "
            "accepted as it is; to compute in float64 use config.set_device('reference')."
        )


def epsilon() -> float:
    """Return the small constant for fuzzy comparisons, 1e-7 unless changed.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.epsilon()
        1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the value that `epsilon` returns; models are not affected.

    Args:
        value: at least 0.

    Raises:
        ValueError: if it is no such number.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_epsilon(1e-5)
        >>> dnnfast.config.epsilon()
        1e-05
        >>> dnnfast.config.set_epsilon(1e-7)
    """
    global _epsilon
    _epsilon = checks.number("set_epsilon", "value", value, 0.0)
