"""The Adam optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.optimizer import Optimizer, number


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        beta_1: decay of the mean, in [0, 1], default 0.9.
        beta_2: decay of the mean square, in [0, 1], default 0.999.
        epsilon: added to the root. Default 1e-7.
        amsgrad: divide by the largest mean square so far. Default False.
        weight_decay: decoupled decay, or None.
        clipnorm: see `Optimizer`; also ``clipvalue`` and ``global_clipnorm``.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        name: default the class name.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range or not supported.
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
    _options = ("beta_1", "beta_2", "epsilon", "amsgrad")

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
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, **kwargs
        )
        self.beta_1 = number("Adam", "beta_1", beta_1, 0.0, 1.0)
        self.beta_2 = number("Adam", "beta_2", beta_2, 0.0, 1.0)
        self.epsilon = number("Adam", "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)
