"""The Adadelta optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import fraction, positive
from dnnfast.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """Steps in the units of the weights (Zeiler, 2012).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        rho: decay of the mean squares, in [0, 1), default 0.95.
        epsilon: added inside both roots. Above 0, default 1e-7.
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

    Formula: ``a = rho * a + (1 - rho) * g^2``, ``s = sqrt(d + epsilon) / sqrt(a + epsilon) * g``,
    ``d = rho * d + (1 - rho) * s^2`` and ``w -= lr * s``; the paper's ``lr`` is 1.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Adadelta(learning_rate=0.5)
        <Adadelta learning_rate=0.5>
    """

    kind = "adadelta"
    _options = (
        "rho",
        "epsilon",
    )
    _groups = (
        (
            "accumulated_grad",
            "accumulated_delta_var",
        ),
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        self.epsilon = positive(self, "epsilon", epsilon)
