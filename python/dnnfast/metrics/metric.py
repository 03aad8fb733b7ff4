"""The base class of metrics: means over samples of a row-wise function."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.configurable import Configurable
from dnnfast.losses.base import as_rows


class Metric(Configurable):
    """The base class of metrics: a kind the engines know, and a running mean on arrays.

    Args:
        name: default the kind.
        dtype: ignored; means are kept in float64.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.MeanSquaredError()
        >>> metric.update_state([[1.0], [3.0]], [[1.0], [1.0]])
        >>> metric.result()
        2.0
    """

    kind = ""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or self.kind
        self.dtype = dtype
        self.reset_state()

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of exactly this metric, or None: then it is traced."""
        return self.kind or None

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return the value of each row."""
        return self.rows(y_true, y_pred)

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return self.kind.startswith("sparse_")

    def rows(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """Return the value of each row."""
        from dnnfast import reference

        t, p = as_rows(y_true, y_pred, self.sparse)
        target = t.reshape(-1) if self.sparse else t.reshape(-1, p.shape[-1])
        return np.asarray(reference.metric_rows(self.kind, p.reshape(-1, p.shape[-1]), target))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add rows to the running mean."""
        rows = self.rows(y_true, y_pred)
        weight: np.ndarray = np.ones(rows.shape)
        if sample_weight is not None:
            given = np.asarray(sample_weight, np.float64).reshape(-1)
            weight = np.repeat(given, rows.size // given.size)
        self._total += float((rows * weight).sum())
        self._count += float(weight.sum())

    def result(self) -> float:
        """Return the mean so far, 0 if there was nothing."""
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        """Start the mean again."""
        self._total = 0.0
        self._count = 0.0

    reset_states = reset_state

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Add rows and return the mean so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()
