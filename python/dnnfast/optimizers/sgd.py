"""The SGD optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.optimizers.optimizer import Optimizer, number


class SGD(Optimizer):
    """Gradient descent, with momentum and Nesterov's form of it if asked.

    Args:
        learning_rate: a number, a schedule or a function. Default 0.01.
        momentum: in [0, 1], default 0.
        nesterov: look ahead along the momentum. Default False.
        weight_decay: decoupled decay, or None.
        clipnorm: see `Optimizer`; also ``clipvalue`` and ``global_clipnorm``.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        name: default the class name.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range or not supported.
        TypeError: if an argument is not known.

    Formula: ``w -= lr * g``; with momentum ``m = momentum * m - lr * g`` and ``w += m``, or, with
    Nesterov, ``w += momentum * m - lr * g``.


    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.SGD(learning_rate=0.5)
        <SGD learning_rate=0.5>
    """

    kind = "sgd"
    _options = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = number("SGD", "momentum", momentum, 0.0, 1.0)
        self.nesterov = bool(nesterov)
