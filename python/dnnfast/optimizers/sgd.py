"""The SGD optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import number
from dnnfast.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum and Nesterov's form of it if asked.

    Args:
        learning_rate: a number, a schedule or a function. Default 0.01.
        momentum: in [0, 1], default 0.
        nesterov: look ahead along the momentum. Default False.
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

    Formula: ``w -= lr * g``; with momentum ``m = momentum * m - lr * g`` and ``w += m``, or, with
    Nesterov, ``w += momentum * m - lr * g``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.SGD(learning_rate=0.5)
        <SGD learning_rate=0.5>
    """

    kind = "sgd"
    _options = (
        "momentum",
        "nesterov",
    )
    _momentum = "momentum"
    _groups = (("momentum",),)

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = number(self, "momentum", momentum, 0.0, 1.0)
        self.nesterov = bool(nesterov)
