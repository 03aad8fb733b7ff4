"""Functions with a name and a configuration, for arrays and for models."""

from __future__ import annotations

from typing import Any

from dnnfast import naming, tree
from dnnfast.configurable import Configurable
from dnnfast.keras_tensor import KerasTensor


class Operation(Configurable):
    """A function of tensors, without weights: subclass it and define ``call``.

    On arrays it gives what ``call`` returns; on symbolic tensors it becomes part of the model.

    Args:
        name: without "/". Default the class name in snake case, numbered.

    Raises:
        ValueError: if the name is no such string.

    Example:
        >>> import dnnfast as keras
        >>> class Twice(keras.Operation):
        ...     def call(self, x):
        ...         return keras.layers.add([x, x])
        >>> Twice()(keras.Input((3,))).shape
        (None, 3)
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f'Operation: name must be a string without "/", got {name!r}.')
        self.name = name or naming.auto_name(naming.to_snake_case(type(self).__name__))
        self._layer: Any = None

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs; subclasses override it."""
        raise NotImplementedError(
            f"Operation {self.name!r} ({type(self).__name__}) does not define `call`."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs."""
        if self._layer is None:
            from dnnfast.layers.core.operation_layer import OperationLayer

            self._layer = OperationLayer(self, name=self.name)
        return self._layer(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return symbolic outputs of the right shape, without becoming part of a model."""
        from dnnfast import tracing

        with tracing.calling(None, None):
            return self.call(*args, **kwargs)

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        return self._called("input").input

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        return self._called("output").output

    def _called(self, what: str) -> Any:
        if self._layer is None:
            raise AttributeError(
                f"Operation {self.name!r} has no `{what}`: it was not called on a symbolic tensor."
            )
        return self._layer

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"
