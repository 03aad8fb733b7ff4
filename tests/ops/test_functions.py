"""On arrays functions give what NumPy does, recorded what they give on arrays; their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dnnfast as keras
import tolerance
from dnnfast import ops, symbolic, tree
from dnnfast.keras_tensor import KerasTensor
from ops import cases, cases_arrays, cases_classes, cases_order
from ops.cases import BATCH, Case

ALL = [
    *(case for table in (cases.UNARY, cases.BINARY, cases.CURVES) for case in table),
    *(case for table in (cases_arrays.REDUCTIONS, cases_arrays.SHAPES) for case in table),
    *(case for table in (cases_arrays.PRODUCTS, cases_order.ORDER) for case in table),
    *(case for table in (cases_classes.CLASSES, cases_classes.LOOPS) for case in table),
]
# Results are float32 throughout, of up to this many roundings one after the other.
LIMIT = tolerance.bound(reduction=400, operations=24)
STEP = 1e-4
# Central differences of this step: their own error grows with its square.
DIFFERENCE_LIMIT = 1e-4


def leaves(result: Any) -> list[Any]:
    return list(tree.flatten(result))


@pytest.mark.parametrize("case", [c for c in ALL if c.numpy is not None], ids=str)
def test_on_arrays_as_numpy(case: Case) -> None:
    for ours, theirs in zip(
        leaves(case.call(ops, *case.arrays())), leaves(case.formula(*case.arrays())), strict=True
    ):
        assert isinstance(ours, np.ndarray)
        assert ours.dtype.name in ("bool", "int32", "uint32", "int8", "float32")
        theirs = np.asarray(theirs)
        assert (ours.dtype.kind == "b") == (theirs.dtype.kind == "b")
        check(ours, theirs)


def check(ours: Any, theirs: Any, limit: float = LIMIT) -> None:
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    infinite = np.isinf(theirs)
    assert np.array_equal(ours[infinite], theirs[infinite])
    finite = ~infinite
    tolerance.assert_close(
        np.nan_to_num(ours[finite], nan=-77.0), np.nan_to_num(theirs[finite], nan=-77.0), limit
    )


def batch_first(y: KerasTensor) -> KerasTensor:
    """Return the same elements with one a sample along the first axis, as outputs of models are."""
    sizes = y.extents
    at = [i for i, n in enumerate(sizes) if n < 0]
    if not at:
        return symbolic.view(y, (-1, *sizes), [-1, *range(len(sizes))])
    if len(at) == 2:  # the batch of the tests has this size
        count = -sizes[at[1]] * BATCH
        return batch_first(symbolic.gather(y, np.arange(count), at[1], along=False))
    y = ops.moveaxis(y, at[0], 0)
    first, *rest = y.extents
    return y if first == -1 else symbolic.regroup(y, (-1, -first, *rest))


def rows_first(y: np.ndarray, extents: tuple[int, ...]) -> np.ndarray:
    """Return what `batch_first` makes of the array that a tensor of these sizes stands for."""
    at = [i for i, n in enumerate(extents) if n < 0]
    if not at:
        return np.broadcast_to(y, (BATCH, *y.shape))
    y = np.moveaxis(y, at[0], 0)
    return y.reshape(BATCH, -1, *y.shape[1:]) if extents[at[0]] != -1 else y


class Call(keras.layers.Layer):
    """Calls a function; with ``shift`` its last input of floats depends on a weight."""

    def __init__(self, function: Any, shift: bool = False) -> None:
        super().__init__()
        self.function, self.shifted = function, shift
        self.results: list[Any] = []

    def build(self, input_shape: Any) -> None:
        if self.shifted:
            shapes = input_shape if isinstance(input_shape, list) else [input_shape]
            self.shift = self.add_weight(shape=shapes[self.place][1:], initializer="zeros")

    def call(self, x: Any) -> Any:
        tensors = list(x) if isinstance(x, (list, tuple)) else [x]
        if self.shifted:
            moved = tensors[self.place]
            tensors[self.place] = moved + self.shift * (moved + 1.5)
        self.results = leaves(self.function(ops, *tensors))
        zero = ops.sum(tensors[0]) * 0.0
        outputs = [y if isinstance(y, KerasTensor) else zero + y for y in self.results]
        return [in_columns(batch_first(y)) if self.shifted else batch_first(y) for y in outputs]


def in_columns(y: KerasTensor) -> KerasTensor:
    """Return numbers as vectors of one element, for a loss."""
    return ops.expand_dims(y, -1) if y.ndim == 1 else y


def model_of(case: Case, shift: bool = False) -> tuple[keras.Model, Call, list[np.ndarray]]:
    arrays = case.arrays()
    inputs = [keras.Input(a.shape[1:], dtype=a.dtype.name) for a in arrays]
    layer = Call(case.call, shift)
    layer.place = max((i for i, a in enumerate(arrays) if a.dtype.kind == "f"), default=0)
    return keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0])), layer, arrays


@pytest.mark.parametrize("case", ALL, ids=str)
def test_recorded_as_on_arrays(case: Case, device: str) -> None:
    model, layer, arrays = model_of(case)
    outputs = leaves(model.predict(arrays, batch_size=BATCH, verbose=0))
    expected = leaves(case.call(ops, *arrays))
    assert len(outputs) == len(layer.results) == len(expected)
    for output, tensor, value in zip(outputs, layer.results, expected, strict=True):
        if isinstance(tensor, KerasTensor):
            assert tensor.dtype == value.dtype.name
            sizes = tuple(n if n >= 0 else -n * BATCH for n in tensor.extents)
            assert sizes == value.shape
            value = rows_first(value, tensor.extents)
        else:
            value = np.broadcast_to(value, (BATCH, *np.shape(value)))
        check(output, value)


def trained(case: Case) -> tuple[keras.Model, list[np.ndarray], list[np.ndarray]]:
    """Return a model with a weight that is added to the first input, its inputs and targets."""
    model, _, arrays = model_of(case, shift=True)
    draw = np.random.default_rng(5)
    targets = [draw.normal(size=(BATCH, *t.shape[1:])).astype("f") for t in model.outputs]
    model.compile("sgd", "mse")
    return model, arrays, targets


def loss_of(model: keras.Model, arrays: list[np.ndarray], targets: list[np.ndarray]) -> float:
    return float(leaves(model.evaluate(arrays, targets, batch_size=BATCH, verbose=0))[0])


@pytest.mark.parametrize("case", [c for c in ALL if c.smooth], ids=str)
def test_gradients(case: Case) -> None:
    """Those of the reference equal finite differences, those of the CPU equal the reference's."""
    keras.config.set_device("reference")
    model, arrays, targets = trained(case)
    (weight,) = model.trainable_variables
    gradient = next(iter(model.gradients(arrays, targets).values()))
    draw = np.random.default_rng(6)
    for _ in range(2):
        direction = draw.normal(size=weight.shape)
        ends = []
        for step in (STEP, -STEP):
            weight.assign(step * direction)
            ends.append((loss_of(model, arrays, targets), weight.numpy().astype(np.float64)))
        (high, up), (low, down) = ends
        expected = float((gradient * (up - down)).sum())
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(up - down))
        assert abs(high - low - expected) <= DIFFERENCE_LIMIT * max(scale, 1e-3 * STEP)
    weight.assign(np.zeros(weight.shape))
    keras.config.set_device("cpu")
    native = next(iter(model.gradients(arrays, targets).values()))
    tolerance.assert_close(native, gradient, 2 * LIMIT)  # forward and backward
