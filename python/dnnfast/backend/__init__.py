"""The old backend functions that code around models still calls."""

from dnnfast.backend.values import clear_session, get_uid, get_value, result_type, set_value
from dnnfast.config.settings import epsilon, floatx, set_epsilon, set_floatx
from dnnfast.config.switches import backend, image_data_format, set_image_data_format
from dnnfast.dtypes import is_float_dtype, is_int_dtype, standardize_dtype
from dnnfast.keras_tensor import is_keras_tensor

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "get_value",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_value",
    "standardize_dtype",
]
