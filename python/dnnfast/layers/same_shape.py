"""Layers that keep the shape of their input."""

from __future__ import annotations

from typing import Any

from dnnfast.layers.base import Layer


class SameShape(Layer):
    """A layer whose output has the shape of its input; masks go on as they are."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, that of the input."""
        return input_shape
