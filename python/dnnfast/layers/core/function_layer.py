"""Functions of `dnnfast.ops` as parts of functional models, as Keras's operations are."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import symbolic, tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.layers.call_node import CallNode
from dnnfast.variable import Variable

# Other names of functions.
_ALIASES = {"abs": "absolute", "conj": "conjugate", "hard_swish": "hard_silu", "swish": "silu"}
# Keras's operation classes are named after their functions, but for these.
_CLASS_NAMES = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "isin": "IsIn",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
}
_MODULES = {
    "core": "cast convert_to_tensor saturate_cast scatter scatter_update slice slice_update "
    "stop_gradient unstack",
    "einops": "rearrange",
    "linalg": "norm",
    "math": "cdist erf erfc erfinv in_top_k logsumexp rsqrt segment_max segment_min segment_prod "
    "segment_sum top_k",
    "nn": "batch_normalization binary_crossentropy categorical_crossentropy celu elu gelu glu "
    "hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh layer_normalization leaky_relu "
    "log_sigmoid log_softmax moments multi_hot normalize one_hot psnr relu relu6 rms_normalization "
    "selu sigmoid silu soft_shrink softmax softplus softsign sparse_categorical_crossentropy "
    "sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink threshold",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}
# What an operation is called with; it is constructed with the other arguments.
_CALLED_WITH = {
    "average": "x weights",
    "batch_normalization": "x mean variance offset scale",
    "digitize": "x bins",
    "einsum": "operands",
    "full_like": "x fill_value",
    "get_item": "x key",
    "isclose": "x1 x2 rtol atol",
    "layer_normalization": "x gamma beta",
    "nanpercentile": "x q",
    "nanquantile": "x q",
    "pad": "x constant_values",
    "percentile": "x q",
    "quantile": "x q",
    "rearrange": "tensor pattern axes_lengths",
    "rms_normalization": "x scale",
    "searchsorted": "sorted_sequence values",
    "scatter_update": "inputs indices updates",
    "select": "condlist choicelist default",
    "slice": "inputs start_indices",
    "slice_update": "inputs start_indices updates",
    "take": "x indices",
    "take_along_axis": "x indices",
    "trapezoid": "y",
    "where": "condition x1 x2",
}
_TENSORS = [
    "x",
    "x1",
    "x2",
    "y",
    "xs",
    "a",
    "array",
    "inputs",
    "indices",
    "values",
    "target",
    "output",
    "targets",
    "predictions",
    "data",
    "segment_ids",
    "start",
    "stop",
    "variable",
]


def class_name(function: str) -> str:
    """Return what Keras calls the operation of a function."""
    camel = "".join(part.capitalize() for part in function.split("_"))
    return _CLASS_NAMES.get(function, camel)


class FunctionLayer(Layer):
    """Calls a function of `dnnfast.ops`; each function has a subclass.

    Args:
        name: default the class name in snake case, numbered.
        **options: arguments of the function, but for tensors.
    """

    function: str = ""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, dtype="float32", autocast=False)
        self.options = options
        self.built = True

    @property
    def _serialized_module(self) -> str:
        return f"keras.src.ops.{_MODULE_OF.get(self.function, 'numpy')}"

    def _call_symbolic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Arguments may hold tensors beside numbers; there are no weights, masks or modes.
        outermost = tracing.depth() == 0
        kwargs.pop("training", None)
        if outermost:
            args, kwargs = tree.map_structure(tracing.with_batch, (args, kwargs))
        node = CallNode(self, args, kwargs)
        with tracing.calling(self, tracing.current_training()):
            outputs = self.call(*args, **kwargs)
            if outermost:
                outputs = self._own_outputs(outputs, node)
        if outermost:
            node.attach(tree.flatten(outputs))
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function's results as tensors."""
        from dnnfast import ops

        if self.function == "get_item" and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))  # a key that was JSON
        options = dict(self.options)
        args = (*(options.pop(name) for name in _before_operands(self.function)), *args)
        results = getattr(ops, self.function)(*args, **kwargs, **options)

        def as_tensor(value: Any) -> KerasTensor:
            if isinstance(value, KerasTensor):
                return value
            return symbolic.map_(self.function, lambda e: e, (symbolic.tensor(value),))

        return tree.map_structure(as_tensor, results)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, **self.options}


@functools.cache
def _before_operands(function: str) -> tuple[str, ...]:
    """Return the arguments that stand before any number of operands."""
    from dnnfast import ops

    names: list[str] = []
    for parameter in inspect.signature(getattr(ops, function)).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return tuple(names)
        names.append(parameter.name)
    return ()


@functools.cache
def layer_class(function: str) -> type[FunctionLayer]:
    """Return the subclass of a function."""
    members = {
        "function": function,
        "__module__": "dnnfast.ops",
        "__init__": FunctionLayer.__init__,
    }
    return type(class_name(function), (FunctionLayer,), members)


def find_class(name: str) -> type[FunctionLayer] | None:
    """Return the subclass that Keras's name of an operation stands for, or None."""
    from dnnfast import ops

    if not name[:1].isupper():
        return None
    found = next((n for n in ops.__all__ if n not in _ALIASES and class_name(n) == name), None)
    return layer_class(found) if found else None


def _holds_tensors(value: Any) -> bool:
    return any(isinstance(leaf, (KerasTensor, Variable)) for leaf in tree.flatten(value))


def call_in_model(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function as a part of the functional model that is being described."""
    name = _ALIASES.get(function.__name__, function.__name__)
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    if name == "get_item" and isinstance(bound.arguments["key"], list):
        bound.arguments["key"] = np.asarray(bound.arguments["key"])
    passed = _TENSORS
    if name in _CALLED_WITH:  # Keras wants all of them
        passed = _CALLED_WITH[name].split()
        given = dict(bound.arguments)
        bound.apply_defaults()
        for key in set(bound.arguments) - set(given) - set(passed):
            del bound.arguments[key]
    positional: list[Any] = []
    named: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for parameter, value in bound.arguments.items():
        kind = signature.parameters[parameter].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            positional += value
        elif kind is inspect.Parameter.VAR_KEYWORD:
            (named if parameter in passed else options).update(value)
        elif parameter in passed and len(positional) == list(bound.arguments).index(parameter):
            positional.append(value)
        elif parameter in passed or _holds_tensors(value):
            named[parameter] = value
        else:
            options[parameter] = value
    return layer_class(name)(**options)(*positional, **named)
