"""The inputs of a model: matched to its symbolic inputs, and checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.training.arrays import as_array, is_array, n_by, readable


def _is_array_list(x: Any) -> bool:
    """Tell a list of arrays (several inputs) from nested lists of numbers (one input)."""
    return isinstance(x, (list, tuple)) and any(is_array(item) for item in x)


def structure_of(x: Any, several: bool, what: str = "x") -> Any:
    """Return x with arrays for leaves: nested dicts and lists of inputs, or one array."""
    if isinstance(x, dict):
        return {key: structure_of(v, False, f"{what}[{key!r}]") for key, v in x.items()}
    if isinstance(x, (list, tuple)) and (several or _is_array_list(x)):
        return [structure_of(value, False, f"{what}[{i}]") for i, value in enumerate(x)]
    return as_array(x, what)


def prepare_inputs(model: Any, x: Any) -> list[np.ndarray]:
    """Return one array per input of a model, building the model if needed.

    Raises:
        ValueError: if number or shapes do not fit, naming model, input and shapes.
        TypeError: if the data is not numeric.
    """
    expected = model._input_tensors()
    if type(x) is np.ndarray and expected is not None and len(expected) == 1:
        return [_fitted(model, as_array(x, "x"), expected[0])]
    given = structure_of(x, expected is not None and len(expected) > 1)
    if expected is None:
        _check_not_scalar(given)
        model._build_for(tree.map_structure(lambda a: a.shape, given))
        expected = model._input_tensors()
    arrays = model._match_inputs(given)
    if len(arrays) != len(expected):
        raise ValueError(
            f"Model {model.name!r} has {len(expected)} inputs "
            f"({', '.join(t.name for t in expected)}), but x holds {len(arrays)} arrays."
        )
    return [_fitted(model, a, t) for a, t in zip(arrays, expected, strict=True)]


def _check_not_scalar(given: Any) -> None:
    for array in tree.flatten(given):
        if array.ndim == 0:
            raise ValueError("x is a single number; expected an array of samples.")


def _fitted(model: Any, array: np.ndarray, tensor: Any) -> np.ndarray:
    shape = tensor.sample_shape
    if array.shape[1:] == shape and array.ndim:
        return array if array.ndim <= 2 else readable(array)
    if array.ndim == 1 and shape == (1,):
        return array[:, None]
    if array.ndim == len(shape) + 2 and array.shape[-1] == 1 and array.shape[1:-1] == shape:
        return readable(array[..., 0])
    hint = ""
    if array.shape == shape:
        hint = " This looks like one sample: add the batch axis with x[None] (or x[numpy.newaxis])."
    raise ValueError(
        f"Model {model.name!r}, input {tensor.name!r}: expected samples of shape {shape}, that is "
        f"an array of shape {n_by(shape)}, got an array of shape {array.shape}." + hint
    )
