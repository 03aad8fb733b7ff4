"""The Ftrl optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.optimizers.arguments import nonpositive, number
from dnnfast.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al., 2013).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        learning_rate_power: at most 0, default -0.5.
        initial_accumulator_value: at least 0, default 0.1.
        l1_regularization_strength: at least 0, default 0.
        l2_regularization_strength: at least 0, default 0.
        l2_shrinkage_regularization_strength: at least 0, default 0.
        beta: at least 0, default 0.
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

    Formula: with ``p = -learning_rate_power``, ``n' = n + g^2``,
    ``z += g + 2 * l2_shrinkage * w - (n'^p - n^p) / lr * w``,
    ``q = n'^p / lr + 2 * l2 + beta / lr`` and ``w = (clip(z, -l1, l1) - z) / q``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Ftrl(learning_rate=0.5)
        <Ftrl learning_rate=0.5>
    """

    kind = "ftrl"
    _options = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )
    _groups = (
        (
            "accumulator",
            "linear",
        ),
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = nonpositive(self, "learning_rate_power", learning_rate_power)
        self.initial_accumulator_value = number(
            self, "initial_accumulator_value", initial_accumulator_value
        )
        self.l1_regularization_strength = number(
            self, "l1_regularization_strength", l1_regularization_strength
        )
        self.l2_regularization_strength = number(
            self, "l2_regularization_strength", l2_regularization_strength
        )
        self.l2_shrinkage_regularization_strength = number(
            self, "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = number(self, "beta", beta)

    def learning_rates(self, step: int, steps: int) -> np.ndarray:
        """Return the learning rates of ``steps`` steps from number ``step``; all above 0."""
        rates = super().learning_rates(step, steps)
        if not rates.all():
            raise ValueError(
                "Ftrl: the learning rate must be above 0, as the formula divides by it; it is 0 in "
                f"step {step + int(np.argmin(rates))}."
            )
        return rates
