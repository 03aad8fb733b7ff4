"""Calling layers and models on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import random, tracing, tree
from dnnfast.config import settings
from dnnfast.keras_tensor import KerasTensor
from dnnfast.lowering import lower
from dnnfast.training.arrays import as_array, count_of, readable
from dnnfast.training.program import Program


def _arrays(value: Any, what: str) -> Any:
    """Return arrays for what is data, nested as given."""
    if isinstance(value, dict):
        return {key: _arrays(item, f"{what}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)) and any(hasattr(v, "shape") for v in value):
        return [as_array(item, what) for item in value]
    return as_array(value, what)


def run(
    inputs: list[KerasTensor], outputs: list[KerasTensor], arrays: list[np.ndarray], training: bool
) -> list[np.ndarray]:
    """Compute symbolic outputs for arrays."""
    lowered = lower(inputs, outputs, set())
    program = Program(lowered.finished(), lowered.variables, settings.device())
    program.session.seed = random.next_seed()
    program.sync()
    count_of(arrays, [f"input {i}" for i in range(len(arrays))])
    results: list[np.ndarray] = program.session.predict_batch(arrays, training)
    return results


def call_layer(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a layer, or a model, on arrays."""
    kwargs = dict(kwargs)
    training = kwargs.pop("training", None)
    if not args:
        raise TypeError(f"{layer.name!r} needs an input: a symbolic tensor or an array.")
    if hasattr(layer, "_call_on_arrays"):
        return layer._call_on_arrays(args[0], bool(training))
    given = [_arrays(arg, f"the input of layer {layer.name!r}") for arg in args]
    leaves = [readable(array) for array in tree.flatten(given)]
    for array in leaves:
        if array.ndim == 0:
            raise TypeError(
                f"Layer {layer.name!r}: expected a symbolic tensor or an array of samples, got a "
                "single number."
            )
    tensors = [KerasTensor((None, *array.shape[1:])) for array in leaves]
    with tracing.calling(None, tracing.AUTOMATIC):
        outputs = layer(*tree.pack_sequence_as(given, tensors), **kwargs)
    results = run(tensors, tree.flatten(outputs), leaves, bool(training))
    return tree.pack_sequence_as(outputs, results)
