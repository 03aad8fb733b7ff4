"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import tracing
from dnnfast.layers.base import Layer, single_input


class Dropout(Layer):
    """Sets a random share of the elements to zero in training and scales up the others.

    Args:
        rate: the share, in [0, 1).
        noise_shape: not supported; None.
        seed: an integer that changes this layer's masks, or None. All masks also depend on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range or not supported.

    Formula: ``y = x / (1 - rate)`` where kept, else 0 (Srivastava et al., 2014, inverted form).

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Dropout(0.5)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
            raise ValueError(f"Dropout {self.name!r}: rate must be a number, got {rate!r}.")
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout {self.name!r}: rate must be in [0, 1), got {rate!r}.")
        if noise_shape is not None:
            raise ValueError(f"Dropout {self.name!r}: noise_shape is not supported; leave it out.")
        self.rate, self.noise_shape, self.seed = float(rate), None, seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        mode = tracing.mode_of(training)
        if mode == "infer" or self.rate == 0:
            return x
        attrs: dict[str, Any] = {"rate": self.rate, "mode": mode}
        if self.seed is not None:
            # Layers without a seed are numbered from 0 when a model is lowered.
            attrs["stream"] = 0x40000000 | (int(self.seed) * 0x9E3779B1 & 0x3FFFFFFF)
        return tracing.emit("dropout", [x], attrs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
