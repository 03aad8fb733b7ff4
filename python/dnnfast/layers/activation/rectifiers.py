"""Rectifiers with arguments, as layers."""

from __future__ import annotations

from typing import Any

from dnnfast import activations, checks
from dnnfast.layers.arguments import renamed_argument, single_input
from dnnfast.layers.same_shape import SameShape


class ReLU(SameShape):
    """Rectified linear unit.

    Args:
        max_value: cap, or None.
        negative_slope: slope below the threshold. Default 0.
        threshold: up to it values count as negative. Default 0.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is negative.

    Formula: ``min(x, max_value)`` where x > threshold, else ``negative_slope * (x - threshold)``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.ReLU()([[-1.0, 1.0]]).tolist()
        [[0.0, 1.0]]
    """

    _built_from_start = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        where = f"ReLU {self.name!r}"
        if max_value is not None:
            max_value = checks.number(where, "max_value", max_value, 0.0)
        negative_slope = checks.number(where, "negative_slope", negative_slope, 0.0)
        threshold = checks.number(where, "threshold", threshold, 0.0)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(SameShape):
    """Rectified linear unit with a slope for negative values.

    Args:
        negative_slope: at least 0, default 0.3; its old name is ``alpha``.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if the slope is negative.

    Formula: ``max(x, 0) + negative_slope * min(x, 0)``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.LeakyReLU(0.5)([[-1.0, 1.0]]).tolist()
        [[-0.5, 1.0]]
    """

    _built_from_start = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        slope = renamed_argument("LeakyReLU", kwargs, "alpha", "negative_slope", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = checks.number(f"LeakyReLU {self.name!r}", "negative_slope", slope, 0)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        return activations.leaky_relu(single_input(self, (inputs,)), self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(SameShape):
    """Exponential linear unit.

    Args:
        alpha: minus the limit at minus infinity. Default 1.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if it is not a finite number.

    Formula: x where x > 0, else ``alpha * (exp(x) - 1)``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.ELU()([[0.0, 1.0]]).tolist()
        [[0.0, 1.0]]
    """

    _built_from_start = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = checks.number(f"ELU {self.name!r}", "alpha", alpha)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        return activations.elu(single_input(self, (inputs,)), self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "alpha": self.alpha}
