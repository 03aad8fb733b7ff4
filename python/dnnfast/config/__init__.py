"""Global settings: device, threads, floating-point defaults."""

from dnnfast.config.settings import (
    device,
    epsilon,
    floatx,
    set_device,
    set_epsilon,
    set_floatx,
    set_threads,
    threads,
)

__all__ = [
    "device",
    "epsilon",
    "floatx",
    "set_device",
    "set_epsilon",
    "set_floatx",
    "set_threads",
    "threads",
]
