"""The AdamW optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        weight_decay: decoupled decay, at least 0, default 0.004.
        beta_1: decay of the mean, in [0, 1), default 0.9.
        beta_2: decay of the mean square, in [0, 1), default 0.999.
        epsilon: added to the root. Above 0, default 1e-7.
        amsgrad: divide by the largest mean square so far. Default False.
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

    Formula: ``w -= w * weight_decay * lr``, then a step of `Adam`.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.AdamW(learning_rate=0.5)
        <AdamW learning_rate=0.5>
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if self.weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number, got None; use Adam.")
