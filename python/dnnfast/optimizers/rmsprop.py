"""The RMSprop optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.optimizer import Optimizer, number


class RMSprop(Optimizer):
    """Gradients divided by the root of their running mean square (Hinton, 2012).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        rho: decay of the mean square, in [0, 1], default 0.9.
        momentum: in [0, 1], default 0.
        epsilon: added inside the root. Default 1e-7.
        centered: subtract the square of the mean gradient. Default False.
        weight_decay: decoupled decay, or None.
        clipnorm: see `Optimizer`; also ``clipvalue`` and ``global_clipnorm``.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        name: default the class name.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range or not supported.
        TypeError: if an argument is not known.

    Formula: ``v = rho * v + (1 - rho) * g^2`` and ``w -= lr * g / sqrt(v + epsilon)``. Some texts
    put epsilon after the root; Keras has it inside.


    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.RMSprop(learning_rate=0.5)
        <RMSprop learning_rate=0.5>
    """

    kind = "rmsprop"
    _options = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, **kwargs
        )
        self.rho = number("RMSprop", "rho", rho, 0.0, 1.0)
        self.momentum = number("RMSprop", "momentum", momentum, 0.0, 1.0)
        self.epsilon = number("RMSprop", "epsilon", epsilon)
        self.centered = bool(centered)
