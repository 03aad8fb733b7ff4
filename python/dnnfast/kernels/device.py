"""The native kernels on the current device."""

from __future__ import annotations

from typing import Any

from dnnfast import engine
from dnnfast.config import settings


class _Kernels:
    """Looks up kernels in the native module and points them to the device first."""

    def __getattr__(self, name: str) -> Any:
        kernels = engine.native().kernels
        device = settings.device()
        if device.startswith("cuda:"):
            engine.native().set_cuda_library(str(engine.cuda_library()))
        kernels.set_device("cpu" if device == "reference" else device)
        return getattr(kernels, name)


native = _Kernels()
