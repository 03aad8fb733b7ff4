"""Scale and offset that normalizations end with."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, constraints, initializers, regularizers
from dnnfast.layers.base import Layer
from dnnfast.saving.objects import serialize_keras_object

_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class Affine(Layer):
    """Holds the arguments and weights ``gamma`` and ``beta`` of a normalization."""

    supports_masking = True

    center: bool
    scale: bool
    _has_offset = property(lambda self: self.center)
    gamma: Any = None
    beta: Any = None

    def _keep(self, epsilon: Any, center: Any, scale: Any, options: dict[str, Any]) -> None:
        """Check and keep the arguments that all normalizations share."""
        what = f"{type(self).__name__} {self.name!r}"
        self.epsilon = checks.number(what, "epsilon", epsilon, above=0.0)
        self.center = checks.flag(what, "center", center)
        self.scale = checks.flag(what, "scale", scale)
        for name, value in options.items():
            setattr(self, name, _KINDS[name.rpartition("_")[2]].get(value))

    def _add_affine(self, shape: tuple[int, ...]) -> None:
        """Create gamma and beta."""
        self.gamma = self._add_one("gamma", shape) if self.scale else None
        self.beta = self._add_one("beta", shape) if self._has_offset else None

    def _add_one(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            shape,
            getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            name=name,
        )

    def _affine_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
        for kind in _KINDS:
            for name in (f"beta_{kind}", f"gamma_{kind}"):
                config[name] = serialize_keras_object(getattr(self, name))
        return config

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, that of the input."""
        self._axes_for(len(input_shape))
        return input_shape

    def _axes_for(self, ndim: int) -> tuple[int, ...]:
        """Return the axes of gamma and beta, counted from the front, or raise."""
        raise NotImplementedError
