"""The RMSprop optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import fraction, number, positive
from dnnfast.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """Gradients divided by the root of their mean square (Tieleman and Hinton, 2012).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        rho: decay of the mean square, in [0, 1), default 0.9.
        momentum: in [0, 1], default 0.
        epsilon: added inside the root. Above 0, default 1e-7.
        centered: divide by the root of the variance. Default False.
        weight_decay: decoupled decay, or None.
        clipnorm: see `Optimizer`; so are the other arguments.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        use_ema: see `Optimizer`.
        ema_momentum: see `Optimizer`.
        ema_overwrite_frequency: see `Optimizer`.
        loss_scale_factor: see `Optimizer`.
        gradient_accumulation_steps: see `Optimizer`.
        name: default the class name in small letters, numbered.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is not known.

    Formula: ``v = rho * v + (1 - rho) * g^2``, ``w -= lr * g / sqrt(v + epsilon)``; centered, the
    squared mean gradient is subtracted from ``v`` under the root; with momentum the increments are
    accumulated. Others add epsilon outside the root; Keras adds it inside.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.RMSprop(learning_rate=0.5)
        <RMSprop learning_rate=0.5>
    """

    kind = "rmsprop"
    _options = (
        "rho",
        "momentum",
        "epsilon",
        "centered",
    )
    _momentum = "momentum"
    _groups = (
        ("velocity",),
        ("momentum",),
        ("average_gradient",),
    )

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
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.rho = fraction(self, "rho", rho)
        self.momentum = number(self, "momentum", momentum, 0.0, 1.0)
        self.epsilon = positive(self, "epsilon", epsilon)
        self.centered = bool(centered)
