"""The Nadam optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.optimizer import Optimizer, number


class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2016).

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        beta_1: decay of the mean, in [0, 1], default 0.9.
        beta_2: decay of the mean square, in [0, 1], default 0.999.
        epsilon: added to the root. Default 1e-7.
        weight_decay: decoupled decay, or None.
        clipnorm: see `Optimizer`; also ``clipvalue`` and ``global_clipnorm``.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        name: default the class name.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range or not supported.
        TypeError: if an argument is not known.

    Formula: ``u_t = beta_1 * (1 - 0.5 * 0.96^t)``, ``P_t`` the product of u up to t, m and v as in
    Adam, ``mhat = u_{t+1} * m / (1 - P_{t+1}) + (1 - u_t) * g / (1 - P_t)``,
    ``vhat = v / (1 - beta_2^t)`` and ``w -= lr * mhat / (sqrt(vhat) + epsilon)``.


    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Nadam(learning_rate=0.5)
        <Nadam learning_rate=0.5>
    """

    kind = "nadam"
    _options = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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
        self.beta_1 = number("Nadam", "beta_1", beta_1, 0.0, 1.0)
        self.beta_2 = number("Nadam", "beta_2", beta_2, 0.0, 1.0)
        self.epsilon = number("Nadam", "epsilon", epsilon)
