"""An operation as part of a model."""

from __future__ import annotations

import inspect
from typing import Any

from dnnfast.layers.base import Layer
from dnnfast.saving.objects import serialize_keras_object


class OperationLayer(Layer):
    """Calls an `Operation`.

    Args:
        operation: the `Operation`.
        **kwargs: ``name``.

    Example:
        >>> import dnnfast as keras
        >>> class Same(keras.Operation):
        ...     def call(self, x):
        ...         return x
        >>> x = keras.Input((3,))
        >>> keras.Model(x, Same(name="same")(x)).layers[1].name
        'same'
    """

    _allow_non_tensor_positional_args = True

    def __init__(self, operation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.operation = operation
        self.built = True

    @property
    def _call_signature(self) -> inspect.Signature:
        return inspect.signature(self.operation.call)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the operation's outputs."""
        return self.operation.call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "operation": serialize_keras_object(self.operation)}
