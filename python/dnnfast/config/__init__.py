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
from dnnfast.dtype_policies.policy import dtype_policy, set_dtype_policy

__all__ = [
    "device",
    "dtype_policy",
    "epsilon",
    "floatx",
    "set_device",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_threads",
    "threads",
]
