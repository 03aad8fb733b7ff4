"""Gradients by the engines, of functions of arrays and of layers."""

from __future__ import annotations

import numpy as np

import dnnfast
from dnnfast import ops, tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.lowering import Lowered
from dnnfast.training.program import Program


def _gradients(lowered, arrays, variables):
    program = Program(lowered.finished(), lowered.variables, dnnfast.config.device())
    for i, variable in enumerate(lowered.variables):
        program.session.set_parameter(i, variable.numpy())
    program.session.compute_gradients(program.dataset(arrays, [], []), 0, len(arrays[0]))
    places = {id(variable): i for i, variable in enumerate(lowered.variables)}
    return [
        program.session.get_gradient(places[id(v)]) if id(v) in places else np.zeros(v.shape)
        for v in variables
    ]


def of_function(function, *arrays):
    """Return the gradients of a function, of arrays to one number, with respect to each."""
    variables = [dnnfast.Variable(array) for array in arrays]
    lowered = Lowered({id(v) for v in variables})
    tensor = KerasTensor((None, 1))
    lowered.add_input(tensor, "x")
    with tracing.calling(None, tracing.AUTOMATIC):
        lowered.add_output(tensor)
        lowered.add_loss(function(*variables), -1, 1.0)
    return _gradients(lowered, [np.zeros((1, 1), np.float32)], variables)


def weighted(outputs, factors, sum_, multiply):
    """Return by sample the sum of all outputs, each element times a factor."""
    total = 0.0
    for output, factor in zip(tree.flatten(outputs), factors, strict=True):
        axes = tuple(range(1, len(output.shape)))
        total = total + sum_(multiply(output, factor), axes)
    return total


def of_layer(layer, inputs, factors, training):
    """Return gradients of the mean over samples of the weighted sum of a layer's outputs.

    They are those of factors 1 on the inputs (of the shape of a sample), and of the layer's
    trainable weights.
    """
    arrays = tree.flatten(inputs)
    scales = [dnnfast.Variable(np.ones(array.shape[1:])) for array in arrays]
    tensors = [KerasTensor((None, *array.shape[1:])) for array in arrays]
    variables = [*scales, *layer.trainable_weights]
    lowered = Lowered({id(v) for v in variables})
    for i, tensor in enumerate(tensors):
        lowered.add_input(tensor, f"x{i}")
    with tracing.recorder(), tracing.calling(None, training):
        scaled = [ops.multiply(t, v) for t, v in zip(tensors, scales, strict=True)]
        outputs = layer(tree.pack_sequence_as(inputs, scaled))
        loss = weighted(outputs, factors, ops.sum, ops.multiply)
        lowered.add_output(loss)
        lowered.add_loss(loss, -1, 1.0)
    found = _gradients(lowered, arrays, variables)
    return found[: len(scales)], found[len(scales) :]
