"""The native kernels on the current device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast import engine
from dnnfast.config import settings
from dnnfast.training.arrays import as_array
from dnnfast.training.device_arrays import is_on_gpu


class _Kernels:
    """Looks up kernels in the native module and points them to the device first."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        device = settings.device()
        on_gpu = device.startswith("cuda:")
        kernels = (engine.with_cuda() if on_gpu else engine.native()).kernels
        kernels.set_device(device if on_gpu else "cpu")
        kernel = getattr(kernels, name)

        def run(*arguments: Any) -> Any:
            return kernel(*map(_placed, arguments))

        return run


def _placed(argument: Any) -> Any:
    if isinstance(argument, list):
        return [_placed(item) for item in argument]
    if isinstance(argument, dict):
        return {name: _placed(item) for name, item in argument.items()}
    return as_array(argument, "an argument") if is_on_gpu(argument) else argument


native = _Kernels()
