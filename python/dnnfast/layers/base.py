"""The base class of layers."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np

from dnnfast import dtype_policies, naming, regularizers, tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.arguments import declared_input, unknown_argument
from dnnfast.layers.building import BuildingMixin, marking_built
from dnnfast.layers.call_node import CallNode
from dnnfast.layers.call_spec import CallSpec
from dnnfast.layers.input_spec import check_inputs
from dnnfast.layers.recording import RecordingMixin
from dnnfast.layers.weights import WeightsMixin
from dnnfast.masks import mask_of, set_mask
from dnnfast.operation import Operation
from dnnfast.variable import Variable


class Layer(RecordingMixin, BuildingMixin, WeightsMixin, Operation):
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
            cls.build = marking_built(cls.__dict__["build"])  # type: ignore[method-assign]

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
        self._declared_input_shape = declared_input(kwargs, cls)
        self._initial_weights = kwargs.pop("weights", None)
        if kwargs:
            raise unknown_argument(type(self), kwargs)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{cls}: name must be a string, got {name!r}.")
        if name is None:
            name = naming.auto_name(naming.to_snake_case(self._serialized_class_name or cls))
        else:
            naming.reserve(name)
        self.name = name
        self.dtype_policy = dtype
        self.built = self._starts_built()
        self.autocast = bool(autocast)
        if not isinstance(trainable, (bool, np.bool_)):
            raise ValueError(f"{cls} {name!r}: trainable must be True or False, got {trainable!r}.")
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._inbound_nodes: list[CallNode] = []
        self._build_shapes: Any = None
        self._losses: list[Any] = []  # of the last call on arrays

    @property
    def dtype_policy(self) -> Any:
        """The layer's `dtype_policies.DTypePolicy`; it may be set, also to a name."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        try:
            self._dtype_policy = dtype_policies.get(value)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__} {self.name!r}: {error}") from None

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

    # Calling.

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs; subclasses override it."""
        raise NotImplementedError(
            f"Layer {self.name!r} ({type(self).__name__}) does not define `call(self, inputs)`."
        )

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
        outermost = tracing.depth() == 0
        if outermost:
            args, kwargs = tree.map_structure(tracing.with_batch, (args, kwargs))
        spec = CallSpec(self, args, kwargs)
        if self.input_spec is not None:
            check_inputs(self.input_spec, spec.first, self.name)
        self._ensure_built(spec)
        node = CallNode(
            self, args, dict(kwargs, training=explicit) if explicit is not None else kwargs
        )
        passed = dict(kwargs)
        previous_mask = spec.pass_masks(passed)
        if "training" in spec.parameters or spec.takes_any_keyword:
            passed["training"] = training
        outputs = self._call_in_mode(args, passed, training)
        with tracing.calling(self, training):
            self._regularize_activity(outputs)
            outputs = self._own_outputs(outputs, node) if outermost else outputs
            self._set_masks(spec.first, outputs, previous_mask)
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

    def _set_masks(self, inputs: Any, outputs: Any, previous_mask: Any) -> None:
        """Let masks ride on the outputs."""
        tensors = tree.flatten(outputs)
        if not self.supports_masking:
            if any(mask is not None for mask in tree.flatten(previous_mask)):
                warnings.warn(
                    f"Layer {self.name!r} ({type(self).__name__}) does not support masking: the "
                    "mask of its input ends here. Set `self.supports_masking = True` in a layer "
                    "that keeps the steps, or define `compute_mask`.",
                    stacklevel=3,
                )
            return
        if all(mask_of(tensor) is not None for tensor in tensors):
            return
        masks = self.compute_mask(inputs, previous_mask)
        if masks is None:
            return
        for tensor, mask in zip(tensors, tree.flatten(masks), strict=False):
            if mask is not None and mask_of(tensor) is None:
                set_mask(tensor, mask)

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
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
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
