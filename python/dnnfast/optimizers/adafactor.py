"""The Adafactor optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.arguments import nonpositive, positive
from dnnfast.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Mean squares kept by row and by column (Shazeer and Stern, 2018).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        beta_2_decay: at most 0, default -0.8.
        epsilon_1: added to squared gradients, above 0, default 1e-30.
        epsilon_2: the least root mean square of a variable that counts, above 0,
            default 1e-3.
        clip_threshold: largest root mean square of a direction, above 0, default 1.
        relative_step: whether the rate is at most ``1 / sqrt(t)``. As in Keras it always is.
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

    Formula: ``b = 1 - t^beta_2_decay``; of a matrix ``v = r / mean(r) * c`` with
    ``r = b * r + (1 - b) * mean_over_columns(g^2 + epsilon_1)`` and c the same over rows; of a
    vector ``v = b * v + (1 - b) * (g^2 + epsilon_1)``; ``u = g / sqrt(v)`` and
    ``w -= max(epsilon_2, rms(w)) * min(lr, 1 / sqrt(t)) * u / max(1, rms(u) / clip_threshold)``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Adafactor(learning_rate=0.5)
        <Adafactor learning_rate=0.5>
    """

    kind = "adafactor"
    _options = (
        "beta_2_decay",
        "epsilon_1",
        "epsilon_2",
        "clip_threshold",
    )
    _descriptive = ("relative_step",)
    _groups = (
        (
            "row_factor",
            "column_factor",
            "velocity",
        ),
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = nonpositive(self, "beta_2_decay", beta_2_decay)
        self.epsilon_1 = positive(self, "epsilon_1", epsilon_1)
        self.epsilon_2 = positive(self, "epsilon_2", epsilon_2)
        self.clip_threshold = positive(self, "clip_threshold", clip_threshold)
        self.relative_step = bool(relative_step)
