"""What a session reads: arrays of samples, cut into the batches of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.loss import LossKind, loss_table
from dnnfast.reference.metric import MetricKind, metric_table

Array = NDArray[np.float64]


class Dataset:
    """Arrays whose first axis counts samples. They are referenced, not copied.

    Args:
        inputs: one array an input of the model.
        targets: one array a target.
        sample_weights: one weight a sample, or None, for each target; [] is None for all.

    Raises:
        ValueError: if the arrays have different numbers of samples.
        TypeError: if an array holds neither numbers nor booleans.

    Example:

    >>> Dataset([np.zeros((4, 2))], [np.zeros(4)], [None]).rows
    4
    """

    def __init__(
        self,
        inputs: Sequence[ArrayLike],
        targets: Sequence[ArrayLike] = (),
        sample_weights: Sequence[ArrayLike | None] = (),
    ) -> None:
        self.inputs = [np.asarray(a) for a in inputs]
        self.targets = [np.asarray(a) for a in targets]
        self.sample_weights = [None if a is None else np.asarray(a) for a in sample_weights]
        if len(self.sample_weights) not in (0, len(self.targets)):
            raise ValueError(
                f"got {len(self.sample_weights)} sample weights for {len(self.targets)} targets; "
                "expected one entry (or None) for each"
            )
        arrays = {f"input {i}": a for i, a in enumerate(self.inputs)}
        arrays |= {f"target {i}": a for i, a in enumerate(self.targets)}
        weights = enumerate(self.sample_weights)
        arrays |= {f"sample weight {i}": a for i, a in weights if a is not None}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise TypeError(f"{name} has dtype {array.dtype}; expected numbers or booleans")
            if array.ndim == 0:
                raise ValueError(f"{name} is a single number; its first axis must count samples")
            if name.startswith("sample weight") and array.size != len(array):
                raise ValueError(f"{name} has shape {array.shape}; expected one number a sample")
        sizes = {name: len(array) for name, array in arrays.items()}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
            raise ValueError(f"arrays have different numbers of samples: {listed}")
        self.rows = next(iter(sizes.values()), 0)

    def weight(self, target: int) -> NDArray | None:
        """Return the sample weights of a target, or None."""
        return self.sample_weights[target] if target < len(self.sample_weights) else None

    def steps(
        self, begin: int, count: int, batch: int, order: ArrayLike | None = None
    ) -> list[NDArray[np.int64]]:
        """Return the row numbers of each step, after checking that they exist."""
        if batch < 1:
            raise ValueError(f"batch_size must be at least 1; got {batch}")
        rows = self.rows if order is None else len(np.asarray(order))
        steps = -(-rows // batch)
        if begin < 0 or count < 0 or begin + count > steps:
            raise ValueError(
                f"steps {begin} to {begin + count} are outside the {steps} steps of {rows} rows in "
                f"batches of {batch}"
            )
        index = np.arange(rows) if order is None else np.asarray(order, dtype=np.int64)
        if index.ndim != 1 or (rows and not (index.min() >= 0 and index.max() < self.rows)):
            raise ValueError(f"order must hold numbers of the {self.rows} rows")
        return [index[i * batch : (i + 1) * batch] for i in range(begin, begin + count)]

    def input_values(self, graph: Any, index: NDArray) -> dict[int, Array]:
        """Return the rows of every input of a graph, in float64, by tensor id."""
        if len(self.inputs) != len(graph.inputs):
            raise ValueError(
                f"the model has {len(graph.inputs)} inputs; got {len(self.inputs)} arrays"
            )
        values = {}
        for id_, tensor in enumerate(graph.tensors):
            if tensor.kind != "input":
                continue
            array = self.inputs[tensor.index]
            columns, expected = math.prod(array.shape[1:]), math.prod(tensor.shape)
            if columns != expected:
                raise ValueError(
                    f'input "{graph.inputs[tensor.index]}" has samples of {columns} elements; '
                    f"the model expects shape {tuple(tensor.shape)}, that is {expected}"
                )
            values[id_] = array[index].astype(np.float64).reshape(len(index), *tensor.shape)
        return values

    def target_values(self, graph: Any, index: NDArray) -> dict[int, Array]:
        """Return the rows of the targets and sample weights that nodes of a graph read."""
        values = {}
        for id_, tensor in enumerate(graph.tensors):
            if tensor.kind in ("target", "weight"):
                weight = tensor.kind == "weight"
                array = self.weight(tensor.index) if weight else self.targets[tensor.index]
                assert array is not None
                rows = array[index].astype(np.float64)
                values[id_] = rows.reshape(len(index), *tensor.shape)
        return values

    def row_weights(self, target: int, index: NDArray) -> NDArray | None:
        """Return the sample weights of rows of a target, or None (also where it is -1)."""
        weight = self.weight(target) if target >= 0 else None
        return None if weight is None else weight[index]

    def check_targets(self, graph: Any) -> None:
        """Raise a ValueError unless the targets fit the losses, metrics and nodes of a graph."""
        readers: list[tuple[Any, LossKind | MetricKind]] = [
            *((loss, loss_table(loss.kind)) for loss in graph.losses),
            *((metric, metric_table(metric.kind)) for metric in graph.metrics),
        ]
        for reader, table in readers:
            self._need_target(reader.target)
            if table.compares:
                shape = () if table.labels else graph.tensors[reader.prediction].shape
                why = "(a class label)" if table.labels else "as the prediction has"
                self._need_columns(reader.target, shape, why)
        for tensor in graph.tensors:
            if tensor.kind not in ("target", "weight"):
                continue
            self._need_target(tensor.index)
            if tensor.kind == "target":
                self._need_columns(tensor.index, tensor.shape, f"(shape {tuple(tensor.shape)})")
            elif self.weight(tensor.index) is None:
                raise ValueError(
                    f"target {tensor.index} has no sample weights, but a metric reads them"
                )

    def _need_target(self, target: int) -> None:
        if target >= len(self.targets):
            raise ValueError(
                f"the losses and metrics read {target + 1} targets; got {len(self.targets)}"
            )

    def _need_columns(self, target: int, shape: Sequence[int], why: str) -> None:
        columns, expected = math.prod(self.targets[target].shape[1:]), math.prod(shape)
        if columns != expected:
            raise ValueError(
                f"target {target} has samples of {columns} elements; expected {expected} {why}"
            )
