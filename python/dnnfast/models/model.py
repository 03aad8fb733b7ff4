"""Models: layers together, with training."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnfast import naming, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.layers.building import map_shapes
from dnnfast.layers.core.function_layer import FunctionLayer
from dnnfast.masks import mask_of, set_mask
from dnnfast.models.functional import FunctionalGraph
from dnnfast.models.portable import PortableMixin
from dnnfast.training.trainer import Trainer

if TYPE_CHECKING:
    from dnnfast.models.lint import Finding


class Model(PortableMixin, Trainer, Layer):
    """A model: ``Model(inputs, outputs)`` from symbolic tensors, or a subclass with ``call``.

    Args:
        inputs: a symbolic tensor from `Input`, or a list or dict of them.
        outputs: a symbolic tensor made from them by layers, or a list or dict of such.
        name: default ``"functional"`` or the class name, numbered.
        trainable: default True.

    Raises:
        ValueError: if outputs cannot be computed from the inputs, or names repeat.

    Example:
        >>> import dnnfast as keras
        >>> x = keras.Input((4,))
        >>> deep = keras.layers.Dense(3, activation="relu")(x)
        >>> y = keras.layers.Dense(1)(keras.layers.concatenate([x, deep]))
        >>> keras.Model(x, y).count_params()
        23
    """

    _functional: FunctionalGraph | None = None
    _constructed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs = kwargs.pop("inputs", args[0] if args else None)
        outputs = kwargs.pop("outputs", args[1] if len(args) > 1 else None)
        if len(args) > 3:
            raise TypeError(f"Model: expected at most inputs, outputs and name, got {len(args)}.")
        if len(args) > 2:
            kwargs.setdefault("name", args[2])
        if (inputs is None) != (outputs is None):
            raise ValueError("Model: give both `inputs` and `outputs`, or neither in a subclass.")
        if inputs is not None and type(self) is Model and kwargs.get("name") is None:
            kwargs["name"] = naming.auto_name("functional")
        Layer.__init__(self, **kwargs)
        self._init_trainer()
        self._constructed = True
        if inputs is not None:
            self._set_functional(inputs, outputs)

    def _set_functional(self, inputs: Any, outputs: Any) -> None:
        self._functional = FunctionalGraph(inputs, outputs)
        self.built = True
        self.output_names = self._names_of_outputs()

    def _names_of_outputs(self) -> list[str]:
        assert self._functional is not None
        structure = self._functional.output_structure
        if isinstance(structure, dict):
            return [str(name) for name in tree.flatten({key: key for key in structure})]
        names: list[str] = []
        for tensor in self._functional.outputs:
            history = tensor._keras_history
            name = history.operation.name if history is not None else tensor.name
            count = sum(1 for n in names if n == name or n.rpartition("_")[0] == name)
            names.append(f"{name}_{count}" if count else name)
        return names

    # Structure.

    @property
    def _serialized_class_name(self) -> str | None:  # type: ignore[override]
        is_plain = type(self) is Model and self._functional is not None
        return "Functional" if is_plain else None

    def _sublayers(self) -> list[Any]:
        if self._functional is not None:
            own = [layer for layer in super()._sublayers() if layer is not self]
            known = {id(layer) for layer in self._functional.layers}
            return [*self._functional.layers, *(x for x in own if id(x) not in known)]
        return super()._sublayers()

    @property
    def layers(self) -> list[Layer]:
        """The layers, from the inputs to the outputs."""
        return [layer for layer in self._sublayers() if not isinstance(layer, FunctionLayer)]

    @property
    def operations(self) -> list[Layer]:
        """The layers and the functions of `dnnfast.ops` between them."""
        return list(self._sublayers())

    def __getitem__(self, index: Any) -> Any:
        return self.layers[index]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its position.

        Raises:
            ValueError: if there is none, or not exactly one of the two is given.
        """
        from dnnfast.errors import suggest

        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("get_layer: give either `name` or `index`.")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"get_layer: no layer number {index}; {self.name!r} has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ValueError(
            f"get_layer: {self.name!r} has no layer {name!r}. {suggest(name, names)} "
            f"Its layers are: {', '.join(names)}."
        )

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs of a functional or sequential model."""
        return list(self._graph("inputs").inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs of a functional or sequential model."""
        return list(self._graph("outputs").outputs)

    @property
    def input(self) -> Any:
        """The symbolic input, in the structure given to the constructor."""
        return self._graph("input").input_structure

    @property
    def output(self) -> Any:
        """The symbolic output, in the structure given to the constructor."""
        return self._graph("output").output_structure

    @property
    def input_shape(self) -> Any:
        """The shape of the input, batch axis included."""
        return tree.map_structure(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, batch axis included."""
        return tree.map_structure(lambda t: t.shape, self.output)

    def _graph(self, what: str) -> FunctionalGraph:
        if self._functional is None:
            raise AttributeError(
                f"Model {self.name!r} has no `{what}` yet: it is not built. Give the first layer "
                "an Input, or call the model on data."
            )
        return self._functional

    # Building and calling.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # One array, the form that latency counts for, needs no search for symbolic tensors. Only a
        # constructed model has its graph's attributes.
        if len(args) == 1 and not kwargs and type(args[0]) is np.ndarray and self._constructed:
            return self._call_on_arrays(args[0], False)
        return super().__call__(*args, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for an input shape (batch axis included)."""
        if self.built or input_shape is None:
            return
        example = map_shapes(KerasTensor.of_batch, input_shape)
        # Set first: a subclass's own `build` may have led here.
        self.built, self._build_shapes = True, input_shape
        try:
            self._trace(example)
        except Exception:
            self.built = False
            raise

    def _build_with(self, shapes: Any) -> None:
        # The layers inside build themselves when `call` reaches them.
        self.built, self._build_shapes = True, shapes
        if type(self).build is not Model.build:
            self.build(shapes)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as another instance was."""
        self.build(config.get("input_shape"))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the outputs; subclasses override it."""
        if self._functional is None:
            raise NotImplementedError(
                f"Model {self.name!r} ({type(self).__name__}) has no layers to run: give inputs "
                "and outputs, or define `call(self, inputs)`."
            )
        for tensor, own in zip(tree.flatten(inputs), tree.flatten(mask), strict=False):
            if own is not None and mask_of(tensor) is None:
                set_mask(tensor, own)
        try:
            return self._functional.run(inputs)
        except ValueError as error:
            if str(error).startswith(("the input", "expected")):
                raise ValueError(f"Model {self.name!r}: {error}") from None
            raise

    def _set_masks(self, inputs: Any, outputs: Any, previous_mask: Any) -> None:
        # The layers of a graph have let masks ride on its outputs.
        if self._functional is None:
            super()._set_masks(inputs, outputs, previous_mask)

    # Serialization.

    def get_config(self) -> dict[str, Any]:
        """Return the model's structure (without weights) as plain data."""
        if self._functional is None or type(self) is not Model:
            return Layer.get_config(self)
        from dnnfast.models.serialization import functional_config

        return functional_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the model from the result of `get_config`."""
        from dnnfast.models.serialization import functional_from_config
        from dnnfast.saving.registry import CustomObjectScope

        with CustomObjectScope(custom_objects or {}):
            if "output_layers" in config:
                return functional_from_config(cls, config)
            accepted = inspect.signature(cls.__init__).parameters
            keep = {k: v for k, v in config.items() if k != "dtype" or "dtype" in accepted}
            return super().from_config(keep)

    def lint(
        self,
        x: Any = None,
        y: Any = None,
        shuffle: bool | None = None,
        suggested_rate: float | None = None,
    ) -> list[Finding]:
        """Return known traps that the model runs into, each with its reason and what to do.

        SELU without LeCun initialization, with BatchNormalization or plain dropout; rectifiers of
        deep nets without He initialization; sigmoid or tanh in hidden layers of a deep net; a bias
        before BatchNormalization; softmax or sigmoid before a loss that takes logits, and the
        reverse; equal weights to start from; unscaled inputs; sorted targets without shuffling; a
        learning rate above the one that the rate finder suggests.

        Args:
            x: some samples, to look at their scale.
            y: their targets.
            shuffle: what `fit` will be given.
            suggested_rate: what `callbacks.LearningRateFinder` suggests.

        Raises:
            ValueError: if the model is not built.

        Example:
            >>> import dnnfast as keras
            >>> hidden = keras.layers.Dense(8, "selu", name="hidden")
            >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
            >>> [finding.rule for finding in model.lint()]
            ['selu-init']
        """
        from dnnfast.models.lint import lint

        return lint(self, x, y, shuffle, suggested_rate)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers, their output shapes and numbers of parameters.

        Args:
            line_length: width of the table. Default that of the terminal, at most 98.
            print_fn: called with the text instead of printing it.
            expand_nested: also list the layers of nested models.
            show_trainable: mark layers as trainable or not.
        """
        from dnnfast.models.summary import summary_text

        text = summary_text(self, line_length, expand_nested, show_trainable)
        (print_fn or print)(text)
