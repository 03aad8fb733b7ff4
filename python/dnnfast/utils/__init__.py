"""Helpers around models."""

from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object
from dnnfast.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from dnnfast.utils.numerical import normalize, to_categorical
from dnnfast.utils.progbar import Progbar
from dnnfast.utils.seeding import set_random_seed

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
