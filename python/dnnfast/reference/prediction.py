"""What the trainer of the reference engine predicts: outputs, and statistics over passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.dataset import Dataset
from dnnfast.reference.program import Run, run_forward
from dnnfast.reference.samples import sample_moments

Array = NDArray[np.float64]


def _write(array: NDArray[np.float32], index: NDArray, values: Array) -> None:
    with np.errstate(all="ignore"):
        array[index] = values.reshape(len(index), *array.shape[1:])


class Predictions:
    """The predicting half of `Session`."""

    graph: Any

    def _run(self, dataset: Dataset, index: NDArray, training: bool, step: int) -> Run:
        raise NotImplementedError

    def _outputs(self, run: Run) -> list[Array]:
        """Run forward and return every output as a matrix of one row a sample."""
        with np.errstate(all="ignore"):
            run_forward(run, self.graph.outputs)
        return [run.values[id_].reshape(len(run.values[id_]), -1) for id_ in self.graph.outputs]

    def predict(
        self,
        dataset: Dataset,
        begin: int,
        count: int,
        batch: int,
        outputs: Sequence[NDArray[np.float32]],
        training: bool = False,
        step: int = 0,
    ) -> None:
        """Write the outputs of ``count`` steps into the rows of float32 arrays ``[n, *shape]``.

        ``training`` puts dropout and batch normalization into training mode; ``step`` numbers the
        random bits of the first step.
        """
        if len(outputs) != len(self.graph.outputs):
            raise ValueError(
                f"the model has {len(self.graph.outputs)} outputs; got {len(outputs)} arrays to "
                "write them to"
            )
        rows = dataset.steps(begin, count, batch)
        for i, index in enumerate(rows):
            run = self._run(dataset, index, training=training, step=step + i)
            for array, value in zip(outputs, self._outputs(run), strict=True):
                _write(array, index, value)

    def predict_batch(
        self, inputs: Sequence[ArrayLike], training: bool = False, step: int = 0
    ) -> list[NDArray[np.float32]]:
        """Return the outputs for arrays of samples, computed in one batch; see `predict`."""
        dataset, tensors = Dataset(inputs), self.graph.tensors
        shapes = [(dataset.rows, *tensors[id_].shape) for id_ in self.graph.outputs]
        outputs = [np.empty(shape, np.float32) for shape in shapes]
        self.predict(dataset, 0, 1, dataset.rows, outputs, training, step)
        return outputs

    def predict_samples(
        self,
        dataset: Dataset,
        begin: int,
        count: int,
        batch: int,
        means: Sequence[NDArray[np.float32]],
        deviations: Sequence[NDArray[np.float32]],
        samples: int,
        step: int = 0,
        stride: int = 1,
    ) -> None:
        """Write mean and deviation of the outputs over ``samples`` passes with active dropout.

        The arrays are as in `predict`. Batch normalization stays in inference mode. Pass ``s`` of
        the ``i``-th step has the random bits of step ``step + i + s * stride``.
        """
        if samples < 1:
            raise ValueError(f"samples must be at least 1; got {samples}")
        for i, index in enumerate(dataset.steps(begin, count, batch)):
            passes = []
            for s in range(samples):
                run = self._run(dataset, index, training=False, step=step + i + s * stride)
                run.sampling = True
                passes.append(self._outputs(run))
            for output, *arrays in zip(zip(*passes, strict=True), means, deviations, strict=True):
                for array, moment in zip(arrays, sample_moments(output), strict=True):
                    _write(array, index, moment)
