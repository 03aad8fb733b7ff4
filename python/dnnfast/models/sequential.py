"""Models that are a chain of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import dtype_policies, tracing
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.layers.core.input_layer import Input, InputLayer
from dnnfast.models.model import Model
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class Sequential(Model):
    """A chain of layers.

    Without an `Input` first (or ``input_shape=`` on the first layer) it is built when it first
    meets data.

    Args:
        layers: the layers in order; a symbolic `Input` may come first.
        trainable: default True.
        name: default ``"sequential"``, numbered.

    Raises:
        TypeError: if something is not a layer.
        ValueError: if a name repeats.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.add(keras.layers.Dense(1))
        >>> model.count_params()
        11
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._chain: list[Layer] = []
        super().__init__(trainable=trainable, name=name, **kwargs)
        if layers is not None:
            if not isinstance(layers, (list, tuple)):
                layers = [layers]
            for layer in layers:
                self._append(layer)
            self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            TypeError: if it is not a layer.
            ValueError: if its name is taken or it does not fit.
        """
        before = list(self._chain)
        self._append(layer)
        try:
            if rebuild:
                self._rebuild()
        except Exception:
            self._chain = before
            self._rebuild()
            raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer.

        Raises:
            TypeError: if there is none.
        """
        if not self._chain or isinstance(self._chain[-1], InputLayer):
            raise TypeError(f"pop: {self.name!r} has no layers.")
        layer = self._chain.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history.operation
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(f"add: {layer.__name__} is a class; write {layer.__name__}(...).")
        if not isinstance(layer, Layer):
            raise TypeError(
                f"add: expected a layer, got {type(layer).__name__} ({layer!r}). To apply a "
                "function use layers.Activation."
            )
        if isinstance(layer, InputLayer) and self._chain:
            raise ValueError(f"add: {self.name!r} has layers already; an Input must come first.")
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(
                f"add: {self.name!r} already has a layer {layer.name!r}; names must be unique."
            )
        if not self._chain and not isinstance(layer, InputLayer):
            shape = layer._declared_input_shape
            if shape is not None:
                self._chain.append(InputLayer(batch_shape=(None, *shape)))
            elif isinstance(layer, Model) and layer._functional is not None:
                tensors = layer._functional.inputs
                if len(tensors) == 1:
                    self._chain.append(InputLayer(batch_shape=tensors[0].shape))
            elif layer.built and layer._inbound_nodes and len(layer._inbound_nodes[0].inputs) == 1:
                shape = layer._inbound_nodes[0].inputs[0].shape
                self._chain.append(InputLayer(batch_shape=shape))
        self._chain.append(layer)

    def _rebuild(self) -> None:
        """Chain the layers from the input, if there is one."""
        self._functional = None
        self.built = False
        self._drop_programs()
        if len(self._chain) < 2 or not isinstance(self._chain[0], InputLayer):
            return
        first: Any = self._chain[0]
        x = tensor = first.output
        with tracing.outside():
            for layer in self._chain[1:]:
                tensor = layer(tensor)
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        f"Sequential {self.name!r}: layer {layer.name!r} has several outputs; use "
                        "Model(inputs, outputs) instead."
                    )
        self._set_functional(x, tensor)

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for an input shape (batch axis included)."""
        if self.built or input_shape is None or not self._chain:
            return
        if not isinstance(self._chain[0], InputLayer):
            layer: Any = Input(batch_shape=(None, *tuple(input_shape)[1:]))._keras_history
            self._chain.insert(0, layer.operation)
        try:
            self._rebuild()
        except Exception:
            del self._chain[0]
            raise

    def _build_with(self, shapes: Any) -> None:
        self.build(shapes)
        self._build_shapes = shapes

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the outputs."""
        if not self._chain:
            raise ValueError(f"Sequential {self.name!r} has no layers; add some first.")
        if isinstance(inputs, (list, tuple)) and len(inputs) == 1:
            inputs = inputs[0]
        return super().call(inputs, training, mask)

    def _sublayers(self) -> list[Any]:
        return list(self._chain)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return [layer for layer in self._chain if not isinstance(layer, InputLayer)]

    def get_config(self) -> dict[str, Any]:
        """Return the model's structure (without weights) as plain data."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }
        config["layers"] = [serialize_keras_object(layer) for layer in self._chain]
        if self._functional is not None:
            config["build_input_shape"] = list(self.input_shape)
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the input shape, or None if not built."""
        return {"input_shape": list(self.input_shape)} if self._functional is not None else None

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the model from the result of `get_config`."""
        layers = [deserialize_keras_object(c, custom_objects) for c in config["layers"]]
        model = cls(layers, name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model.build(tuple(shape))
        return model
