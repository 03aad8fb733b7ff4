"""Integers as vectors of ones and zeros, and numbers as integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import checks, ops, tracing
from dnnfast.layers.arguments import float_input, positive_int, single_input
from dnnfast.layers.base import Layer
from dnnfast.layers.preprocessing.batches import batches_of
from dnnfast.saving import limits
from dnnfast.variable import Variable

_MODES = ("one_hot", "multi_hot", "count")


def _mode(layer: Layer, value: Any, modes: tuple[str, ...]) -> str:
    if value not in modes:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: output_mode must be one of "
            f"{', '.join(modes)}; got {value!r}."
        )
    return str(value)


def _encoded_shape(shape: Any, mode: str, depth: int) -> tuple[int | None, ...]:
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def _encoded(index: Any, mode: str, depth: int, weights: Any = None) -> Any:
    if mode == "multi_hot":
        return ops.multi_hot(index, depth)
    if mode == "one_hot":
        if index.ndim > 1 and index.shape[-1] == 1:
            index = ops.squeeze(index, -1)
        return ops.one_hot(index, depth)
    ones = ops.one_hot(index, depth)
    if weights is not None:
        ones = ops.multiply(ones, ops.expand_dims(weights, -1))
    return ops.sum(ones, axis=1 if index.ndim > 1 else 0)


class CategoryEncoding(Layer):
    """Turns integers into vectors of a fixed length.

    Args:
        num_tokens: that length: the integers lie in [0, num_tokens).
        output_mode: ``"one_hot"``: one vector for each integer, 1 at its position (a last axis of
            size 1 is dropped); ``"multi_hot"`` (default): one for each sample, 1 at the positions
            of all its integers; ``"count"``: the same, with how often each occurs.
        sparse: must be False.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range or missing; when called, if ``count_weights``
            come with another mode than ``"count"``.

    ``layer(x, count_weights=w)`` adds the weights instead of counting. Integers that are out of
    range are left out; models compute in float32, so integers up to 2^24 are exact.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.CategoryEncoding(4)([[0, 2], [1, 1]]).tolist()
        [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """

    _allow_non_tensor_positional_args = True
    _built_from_start = True

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        what = f"CategoryEncoding {self.name!r}"
        if num_tokens is None:
            raise ValueError(f"{what}: num_tokens must be set.")
        if sparse:
            raise ValueError(f"{what}: sparse tensors are not supported; leave `sparse` out.")
        self.num_tokens = positive_int(what, "num_tokens", num_tokens)
        mode = "multi_hot" if output_mode == "binary" else output_mode
        self.output_mode = _mode(self, mode, _MODES)
        self.sparse = False

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Return the layer's output."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"CategoryEncoding {self.name!r}: count_weights need output_mode='count', got "
                f"{self.output_mode!r}."
            )
        index = ops.cast(single_input(self, (inputs,)), "int32")
        if count_weights is not None:
            count_weights = ops.cast(count_weights, "float32")
        return _encoded(index, self.output_mode, self.num_tokens, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return _encoded_shape(tuple(input_shape), self.output_mode, self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
        }


class _Edges:
    """Edges of bins, as a variable that is no weight."""

    def __init__(self, values: Any) -> None:
        self.variable = Variable(np.asarray(values, np.float32), trainable=False, name="edges")


class Discretization(Layer):
    """Turns numbers into the numbers of the bins they fall into.

    Args:
        bin_boundaries: the edges, in ascending order: bin i holds what is at least edge i - 1 and
            below edge i. Or give
        num_bins: how many bins `adapt` makes, of about equally many numbers each.
        epsilon: how exactly it finds their edges, as a share of the data. Default 0.01.
        output_mode: ``"int"`` (default), or ``"one_hot"``, ``"multi_hot"``, ``"count"``: what
            `CategoryEncoding` makes of the bins' numbers.
        sparse: must be False.
        dtype: the layer's policy.
        name: default numbered.
        **kwargs: ``input_shape``.

    Raises:
        ValueError: if an argument is out of range, or not exactly one of ``bin_boundaries`` and
            ``num_bins`` is given.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Discretization([0.0, 1.0])([[-3.0, 0.0, 7.0]]).tolist()
        [[0, 1, 2]]
    """

    _built_from_start = True

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        what = f"Discretization {self.name!r}"
        if sparse:
            raise ValueError(f"{what}: sparse tensors are not supported; leave `sparse` out.")
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                f"{what}: give either `bin_boundaries` or `num_bins`; got "
                f"bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}."
            )
        self.output_mode = _mode(self, output_mode, ("int", *_MODES))
        self.epsilon = checks.number(what, "epsilon", epsilon, above=0.0)
        self.num_bins = None if num_bins is None else positive_int(what, "num_bins", num_bins)
        self.sparse = False
        self.bin_boundaries = bin_boundaries
        limits.take(64 * (self.num_bins or 0), what)
        # Models can be made before `adapt`; until then all they give is NaN.
        unknown = [np.nan] * ((self.num_bins or 1) - 1)
        self._edges = _Edges(unknown if bin_boundaries is None else bin_boundaries)
        self._summary = np.zeros((2, 0))

    @property
    def output_dtype(self) -> str:
        """The type of the output: that of the layer's policy, or int32."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    # What `adapt` keeps of the data: numbers and their weights, about 1 / epsilon of them.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the edges; what was learnt before is forgotten.

        It may come at any time, also when the layer's model is compiled.

        Args:
            data: an array, a data frame, a `utils.PyDataset`, or an iterable of batches.
            steps: batches that are used. Default all.

        Raises:
            TypeError: if it is no data.
            ValueError: if it is empty, or the edges were given.
        """
        if self.num_bins is None:
            raise ValueError(
                f"Discretization {self.name!r}: `adapt` needs `num_bins`; this layer was given its "
                "bin_boundaries."
            )
        self.reset_state()
        for batch in batches_of(self, data, steps):
            self.update_state(batch)
        self.finalize_state()

    def load_own_variables(self, store: Any) -> None:
        """Do nothing: the edges are part of the configuration."""

    def reset_state(self) -> None:
        """Forget the data seen so far."""
        self._summary = np.zeros((2, 0))

    def update_state(self, data: Any) -> None:
        """Take more data into account."""
        values = np.sort(np.asarray(data, np.float32).reshape(-1))
        step = max(values.size * self.epsilon, 1)
        points = values[int(step - 1) :: int(step)]
        new = np.stack([points, np.full(points.size, step)])
        both = np.concatenate([new, self._summary], axis=1)
        self._summary = _compressed(both[:, np.argsort(both[0], kind="stable")], self.epsilon)

    def finalize_state(self) -> None:
        """Make edges of the data seen so far."""
        if self.num_bins is None:
            return
        edges = _compressed(self._summary, 1.0 / self.num_bins)[0, :-1].astype(np.float32)
        self.bin_boundaries = edges.tolist()
        if self._edges.variable.shape == edges.shape:
            self._edges.variable.assign(edges)
        else:
            self._edges = _Edges(edges)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        edges = self._edges.variable
        if self.bin_boundaries is None and tracing.eager():
            raise ValueError(
                f"Discretization {self.name!r}: its edges are not known. Call `adapt` on data "
                "first, or give bin_boundaries."
            )
        index = ops.digitize(float_input(self, inputs), edges)
        if self.num_bins is not None and edges.size:
            index = ops.cast(ops.add(index, ops.multiply(ops.sum(edges), 0.0)), "int32")
        depth = edges.size + 1
        return index if self.output_mode == "int" else _encoded(index, self.output_mode, depth)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        if self.output_mode == "int":
            return tuple(input_shape)
        depth = self._edges.variable.shape[0] + 1
        return _encoded_shape(tuple(input_shape), self.output_mode, depth)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        edges = self.bin_boundaries
        return {  # Keras's own takes no more than these
            "name": self.name,
            "dtype": self.dtype,
            "bin_boundaries": None if edges is None else [float(edge) for edge in edges],
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the layer from the result of `get_config`, with the edges it has learnt."""
        config = dict(config)
        learnt = config["bin_boundaries"] if config.get("num_bins") is not None else None
        if learnt is not None:
            config["bin_boundaries"] = None
        layer = super().from_config(config)
        if learnt is not None:
            layer.bin_boundaries = learnt
            layer._edges = _Edges(learnt)
        return layer


def _compressed(summary: np.ndarray, share: float) -> np.ndarray:
    """Return numbers and weights at equal steps of the total weight."""
    if summary.shape[1] * share < 1:
        return summary
    shares = share + np.arange(0.0, 1.0, share)
    weights = summary[1].cumsum()
    points = np.interp(shares, weights / weights[-1], summary[0])
    reached = np.interp(shares, weights / weights[-1], weights)
    return np.stack([points, np.diff(reached, prepend=0.0)])
