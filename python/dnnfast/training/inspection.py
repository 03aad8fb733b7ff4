"""A look inside a model on some samples: what its layers give, and its gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from dnnfast.training.data import Data
from dnnfast.training.device_arrays import DeviceArray
from dnnfast.training.program import Program


def _on_gpu(data: Data) -> bool:
    arrays = [*data.inputs, *data.targets, *data.weights]
    return any(isinstance(array, DeviceArray) for array in arrays)


def rows_of(data: Data, rows: Any) -> Data:
    """Return some rows of a data set; of arrays on a GPU, as many from the beginning."""
    if _on_gpu(data):
        rows = slice(0, len(rows))
    return _taken(data, rows)


def _taken(data: Data, rows: Any) -> Data:
    def take(array: Any) -> Any:
        return None if array is None else array[rows]

    inputs = [take(array) for array in data.inputs]
    return dataclasses.replace(
        data,
        inputs=inputs,
        targets=[take(array) for array in data.targets],
        weights=[take(array) for array in data.weights],
        rows=len(inputs[0]),
    )


class LayerOutputs:
    """Computes what every layer of a model gives.

    Args:
        model: a built model.
    """

    def __init__(self, model: Any) -> None:
        lowered = model._lower().extended()
        last: dict[str, int] = {}
        for node in lowered.graph.nodes:
            if node.op != "switch" and lowered.graph.tensors[node.output].batched:
                # The model's own name stands before those of its layers.
                name = node.name.removeprefix(f"{model.name}/")
                last.pop(name, None)
                last[name] = node.output
        self.names = list(last)
        lowered.graph.outputs[:] = list(last.values())
        self._seed = model._seed
        self._program = Program(lowered.finished(), lowered.variables, model._program_for().device)

    def run(self, inputs: list[np.ndarray], training: bool, step: int = 0) -> dict[str, np.ndarray]:
        """Return the output of each layer by its name (a path, for layers inside of layers).

        Args:
            inputs: arrays that fit the model.
            training: whether layers are in training mode.
            step: number of the random bits.
        """
        program, count = self._program, len(inputs[0])
        program.sync()
        program.session.seed = self._seed
        tensors = program.graph.tensors
        outputs = [np.empty((count, *tensors[t].shape), np.float32) for t in program.graph.outputs]
        dataset = program.dataset(inputs, [], [])
        program.session.predict(dataset, 0, 1, count, outputs, training, step)
        return dict(zip(self.names, outputs, strict=True))


def gradients(model: Any, data: Data) -> dict[str, np.ndarray]:
    """Return the gradient of the loss on a data set, by path of the trained variable."""
    program = model._program_for(data.resolved)
    program.session.compute_gradients(data.bound_to(program), 0, data.rows)
    return {
        variable.path: program.session.get_gradient(i)
        for i, variable in enumerate(program.variables)
        if program.trains(i)
    }


def first_non_finite(model: Any, data: Data, rows: np.ndarray) -> str | None:
    """Return the first layer whose output is not finite for some rows, or None.

    Arrays on a GPU cannot be asked for rows; all of theirs are looked at.
    """
    outputs = LayerOutputs(model)
    clock = model._program.session.iterations
    step = len(rows)
    parts = [slice(i, i + step) for i in range(0, data.rows, step)] if _on_gpu(data) else [rows]
    for part in parts:
        for name, values in outputs.run(_taken(data, part).inputs, True, clock).items():
            if not np.isfinite(values).all():
                return name
    return None
