"""Losses of margins, averaged."""

from __future__ import annotations

from typing import Any

from dnnfast.losses.margins import categorical_hinge, hinge, squared_hinge
from dnnfast.metrics.mean import NamedMetric


class Hinge(NamedMetric):
    """Mean of what predictions miss of a margin of 1.

    Args:
        name: default ``"hinge"``.
        dtype: as of `Metric`.

    Formula: ``mean(max(1 - t p, 0))``; targets of 0 and 1 become -1 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.Hinge()([[1.0, -1.0]], [[0.5, -3.0]]))
        0.25
    """

    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(NamedMetric):
    """Mean of the squares of what predictions miss of a margin of 1.

    Args:
        name: default ``"squared_hinge"``.
        dtype: as of `Metric`.

    Formula: ``mean(max(1 - t p, 0)^2)``; targets of 0 and 1 become -1 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, -3.0]]))
        0.125
    """

    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(NamedMetric):
    """Mean of by how much the right class does not exceed the largest wrong one by 1.

    Args:
        name: default ``"categorical_hinge"``.
        dtype: as of `Metric`.

    Formula: ``mean(max(max((1 - t) p) - sum(t p) + 1, 0))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.CategoricalHinge()([[0, 1]], [[0.5, 0.75]]))
        0.75
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
