"""The base class of optimizers: arguments, learning rates, configuration. Engines do the work."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dnnfast import graph, naming
from dnnfast.configurable import Configurable
from dnnfast.errors import suggest
from dnnfast.optimizers.applying import Applying
from dnnfast.optimizers.arguments import count, number, positive
from dnnfast.optimizers.scalar import Scalar
from dnnfast.optimizers.schedules import LearningRateSchedule
from dnnfast.optimizers.schedules.schedule import Formula
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

_COMMON = (
    *("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum"),
    *("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"),
)


def _takes_step(rate: Any) -> bool:
    """Tell whether a callable learning rate wants the step's number."""
    return isinstance(rate, LearningRateSchedule) or bool(inspect.signature(rate).parameters)


class Optimizer(Applying, Configurable):
    """The base class of optimizers.

    Args:
        learning_rate: a number, a schedule, or a function of the step number (or of nothing).
        weight_decay: decoupled decay ``w -= w * weight_decay * learning_rate``, or None.
        clipnorm: largest norm of each variable's gradient, or None.
        clipvalue: largest absolute value of a gradient's element, or None.
        global_clipnorm: largest norm of all gradients together, or None.
        use_ema: keep a moving average of the weights, which they become at the end of `fit`.
            Default False.
        ema_momentum: share of the old average, in [0, 1], default 0.99.
        ema_overwrite_frequency: the weights become their average every so many updates, or None.
        loss_scale_factor: the loss is multiplied by it before gradients are taken, and gradients
            are divided by it; or None.
        gradient_accumulation_steps: update every so many steps, by the mean of their gradients; at
            least 2, or None.
        name: default the class name in small letters, numbered.
        **kwargs: the old ``lr`` and ``decay`` (the rate is divided by ``1 + decay * step``).

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if an argument is not known.

    A step: gradients are unscaled, accumulated and clipped; weights decay and are updated; then
    the average moves.

    Example:
        >>> import dnnfast
        >>> optimizer = dnnfast.optimizers.Adam(learning_rate=0.01, clipnorm=1.0)
        >>> optimizer.learning_rate = 0.001
        >>> float(optimizer.learning_rate)
        0.001
    """

    kind = ""
    # Own arguments, which the engine takes under the same names; the one that a schedule may give.
    _options: tuple[str, ...] = ()
    _momentum = ""
    _descriptive: tuple[str, ...] = ()  # of the configuration only
    _configured: tuple[str, ...] = ()  # Keras's order of both, where it is another

    def __init__(
        self,
        learning_rate: Any = 0.001,
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
        self._init_state()
        self.decay = 0.0
        self._rate: Any = self._checked_rate(self._old_arguments(learning_rate, kwargs))
        self.name = name or naming.auto_name(naming.to_snake_case(type(self).__name__))
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self._check_clips()
        decay = weight_decay
        self.weight_decay = None if decay is None else number(self, "weight_decay", decay)
        self.use_ema = bool(use_ema)
        self.ema_momentum = number(self, "ema_momentum", ema_momentum, 0.0, 1.0)
        if ema_overwrite_frequency:
            count(self, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if loss_scale_factor is not None:
            positive(self, "loss_scale_factor", loss_scale_factor)
        self.loss_scale_factor = loss_scale_factor
        if gradient_accumulation_steps:
            count(self, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.gradient_accumulation_steps = gradient_accumulation_steps

    def _check_clips(self) -> None:
        limits = ("clipnorm", "clipvalue", "global_clipnorm")
        given = [key for key in limits if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(
                f"{type(self).__name__}: only one of clipnorm, clipvalue and global_clipnorm can "
                f"be set, got {' and '.join(given)}."
            )
        for key in given:
            setattr(self, key, positive(self, key, getattr(self, key)))

    def _old_arguments(self, learning_rate: Any, kwargs: dict[str, Any]) -> Any:
        """Return the learning rate after the old ``lr`` and ``decay``; refuse unknown arguments."""
        cls = type(self).__name__
        # The call that named the class: below this, the base's and the subclass's __init__.
        if "lr" in kwargs:
            warnings.warn(
                f"{cls}: `lr` is now called `learning_rate`.", DeprecationWarning, stacklevel=4
            )
            learning_rate = kwargs.pop("lr")
        if "decay" in kwargs:
            warnings.warn(
                f"{cls}: `decay` is deprecated; use a schedule, such as InverseTimeDecay.",
                DeprecationWarning,
                stacklevel=4,
            )
            self.decay = number(self, "decay", kwargs.pop("decay") or 0.0)
        for key in kwargs:
            if key not in ("jit_compile", "is_legacy_optimizer"):  # of older versions
                known = list(inspect.signature(type(self).__init__).parameters)[1:-1]
                raise TypeError(f"{cls}: unknown argument {key!r}. {suggest(key, known)}".rstrip())
        return learning_rate

    # Learning rate.

    def _checked_rate(self, value: Any) -> Any:
        if isinstance(value, dict):
            value = deserialize_keras_object(value)
        if isinstance(value, LearningRateSchedule):
            return value
        if isinstance(value, (Scalar, np.ndarray)) or hasattr(value, "numpy"):
            value = float(value)
        if callable(value):
            return value
        return number(self, "learning_rate", value)

    def _called_rates(self, step: int, steps: int) -> np.ndarray:
        """Return what a schedule or a function says of steps; checked."""
        rate, name = self._rate, type(self).__name__
        numbers = range(step, step + steps)
        values: Any
        if isinstance(rate, Formula) and type(rate).__call__ is Formula.__call__:
            values = rate.rates(np.arange(step, step + steps, dtype=np.float64))
        else:
            takes_step = _takes_step(rate)
            values = [rate(t) if takes_step else rate() for t in numbers]
        rates = np.empty(steps, np.float64)
        for i, value in enumerate(values):
            try:
                rates[i] = float(value)
            except (TypeError, ValueError):
                rates[i] = math.nan
            if not 0.0 <= rates[i] < math.inf:
                raise ValueError(
                    f"{name}: the learning rate {rate!r} gave {value!r} for step {numbers[i]}; "
                    "expected a finite number of at least 0."
                )
        return rates

    def learning_rates(self, step: int, steps: int) -> np.ndarray:
        """Return the learning rates of ``steps`` steps from number ``step``."""
        if callable(self._rate):
            rates = self._called_rates(step, steps)
        else:
            rates = np.full(steps, self._rate, np.float64)
        if self.decay:
            rates = rates / (1.0 + self.decay * np.arange(step, step + steps, dtype=np.float64))
        return rates

    def momenta(self, step: int, steps: int) -> np.ndarray:
        """Return the momenta (or beta_1) of steps; NaN: what the engine was given."""
        if self._momentum and callable(getattr(self._rate, "momentum_at", None)):
            return np.array([self._rate.momentum_at(t) for t in range(step, step + steps)])
        if not self._momentum or not self.built:
            return np.full(steps, np.nan)
        given = self._program.graph.optimizers[self._index].options.get(self._momentum)
        now = getattr(self, self._momentum)
        return np.full(steps, np.nan if now == given else now)

    def rates(self, step: int, count: int) -> np.ndarray:
        """Return learning rates of steps, ``(count,)``; with momenta ``(count, 1, 2)``.

        Args:
            step: number of the first step.
            count: number of steps.
        """
        rates, momenta = self.learning_rates(step, count), self.momenta(step, count)
        if np.isnan(momenta).all():
            return rates
        return np.stack([rates, momenta], axis=1)[:, None, :]

    @property
    def learning_rate(self) -> Any:
        """The learning rate: readable as a number, and writable unless it is a schedule."""

        def read() -> float:
            if callable(self._rate):
                return float(self.learning_rates(self._step(), 1)[0])
            return float(self._rate)

        return Scalar("learning_rate", read, self._set_rate, "float32")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._set_rate(value)

    lr = learning_rate

    def _set_rate(self, value: Any) -> None:
        value = self._checked_rate(value)
        if isinstance(self._rate, LearningRateSchedule) and not callable(value):
            raise TypeError(
                f"{type(self).__name__}: the learning rate is the schedule {self._rate!r} and "
                "cannot be set to a number; assign another schedule, or create the optimizer with "
                "a number."
            )
        self._rate = value

    @property
    def own_rate(self) -> Any:
        """The learning rate, a number or a schedule, which a callback may replace for a while."""
        return getattr(self._rate, "own_rate", self._rate)

    # What the engine needs to know.

    def _scalars(self) -> list[Any]:
        rate = [] if callable(self.own_rate) else [self.learning_rate]
        return [self._raw_iterations(), *rate]

    def spec(self) -> graph.Optimizer:
        """Return what an engine needs to know."""
        options = {key: getattr(self, key) for key in (*self._options, *_COMMON)}
        if self._momentum and callable(getattr(self._rate, "momentum_at", None)):
            options[self._momentum] = float(self._rate.momentum_at(0))
        return graph.Optimizer(
            self.kind, {key: float(value) for key, value in options.items() if value is not None}
        )

    def specs(self) -> list[graph.Optimizer]:
        """Return the graph's optimizers."""
        return [self.spec()]

    def _train(self, parameter: graph.Parameter, variable: Any, index: int) -> graph.Parameter:
        """Return how this optimizer, the graph's number ``index``, trains a parameter."""
        decays = parameter.decay and self._decays(variable)
        return replace(parameter, decay=decays, optimizer=index)

    def put_into(self, target: graph.Graph, variables: Sequence[Any]) -> None:
        """Make a graph train with this optimizer.

        Args:
            target: its parameters are replaced by ones that say how they are trained.
            variables: those of the parameters.
        """
        target.optimizer, *target.other_optimizers = self.specs()
        target.parameters = [
            self._train(parameter, variable, 0)
            for parameter, variable in zip(target.parameters, variables, strict=True)
        ]

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        rate = self.own_rate
        config: dict[str, Any] = {
            "name": self.name,
            "learning_rate": rate if isinstance(rate, float) else serialize_keras_object(rate),
        }
        own = self._configured or (*self._options, *self._descriptive)
        config.update({key: getattr(self, key) for key in (*_COMMON, *own)})
        if self.decay:
            config["decay"] = self.decay
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the optimizer from the result of `get_config`."""
        config = dict(config)
        decay = config.pop("decay", 0.0)
        if isinstance(config.get("learning_rate"), dict):
            rate = deserialize_keras_object(config["learning_rate"], custom_objects)
            config["learning_rate"] = rate
        optimizer = cls(**config)
        optimizer.decay = float(decay or 0.0)
        return optimizer

    def __getstate__(self) -> dict[str, Any]:
        from dnnfast.training.kept_state import kept

        return {**self.__dict__, "_program": kept(self._program)}

    def __copy__(self) -> Any:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={float(self.learning_rate):g}>"
