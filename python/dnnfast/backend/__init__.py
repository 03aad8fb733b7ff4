"""The old backend functions that code around models still calls."""

from dnnfast.backend.values import clear_session, get_value, set_value
from dnnfast.config.settings import epsilon, floatx, set_epsilon, set_floatx

__all__ = [
    "clear_session",
    "epsilon",
    "floatx",
    "get_value",
    "set_epsilon",
    "set_floatx",
    "set_value",
]
