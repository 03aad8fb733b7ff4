"""Global settings: device, threads, floating-point defaults."""

from dnnfast.config.limits import (
    disable_traceback_filtering,
    enable_traceback_filtering,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from dnnfast.config.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
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
from dnnfast.config.switches import (
    backend,
    enable_determinism,
    image_data_format,
    is_nnx_enabled,
    set_backend,
    set_image_data_format,
)
from dnnfast.dtype_policies.policy import dtype_policy, set_dtype_policy
from dnnfast.saving.lambdas import enable_unsafe_deserialization

__all__ = [
    "backend",
    "device",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_determinism",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_device",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_threads",
    "threads",
]
