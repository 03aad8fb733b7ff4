"""The Adam optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import fraction, positive
from dnnfast.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        beta_1: decay of the mean, in [0, 1), default 0.9.
        beta_2: decay of the mean square, in [0, 1), default 0.999.
        epsilon: added to the root. Above 0, default 1e-7.
        amsgrad: divide by the largest mean square so far. Default False.
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

    Formula: ``m += (g - m) * (1 - beta_1)``, ``v += (g^2 - v) * (1 - beta_2)`` and
    ``w -= lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)``. The paper's first
    form adds epsilon to the root of the corrected v; Keras adds it to the uncorrected one.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Adam(learning_rate=0.5)
        <Adam learning_rate=0.5>
    """

    kind = "adam"
    _options = (
        "beta_1",
        "beta_2",
        "epsilon",
        "amsgrad",
    )
    _momentum = "beta_1"
    _groups = (
        (
            "momentum",
            "velocity",
        ),
        ("velocity_hat",),
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1 = fraction(self, "beta_1", beta_1)
        self.beta_2 = fraction(self, "beta_2", beta_2)
        self.epsilon = positive(self, "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)
