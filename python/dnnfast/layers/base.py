"""The base class of layers."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dnnfast import dtype_policies, naming, regularizers, tracing, tree
from dnnfast.errors import suggest
from dnnfast.keras_tensor import KerasHistory, KerasTensor
from dnnfast.layers.input_spec import check_inputs
from dnnfast.layers.recording import RecordingMixin
from dnnfast.layers.weights import WeightsMixin
from dnnfast.operation import Operation
from dnnfast.variable import Variable


class CallNode:
    """One call of a layer on symbolic tensors: an edge bundle of a functional model."""

    def __init__(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.inputs = [t for t in tree.flatten([args, kwargs]) if isinstance(t, KerasTensor)]
        self.outputs: list[KerasTensor] = []
        self.index = len(layer._inbound_nodes)

    def attach(self, outputs: list[KerasTensor]) -> None:
        """Make the tensors outputs of this call."""
        self.outputs = outputs
        for i, tensor in enumerate(outputs):
            tensor._keras_history = KerasHistory(self.layer, self.index, i)
        self.layer._inbound_nodes.append(self)


def _normalized_shape(name: str, shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    try:
        return tuple(None if size is None else int(size) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: a shape is an int or a tuple or list of ints, got {shape!r}."
        ) from None


def _declared_input(kwargs: dict[str, Any], cls: str) -> tuple[int | None, ...] | None:
    """Take the old ways to declare an input on a first layer out of ``kwargs``."""
    kwargs.pop("input_dtype", None)
    kwargs.pop("batch_size", None)
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    batch = kwargs.pop("batch_input_shape", None)
    if batch is not None:
        shape = tuple(batch)[1:]
    if dim is not None:
        shape = (dim,)
    return None if shape is None else _normalized_shape(f"{cls}: input_shape", shape)


def _marking_built(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a class's own `build`, so that calling it directly counts, and only once."""

    @functools.wraps(build)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.built = True
        if self._build_shapes is None and args:
            self._build_shapes = args[0]

    return wrapper


