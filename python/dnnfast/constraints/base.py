"""The base class of constraints."""

from __future__ import annotations

from typing import Any

from dnnfast.configurable import Configurable


class Constraint(Configurable):
    """Maps a weight to an allowed one, after each step of the optimizer; here to itself.

    Subclass it and define ``__call__(self, w)`` with functions of `dnnfast.ops`, so that it works
    on arrays and in training.

    Example:
        >>> import dnnfast as keras
        >>> class Rounded(keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return keras.ops.round(w)
        >>> print(Rounded()([0.4, 1.6]))
        [0. 2.]
    """

    def __call__(self, w: Any) -> Any:
        """Return the allowed weight for an array, a variable or a symbolic tensor."""
        return w
