"""The half of the reference session that owns the optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.optimizer_state import OptimizerState

Array = NDArray[np.float64]


class Optimizers:
    """State that runs with the steps, and the steps themselves."""

    graph: Any
    _parameters: list[Array]
    _gradients: list[Array]

    def _init_optimizers(self) -> None:
        self.iterations = 0
        self.good_steps = 0
        self._optimizers = [
            OptimizerState(spec.kind, spec.options, self.graph.parameters, k)
            for k, spec in enumerate(self.graph.optimizers)
        ]
        self._dynamic = self._option("dynamic_loss_scale", 0) != 0
        self.loss_scale = float(self._option("initial_scale", 32768.0)) if self._dynamic else 1.0

    def _option(self, name: str, default: Any) -> Any:
        if not self._optimizers:
            return default
        return self._optimizers[0].options.get(name, default)

    @property
    def u_products(self) -> list[float]:
        """Of each optimizer, Nadam's product of momentum coefficients; 1 for others."""
        return [state.u_product for state in self._optimizers]

    @u_products.setter
    def u_products(self, values: Sequence[float]) -> None:
        if len(values) != len(self._optimizers):
            raise ValueError(f"expected {len(self._optimizers)} products; got {len(values)}")
        for state, value in zip(self._optimizers, values, strict=True):
            state.u_product = float(value)

    # State of a parameter.

    def _optimizer_of(self, i: int) -> OptimizerState:
        return self._optimizers[self.graph.parameters[i].optimizer]

    def slots(self, i: int) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and shapes of the optimizer's state for parameter ``i``."""
        self._checked(i)
        if not self._optimizers:
            return []
        return list(self._optimizer_of(i).shapes.get(i, {}).items())

    def _checked(self, i: int) -> int:
        count = len(self._parameters)
        if not 0 <= i < count:
            raise ValueError(f"parameter {i} does not exist; the model has {count}")
        return i

    def _slot_shape(self, name: str, i: int) -> tuple[int, ...]:
        shapes = dict(self.slots(i))
        if name not in shapes:
            raise ValueError(
                f'the optimizer has no state named "{name}" for parameter '
                f'"{self.graph.parameters[i].name}"; it has {list(shapes)}'
            )
        return shapes[name]

    def get_slot(self, name: str, i: int) -> NDArray[np.float32]:
        """Return a copy of an optimizer state array of parameter ``i``."""
        self._slot_shape(name, i)
        state = self._optimizer_of(i)
        state.start(self._parameters)
        return state.slots[name, i].astype(np.float32)

    def set_slot(self, name: str, i: int, array: ArrayLike) -> None:
        """Set an optimizer state array of parameter ``i``."""
        shape, values = self._slot_shape(name, i), np.array(array, dtype=np.float64)
        if values.shape != shape:
            raise ValueError(
                f'state "{name}" of parameter "{self.graph.parameters[i].name}" has shape {shape}; '
                f"got {values.shape}"
            )
        self._optimizer_of(i).slots[name, i] = values

    # Steps.

    def _rates(self, learning_rates: ArrayLike, count: int) -> Array:
        """Return learning rate and momentum: ``(steps, optimizers, 2)``."""
        rates = np.asarray(learning_rates, dtype=np.float64)
        shape = (count, len(self._optimizers), 2)
        if rates.shape == (count,):
            full = np.full(shape, np.nan)
            full[:, :, 0] = rates[:, None]
            return full
        if rates.shape != shape:
            raise ValueError(
                f"expected {count} learning rates, or an array of shape {shape}; got shape "
                f"{rates.shape}"
            )
        return rates

    def apply(self, gradients: Sequence[ArrayLike | None], learning_rates: ArrayLike) -> None:
        """Take one step by the caller's gradients.

        Args:
            gradients: one a parameter, as `scaled <dnnfast.optimizers.LossScaleOptimizer>` as the
                loss is; None leaves the parameter as it is.
            learning_rates: as in `train`, of one step.

        Raises:
            RuntimeError: if the graph has no optimizer.
            ValueError: if the arguments do not fit.
        """
        if not self._optimizers:
            raise RuntimeError("there is no optimizer")
        (rates,) = self._rates(learning_rates, 1)
        if len(gradients) != len(self._parameters):
            raise ValueError(
                f"got {len(gradients)} gradients; the model has {len(self._parameters)} parameters"
            )
        scale = self.loss_scale if self._dynamic else self._option("loss_scale_factor", 1.0)
        found = [
            None
            if g is None or not self.graph.parameters[i].trainable
            else self._fitting(i, g) / scale
            for i, g in enumerate(gradients)
        ]
        self._step(found, rates)

    def _fitting(self, i: int, array: ArrayLike) -> Array:
        values = np.array(array, dtype=np.float64)
        spec = self.graph.parameters[self._checked(i)]
        if values.shape != tuple(spec.shape):
            raise ValueError(
                f'parameter "{spec.name}" has shape {tuple(spec.shape)}; got {values.shape}'
            )
        return values

    def _step(self, gradients: Sequence[Array | None], rates: Array) -> bool:
        """Take one step of all optimizers; False if its gradients were not finite."""
        if self._dynamic:
            finite = all(np.isfinite(g).all() for g in gradients if g is not None)
            self._adapt_loss_scale(finite)
            if not finite:
                return False
        with np.errstate(all="ignore"):
            for state, rate in zip(self._optimizers, rates, strict=True):
                self._parameters[:] = state.step(self._parameters, gradients, self.iterations, rate)
        self.iterations += 1
        return True

    def _adapt_loss_scale(self, finite: bool) -> None:
        self.good_steps += 1
        if not finite:
            self.loss_scale *= 0.5
            self.good_steps = 0
        elif self.good_steps >= self._option("dynamic_growth_steps", 2000):
            self.loss_scale *= 2.0
            self.good_steps = 0