class Layer(RecordingMixin, WeightsMixin, Operation):
    """The base class of layers; subclass it and define ``call`` (and ``build``, ``get_config``).

    Args:
        trainable: whether training updates its weights. Default True.
        dtype: a `dtype_policies.DTypePolicy` or its name; default that of `config.dtype_policy`.
        name: default the class name in snake case, numbered.

    Raises:
        TypeError: if an argument is not known.

    Example:
        >>> import dnnfast
        >>> class Twice(dnnfast.layers.Layer):
        ...     def call(self, x):
        ...         return dnnfast.layers.add([x, x])
        >>> Twice()(dnnfast.Input((3,))).shape
        (None, 3)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__ and not cls.__module__.startswith("dnnfast.models"):
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        # Lets a subclass without get_config round-trip; see get_config.
        instance.__dict__["_init_arguments"] = (args, kwargs)
        return instance

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        cls = type(self).__name__
        self._declared_input_shape = _declared_input(kwargs, cls)
        self._initial_weights = kwargs.pop("weights", None)
        if kwargs:
            wrong = next(iter(kwargs))
            known = list(inspect.signature(type(self).__init__).parameters)[1:]
            known += ["name", "trainable", "dtype", "input_shape"]
            raise TypeError(f"{cls}: unknown argument {wrong!r}. {suggest(wrong, known)}".rstrip())
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{cls}: name must be a string, got {name!r}.")
        if name is None:
            name = naming.auto_name(naming.to_snake_case(self._serialized_class_name or cls))
        else:
            naming.reserve(name)
        self.name = name
        try:
            self.dtype_policy = dtype_policies.get(dtype)
        except ValueError as error:
            raise ValueError(f"{cls} {name!r}: {error}") from None
        self.built = False
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._inbound_nodes: list[CallNode] = []
        self._build_shapes: Any = None

    _serialized_class_name: str | None = None
    input_spec: Any = None  # an InputSpec, or a list of them, that a subclass may set

    @property
    def dtype(self) -> str:
        """The type of the weights, ``"float32"``."""
        return "float32"

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """``"float32"``, or ``"bfloat16"`` or ``"float16"`` with a mixed policy."""
        return self._own_policy.compute_dtype

    @property
    def _own_policy(self) -> dtype_policies.DTypePolicy:
        """This layer's policy, where `dtype_policy` is a map of several."""
        policy = self.dtype_policy
        return policy[self.name] if isinstance(policy, dtype_policies.DTypePolicyMap) else policy

    # Building.

    def build(self, input_shape: Any) -> None:
        """Create the weights; subclasses override it. Shapes include the batch axis."""
        self.built = True

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        source = args[0] if args else next(iter(kwargs.values()))
        shapes = tree.map_structure(lambda t: getattr(t, "shape", None), source)
        self._build_with(shapes)

    def _build_with(self, shapes: Any) -> None:
        with tracing.calling(self, None, recording=False):
            self.build(shapes)
        self.built = True
        self._build_shapes = shapes
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` needs, or None if not built."""
        if self._build_shapes is None:
            return None
        return {"input_shape": self._build_shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as another instance was."""
        shape = config.get("input_shape")
        if shape is None:
            return
        nested = isinstance(shape, (list, tuple)) and any(
            isinstance(s, (list, tuple)) for s in shape
        )
        self._build_with([tuple(s) for s in shape] if nested else tuple(shape))

    # Calling.

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs; subclasses override it."""
        raise NotImplementedError(
            f"Layer {self.name!r} ({type(self).__name__}) does not define `call(self, inputs)`."
        )

    def _call_parameters(self) -> tuple[set[str], bool]:
        """Return the names of `call`'s parameters, and whether it takes any keyword."""
        parameters = inspect.signature(self.call).parameters
        any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        return set(parameters), any_keyword

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "_inbound_nodes"):
            raise RuntimeError(
                f"{type(self).__name__}: the constructor must call super().__init__() first."
            )
        leaves = tree.flatten([args, kwargs])
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return self._call_symbolic(args, kwargs)
        from dnnfast.training import eager

        return eager.call_layer(self, args, kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs."""
        return self._call_symbolic(args, kwargs)

    def _call_symbolic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kwargs = dict(kwargs)
        explicit = kwargs.pop("training", None)
        training = tracing.current_training() if explicit is None else explicit
        self._check_inputs(args)
        if self.input_spec is not None:
            check_inputs(self.input_spec, args[0] if args else None, self.name)
        self._ensure_built(args, kwargs)
        outermost = tracing.depth() == 0
        node = CallNode(
            self, args, dict(kwargs, training=explicit) if explicit is not None else kwargs
        )
        names, any_keyword = self._call_parameters()
        passed = dict(kwargs, training=training) if "training" in names or any_keyword else kwargs
        outputs = self._call_in_mode(args, passed, training)
        with tracing.calling(self, training):
            self._regularize_activity(outputs)
            outputs = self._own_outputs(outputs, node) if outermost else outputs
        if outermost:
            node.attach(tree.flatten(outputs))
        return outputs

    def _own_outputs(self, outputs: Any, node: CallNode) -> Any:
        """Give every output a tensor of its own (a layer may return its input as it is)."""
        seen: set[int] = {id(t) for t in node.inputs}

        def own(tensor: Any) -> KerasTensor:
            if not isinstance(tensor, KerasTensor):
                raise TypeError(
                    f"Layer {self.name!r}: `call` returned {type(tensor).__name__} on symbolic "
                    "inputs; it must return the output of layers or of dnnfast functions."
                )
            if id(tensor) in seen or tensor._keras_history is not None:
                tensor = tracing.alias(tensor)
            seen.add(id(tensor))
            return tensor

        return tree.map_structure(own, outputs)

    def _check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise if the symbolic inputs do not fit; built-in layers override it."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        with tracing.calling(self, None):
            nested = isinstance(input_shape, (list, tuple)) and any(
                isinstance(s, (list, tuple)) for s in input_shape
            )
            inputs = (
                [KerasTensor(tuple(s)) for s in input_shape]
                if nested
                else KerasTensor(tuple(input_shape))
            )
            outputs = self(inputs)
        return tree.map_structure(lambda t: t.shape, outputs)

    # Symbolic ends, for models built from layers.

    def _only_node(self, what: str) -> CallNode:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name!r} has no {what}: it was never called.")
        return self._inbound_nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        inputs = self._only_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        outputs = self._only_node("output").outputs
        return outputs[0] if len(outputs) == 1 else outputs

    # Serialization.

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }
        cls = type(self)
        owner = next(c for c in cls.__mro__ if "__init__" in c.__dict__)
        if owner.__module__.split(".")[0] != "dnnfast":
            config.update(self._captured_arguments())
        return config

    def _captured_arguments(self) -> dict[str, Any]:
        """The arguments a subclass without get_config was constructed with."""
        from dnnfast.saving.objects import serialize_keras_object

        args, kwargs = self.__dict__["_init_arguments"]
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        bound.apply_defaults()
        signature = inspect.signature(type(self).__init__).parameters
        found: dict[str, Any] = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = signature[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                found.update(value)
            elif kind is not inspect.Parameter.VAR_POSITIONAL:
                found[name] = value
        return {name: serialize_keras_object(value) for name, value in found.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the layer from the result of `get_config`."""
        from dnnfast.saving.objects import deserialize_keras_object

        config = dict(config)
        accepted = inspect.signature(cls.__init__).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            for name in ("name", "trainable", "dtype"):
                if name not in accepted:
                    config.pop(name, None)
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def single_input(layer: Layer, args: tuple[Any, ...]) -> KerasTensor:
    """Return the only input of a layer call, or raise."""
    tensor = args[0] if args else None
    if isinstance(tensor, (list, tuple)) and len(tensor) == 1:
        tensor = tensor[0]
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects one tensor, got {args!r}."
        )
    return tensor


def renamed_argument(layer: str, kwargs: dict[str, Any], old: str, new: str, value: Any) -> Any:
    """Accept the old spelling of an argument, with a warning."""
    if old not in kwargs:
        return value
    warnings.warn(
        f"{layer}: the argument `{old}` is now called `{new}`.", DeprecationWarning, stacklevel=3
    )
    return kwargs.pop(old)


def positive_int(layer: str, argument: str, value: Any) -> int:
    """Return ``value`` as an int, or raise."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer, float))
        or value != int(value)
    ):
        raise ValueError(f"{layer}: {argument} must be a positive integer, got {value!r}.")
    if value < 1:
        raise ValueError(f"{layer}: {argument} must be a positive integer, got {value!r}.")
    return int(value)


def shape_tuple(what: str, shape: int | Sequence[int | None]) -> tuple[int | None, ...]:
    """Return a shape given as an int, tuple or list."""
    return _normalized_shape(what, shape)
