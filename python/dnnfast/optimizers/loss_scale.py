"""An optimizer around another one: the loss is scaled so that no gradient vanishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import graph
from dnnfast.optimizers.arguments import count, positive
from dnnfast.optimizers.optimizer import Optimizer
from dnnfast.optimizers.scalar import Scalar
from dnnfast.optimizers.state import constant
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

# What old configurations hold although it has no effect.
_INERT = {
    **dict.fromkeys(("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")),
    **{"use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None},
    **{"loss_scale_factor": None, "gradient_accumulation_steps": None, "dynamic": True},
}


class LossScaleOptimizer(Optimizer):
    """Scales the loss by a factor that it finds while training.

    A step with gradients that are not finite is left out and halves the factor; after so many
    good steps the factor is doubled. With float32 gradients the results are those of the inner
    optimizer.

    Args:
        inner_optimizer: the optimizer that takes the steps; its own ``loss_scale_factor`` is
            dropped.
        initial_scale: the first factor, above 0, default 2^15.
        dynamic_growth_steps: good steps before it is doubled, at least 1, default 2000.
        name: default the class name in small letters, numbered.
        **kwargs: arguments of older configurations, at their defaults.

    Raises:
        ValueError: if an argument is out of range; set other arguments on the inner optimizer.
        TypeError: if ``inner_optimizer`` is not an optimizer.

    Example:
        >>> import dnnfast
        >>> inner = dnnfast.optimizers.SGD(0.5)
        >>> optimizer = dnnfast.optimizers.LossScaleOptimizer(inner, initial_scale=4.0)
        >>> w = dnnfast.Variable([1.0])
        >>> optimizer.apply([[4.0]], [w])
        >>> w.numpy().tolist()
        [0.5]
    """

    kind = "loss_scale"

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        for key in [key for key in kwargs if key in _INERT]:
            if kwargs.pop(key) != _INERT[key]:
                raise ValueError(
                    f"LossScaleOptimizer: {key} cannot be set here; set it on the inner optimizer."
                )
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                "LossScaleOptimizer: inner_optimizer must be an optimizer, got "
                f"{inner_optimizer!r}."
            )
        super().__init__(0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = positive(self, "initial_scale", initial_scale)
        self.dynamic_growth_steps = count(self, "dynamic_growth_steps", dynamic_growth_steps, 1)
        inner_optimizer.loss_scale_factor = None
        self.use_ema = inner_optimizer.use_ema

    # The engine.

    def specs(self) -> list[graph.Optimizer]:
        """Return the graph's optimizers: the inner ones, with the loss scaled."""
        specs = self.inner_optimizer.specs()
        for spec in specs:
            spec.options.pop("loss_scale_factor", None)
            spec.options.update(
                dynamic_loss_scale=1.0,
                initial_scale=self.initial_scale,
                dynamic_growth_steps=float(self.dynamic_growth_steps),
            )
        return specs

    def put_into(self, target: graph.Graph, variables: Sequence[Any]) -> None:
        """Make a graph train with the inner optimizer, its loss scaled."""
        self.inner_optimizer.put_into(target, variables)
        target.optimizer, *target.other_optimizers = self.specs()

    def _attach(self, program: Any, index: int = 0) -> None:
        super()._attach(program, index)
        self.inner_optimizer._attach(program, index)

    def rates(self, step: int, count: int) -> np.ndarray:
        """Return what the engine needs of ``count`` steps from number ``step``."""
        return self.inner_optimizer.rates(step, count)

    # What users see.

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    @property
    def iterations(self) -> Any:
        """The inner optimizer's iterations: steps that were left out do not count."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self.inner_optimizer.iterations = value

    def _state(self, name: str, start: float, dtype: str) -> Scalar:
        def read() -> float:
            return getattr(self._program.session, name) if self.built else start

        def write(value: Any) -> None:
            if not self.built:
                raise ValueError(f"{self.name}: build the optimizer before its state is set.")
            setattr(self._program.session, name, type(start)(value))

        return Scalar("dynamic_scale" if dtype == "float32" else "step_counter", read, write, dtype)

    @property
    def dynamic_scale(self) -> Any:
        """The factor; readable as a number, and writable."""
        return self._state("loss_scale", self.initial_scale, "float32")

    @property
    def step_counter(self) -> Any:
        """Good steps since the factor was changed."""
        return self._state("good_steps", 0, "int64")

    @property
    def variables(self) -> list[Any]:
        """Those of Keras: two without use, the counter, the factor, the inner optimizer's."""
        own = [constant("iteration", 0, "int64"), constant("learning_rate", 0.0, "float32")]
        state = [self.step_counter, self.dynamic_scale] if self.built else []
        return [*own, *state, *self.inner_optimizer.variables]

    def scale_loss(self, loss: Any) -> Any:
        """Return a loss multiplied by the factor."""
        return loss * float(self.dynamic_scale)

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Keep variables from the inner optimizer's decay."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def swap_averages(self) -> None:
        """Exchange the trained variables with their averages."""
        self.inner_optimizer.swap_averages()

    def finalize_variable_values(self, var_list: Any) -> None:
        """Set variables to their averages, if the inner optimizer keeps some."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the optimizer from the result of `get_config`."""
        config = dict(config)
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects)
        return cls(inner, **config)
