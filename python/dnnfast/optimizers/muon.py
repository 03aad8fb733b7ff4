"""The Muon optimizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dnnfast import graph
from dnnfast.optimizers.arguments import count, fraction, number, positive
from dnnfast.optimizers.optimizer import Optimizer


def _real(optimizer: Muon, name: str, value: Any) -> float:
    return number(optimizer, name, value, float("-inf"))


class Muon(Optimizer):
    """Momentum made orthogonal, for hidden matrices; AdamW for all else (Jordan et al., 2024).

    AdamW's step is taken for variables that are no matrices, for embeddings, and where an
    expression of ``exclude_layers`` is found in the path: name the output layer there.

    Args:
        learning_rate: a number, a schedule or a function. Default 0.001.
        adam_beta_1: AdamW's, in [0, 1), default 0.9.
        adam_beta_2: AdamW's, in [0, 1), default 0.999.
        adam_weight_decay: AdamW's decoupled decay, or None, default 0.004.
        epsilon: AdamW's, added to the root. Above 0, default 1e-7.
        weight_decay: decoupled decay of the others, or None, default 0.004.
        clipnorm: see `Optimizer`; so are the arguments that follow.
        clipvalue: see `Optimizer`.
        global_clipnorm: see `Optimizer`.
        use_ema: see `Optimizer`.
        ema_momentum: see `Optimizer`.
        ema_overwrite_frequency: see `Optimizer`.
        loss_scale_factor: see `Optimizer`.
        gradient_accumulation_steps: see `Optimizer`.
        name: default the class name in small letters, numbered.
        exclude_layers: expressions.
        exclude_embeddings: whether embeddings take AdamW's step. Default True.
        muon_a: coefficient of the Newton-Schulz iteration, default 3.4445.
        muon_b: the same, default -4.775.
        muon_c: the same, default 2.0315.
        adam_lr_ratio: AdamW's share of the learning rate, default 1.
        momentum: in [0, 1), default 0.95.
        ns_steps: Newton-Schulz iterations, at least 1, default 5.
        nesterov: look ahead along the momentum. Default True.
        rms_rate: steps are multiplied by it and the root of the longer side, so that Adam's
            learning rates suit; None: they are not. Default 0.2.
        **kwargs: see `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is not known.

    Formula: ``m = momentum * m + g``, ``x = g + momentum * m`` divided by its norm, then
    ``x = a * x + (b * A + c * A^2) * x`` with ``A = x * x^T`` so many times, and
    ``w -= lr * rms_rate * sqrt(max(rows, columns)) * x``. Liu et al. (2025) for the scale.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.Muon(learning_rate=0.02, exclude_layers=["output"])
        <Muon learning_rate=0.02>
    """

    kind = "muon"
    _options = (
        *("adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "muon_a", "muon_b"),
        *("muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate"),
    )
    _descriptive = ("exclude_layers", "exclude_embeddings")
    _configured = (
        *("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c"),
        *("adam_lr_ratio", "momentum", "ns_steps", "nesterov", "exclude_embeddings"),
        *("adam_weight_decay", "rms_rate"),
    )
    _momentum = "momentum"
    _groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        common = (clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum)
        more = (ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name)
        super().__init__(learning_rate, weight_decay, *common, *more, **kwargs)
        self.adam_beta_1 = fraction(self, "adam_beta_1", adam_beta_1)
        self.adam_beta_2 = fraction(self, "adam_beta_2", adam_beta_2)
        if adam_weight_decay is not None:
            number(self, "adam_weight_decay", adam_weight_decay)
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = positive(self, "epsilon", epsilon)
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = bool(exclude_embeddings)
        self.muon_a = _real(self, "muon_a", muon_a)
        self.muon_b = _real(self, "muon_b", muon_b)
        self.muon_c = _real(self, "muon_c", muon_c)
        self.adam_lr_ratio = number(self, "adam_lr_ratio", adam_lr_ratio)
        self.momentum = fraction(self, "momentum", momentum)
        self.ns_steps = count(self, "ns_steps", ns_steps, 1)
        self.nesterov = bool(nesterov)
        self.rms_rate = None if rms_rate is None else positive(self, "rms_rate", rms_rate)

    def _takes_adamw(self, variable: Any) -> bool:
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(expression, variable.path) for expression in self.exclude_layers)

    def spec(self) -> graph.Optimizer:
        """Return what an engine needs to know."""
        spec = super().spec()
        spec.options.setdefault("rms_rate", 0.0)
        return spec

    def _train(self, parameter: graph.Parameter, variable: Any, index: int) -> graph.Parameter:
        trained = super()._train(parameter, variable, index)
        return replace(trained, orthogonal=not self._takes_adamw(variable))
