"""The Adagrad optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import number, positive
from dnnfast.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of their squares (Duchi et al., 2011).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        initial_accumulator_value: at least 0, default 0.1.
        epsilon: added inside the root. Above 0, default 1e-7.
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

    Formula: ``a += g^2``, ``w -= lr * g / sqrt(a + epsilon)``, from
    ``a = initial_accumulator_value`` on.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Adagrad(learning_rate=0.5)
        <Adagrad learning_rate=0.5>
    """

    kind = "adagrad"
    _options = (
        "initial_accumulator_value",
        "epsilon",
    )
    _groups = (("accumulator",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = number(
            self, "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = positive(self, "epsilon", epsilon)
