"""Helpers around models."""

from dnnfast.backend.values import clear_session
from dnnfast.config.messages import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from dnnfast.dtypes import standardize_dtype
from dnnfast.keras_tensor import is_keras_tensor
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object
from dnnfast.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from dnnfast.utils.files import get_file
from dnnfast.utils.model_plot import plot_model
from dnnfast.utils.numerical import normalize, to_categorical
from dnnfast.utils.progbar import Progbar
from dnnfast.utils.py_dataset import (
    PyDataset,
    Sequence,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from dnnfast.utils.seeding import set_random_seed
from dnnfast.utils.sequences import pad_sequences
from dnnfast.utils.splitting import split_dataset

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
