"""Calling layers and models on arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import random, stateless, symbolic, tracing, tree
from dnnfast.config import settings
from dnnfast.keras_tensor import KerasTensor
from dnnfast.lowering import lower
from dnnfast.masks import mask_of, set_mask, with_mask
from dnnfast.ops.values import is_float
from dnnfast.training.arrays import as_array, count_of, readable
from dnnfast.training.program import Program
from dnnfast.variable import Variable


def _arrays(value: Any, what: str, several: bool = False) -> Any:
    """Return arrays for what is data, nested as given; ``several``: a list is one of tensors."""
    if isinstance(value, dict):
        return {key: _arrays(item, f"{what}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)) and (several or any(hasattr(v, "shape") for v in value)):
        return [None if item is None else _arrays(item, what) for item in value]
    if value is None:
        return None
    array = readable(as_array(value, what))
    if array.ndim == 0:
        raise TypeError(
            f"{what}: expected a symbolic tensor or an array of samples, got a single number."
        )
    mask = mask_of(value)
    return array if mask is None else with_mask(array, np.asarray(mask))


def _symbolic_type(array: np.ndarray) -> str:
    """Floats are float32; whole numbers and truth values stay what they are."""
    return "float32" if array.dtype.kind == "f" else array.dtype.name


class ArrayCall:
    """A call on arrays, recorded and compiled: outputs, masks, and what it leaves behind.

    Args:
        function: called with the symbolic inputs; returns the symbolic outputs.
        inputs: the arrays, or None where there is none; they give shapes.
        training: the mode.
        types: those of the symbolic inputs. Default those of the arrays.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        inputs: list[Any],
        training: bool,
        types: list[str] | None = None,
    ) -> None:
        self.tensors: list[KerasTensor] = []
        given = [None if array is None else self._input(array) for array in inputs]
        for tensor, dtype in zip(given, types or [], strict=False):
            tensor.dtype = dtype  # type: ignore[union-attr]
        with tracing.recorder("eager") as recorder, tracing.calling(None, training):
            self.outputs = function(given)
            flat = tree.flatten(self.outputs)
            for output in flat:
                if not isinstance(output, KerasTensor):
                    raise TypeError(
                        f"`call` returned {type(output).__name__}; it must return the output of "
                        "layers or of dnnfast functions."
                    )
            self.variables = [variable for variable, _, _ in recorder.assigned.values()]
            values = [value for _, value, _ in recorder.assigned.values()]
            self.owners = recorder.owners
            self.masked = [i for i, tensor in enumerate(flat) if mask_of(tensor) is not None]
            masks = [mask_of(flat[i]) for i in self.masked]
            wanted = [*flat, *masks, *values, *recorder.losses]
            results = [self._by_sample(tensor) for tensor in wanted]
        self.count = len(flat)
        # Floats are float32, whatever the layer's policy.
        self.types = ["float32" if is_float(tensor.dtype) else tensor.dtype for tensor in flat]
        lowered = lower(self.tensors, [tensor for tensor, _ in results], set())
        self.shared = [shared for _, shared in results]
        self.program = Program(lowered.finished(), lowered.variables, settings.device())

    @property
    def changes_state(self) -> bool:
        """Whether it leaves more than outputs: new values of variables, losses, masks."""
        return len(self.shared) > self.count

    def _input(self, array: np.ndarray) -> KerasTensor:
        tensor = KerasTensor((None, *array.shape[1:]), _symbolic_type(array))
        self.tensors.append(tensor)
        if mask_of(array) is not None:
            set_mask(tensor, self._input(mask_of(array)))
        return tensor

    @staticmethod
    def _by_sample(value: Any) -> tuple[KerasTensor, bool]:
        """Return a tensor with the samples along its first axis, and whether all are equal."""
        tensor = symbolic.tensor(value)
        if isinstance(tensor, KerasTensor) and tensor.batched:
            return tensor, False
        extents = symbolic.extents_of(tensor)
        return symbolic.view(tensor, (-1, *extents), [-1, *range(len(extents))]), True

    def run(self, inputs: list[Any], training: bool, seed: int, step: int = 0) -> Any:
        """Return the outputs for arrays, after the variables have taken their new values."""
        arrays = []
        for array in inputs:
            while array is not None:
                mask = mask_of(array)
                arrays.append(array if mask is None else np.asarray(array))
                array = mask
        count_of(arrays, [f"input {i}" for i in range(len(arrays))])
        session = self.program.session
        session.seed = seed
        if stateless.current() is None:
            self.program.sync()
        else:
            for i, variable in enumerate(self.program.variables):
                session.set_parameter(i, variable.numpy())
        found = session.predict_batch(arrays, training, step)
        found = [x[0] if shared else x for x, shared in zip(found, self.shared, strict=True)]
        outputs = [x.astype(t, copy=False) for x, t in zip(found, self.types, strict=False)]
        rest = iter(found[self.count :])
        for i in self.masked:
            outputs[i] = with_mask(outputs[i], next(rest).astype(bool))
        for variable in self.variables:
            variable.assign(next(rest))
        for layer in self.owners:
            value = np.mean(next(rest), dtype=np.float32)
            if layer is not None:
                layer._losses.append(value)
        return tree.pack_sequence_as(self.outputs, outputs)


def forget_losses(layer: Any) -> None:
    """Let a call on arrays start without the losses of the last one."""
    for inner in layer._all_layers():
        inner._losses = []


def _training_of(layer: Any, training: Any) -> bool:
    """The mode of a call on arrays: as given, or else the default in the signature of `call`."""
    if training is None:
        parameter = inspect.signature(layer.call).parameters.get("training")
        training = parameter.default if parameter is not None else False
    return training is True or (training is not inspect.Parameter.empty and bool(training))


def call_layer(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a layer, or a model, on arrays."""
    kwargs = dict(kwargs)
    training = kwargs.pop("training", None)
    if not args and not kwargs:
        raise TypeError(f"{layer.name!r} needs an input: a symbolic tensor or an array.")
    if hasattr(layer, "_call_on_arrays"):
        inputs = args[0] if args else kwargs.pop("inputs")
        return layer._call_on_arrays(inputs, bool(training))
    what = f"the input of layer {layer.name!r}"
    if layer._allow_non_tensor_positional_args:  # which may be a single number
        args = tuple(np.asarray(arg)[None] if np.ndim(arg) == 0 else arg for arg in args)
    positional = [_arrays(arg, what, layer._takes_list) for arg in args]
    named = {
        key: value
        for key, value in kwargs.items()
        if _holds_arrays(value) and not _is_shared(layer, key, value, positional)
    }
    given = [positional, _arrays(named, what)]
    arrays = tree.flatten(given)

    def function(tensors: list[Any]) -> Any:
        positional, by_name = tree.pack_sequence_as(given, tensors)
        return layer(*positional, **{**kwargs, **by_name})

    mode = _training_of(layer, training)
    call = ArrayCall(function, arrays, mode)
    forget_losses(layer)
    return call.run(arrays, mode, random.next_seed())


def _is_shared(layer: Any, name: str, value: Any, positional: list[Any]) -> bool:
    """Tell whether an argument is one array for all samples."""
    if name not in layer._shared_arguments or not positional:
        return False
    return value.ndim < positional[0].ndim or len(value) != len(positional[0])


def _holds_arrays(value: Any) -> bool:
    leaves = tree.flatten(value)
    return bool(leaves) and all(
        hasattr(leaf, "shape") and not isinstance(leaf, (Variable, np.generic)) for leaf in leaves
    )
