"""A look inside a model on some samples: what its layers give, and its gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from dnnfast.training.data import Data
from dnnfast.training.device_arrays import DeviceArray
from dnnfast.training.program import Program


def rows_of(data: Data, rows: np.ndarray) -> Data:
    """Return some rows of a data set; arrays on a GPU are given whole."""

    def take(array: Any) -> Any:
        return array if array is None or isinstance(array, DeviceArray) else array[rows]

    return dataclasses.replace(
        data,
        inputs=[take(array) for array in data.inputs],
        targets=[take(array) for array in data.targets],
        weights=[take(array) for array in data.weights],
        rows=len(rows),
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
        self._program.sync()
        self._program.session.seed = self._seed
        found = self._program.session.predict_batch(inputs, training, step)
        return dict(zip(self.names, found, strict=True))


def gradients(model: Any, data: Data) -> dict[str, np.ndarray]:
    """Return the gradient of the loss on a data set, by path of the trained variable."""
    program = model._program_for(data.resolved)
    program.session.compute_gradients(data.bound_to(program), 0, data.rows)
    return {
        variable.path: program.session.get_gradient(i)
        for i, variable in enumerate(program.variables)
        if program.trains(i)
    }


def first_non_finite(model: Any, data: Data) -> str | None:
    """Return the first layer whose output is not finite for some samples, or None."""
    outputs = LayerOutputs(model)
    clock = model._program.session.iterations
    for name, values in outputs.run(data.inputs, True, clock).items():
        if not np.isfinite(values).all():
            return name
    return None
