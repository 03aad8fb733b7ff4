"""The base class of optimizers: arguments, learning rates and state. Engines do the work."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from typing import Any

import numpy as np

from dnnfast import graph
from dnnfast.configurable import Configurable
from dnnfast.errors import suggest
from dnnfast.optimizers.scalar import Scalar
from dnnfast.optimizers.schedules import LearningRateSchedule
from dnnfast.saving.objects import serialize_keras_object

_UNSUPPORTED = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def number(cls: str, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number, Scalar)):
        raise ValueError(f"{cls}: {name} must be a number, got {value!r}.")
    if not (low <= float(value) <= high and math.isfinite(value)):
        bounded = math.isfinite(high)
        limit = f"in [{low:g}, {high:g}]" if bounded else f"finite, at least {low:g}"
        raise ValueError(f"{cls}: {name} must be {limit}, got {value!r}.")
    return float(value)


def _takes_step(rate: Any) -> bool:
    """Tell whether a callable learning rate wants the step's number."""
    return isinstance(rate, LearningRateSchedule) or bool(inspect.signature(rate).parameters)


class Optimizer(Configurable):
    """The base class of optimizers.

    Args:
        learning_rate: a number, a schedule, or a function of the step number (or of nothing).
        weight_decay: decoupled decay ``w -= w * weight_decay * learning_rate``, or None.
        clipnorm: largest norm of each variable's gradient, or None.
        clipvalue: largest absolute value of a gradient's element, or None.
        global_clipnorm: largest norm of all gradients together, or None.
        name: default the class name.
        **kwargs: the old ``lr`` and ``decay`` (the rate is divided by ``1 + decay * step``), and
            Keras's ``use_ema``, ``ema_momentum``, ``ema_overwrite_frequency``,
            ``loss_scale_factor`` and ``gradient_accumulation_steps`` at their defaults.

    Raises:
        ValueError: if an argument is out of range or not supported.
        TypeError: if an argument is not known.

    Example:
        >>> import dnnfast
        >>> optimizer = dnnfast.optimizers.Adam(learning_rate=0.01, clipnorm=1.0)
        >>> optimizer.learning_rate = 0.001
        >>> float(optimizer.learning_rate)
        0.001
    """

    kind = ""
    _options: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        cls = type(self).__name__
        if "lr" in kwargs:
            warnings.warn(
                f"{cls}: `lr` is now called `learning_rate`.", DeprecationWarning, stacklevel=3
            )
            learning_rate = kwargs.pop("lr")
        self.decay = 0.0
        if "decay" in kwargs:
            warnings.warn(
                f"{cls}: `decay` is deprecated; use a schedule, such as InverseTimeDecay.",
                DeprecationWarning,
                stacklevel=3,
            )
            self.decay = number(cls, "decay", kwargs.pop("decay") or 0.0)
        self._refuse(kwargs)
        self._rate: Any = self._checked_rate(learning_rate)
        self.name = name or cls.lower()
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [key for key, value in limits.items() if value is not None]
        if len(given) > 1:
            raise ValueError(
                f"{cls}: only one of clipnorm, clipvalue and global_clipnorm can be set, got "
                f"{' and '.join(given)}."
            )
        for key in given:
            number(cls, key, limits[key])
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.weight_decay = (
            None if weight_decay is None else number(cls, "weight_decay", weight_decay)
        )
        self._iterations = 0
        # The program that trains with this optimizer holds its state.
        self._program: Any = None

    def _refuse(self, kwargs: dict[str, Any]) -> None:
        """Accept what has no effect; raise for what we cannot do and for misspelled names."""
        cls = type(self).__name__
        for key, value in kwargs.items():
            if key in ("jit_compile", "is_legacy_optimizer"):
                continue
            if key not in _UNSUPPORTED:
                known = list(inspect.signature(type(self).__init__).parameters)[1:]
                hint = suggest(key, [*known, *_UNSUPPORTED])
                raise TypeError(f"{cls}: unknown argument {key!r}. {hint}".rstrip())
            if key not in ("ema_momentum",) and value not in (_UNSUPPORTED[key], False, None):
                raise ValueError(f"{cls}: {key}={value!r} is not supported; leave it out.")

    # Learning rate.

    def _checked_rate(self, value: Any) -> Any:
        if isinstance(value, dict):
            from dnnfast.saving.objects import deserialize_keras_object

            value = deserialize_keras_object(value)
        if isinstance(value, LearningRateSchedule):
            return value
        if isinstance(value, (Scalar, np.ndarray)) or hasattr(value, "numpy"):
            value = float(value)
        if callable(value):
            return value
        return number(type(self).__name__, "learning_rate", value)

    def _rate_at(self, step: int, takes_step: bool | None = None) -> float:
        rate = self._rate
        if callable(rate):
            takes_step = _takes_step(rate) if takes_step is None else takes_step
            value = rate(step) if takes_step else rate()
            try:
                rate = float(value)
            except (TypeError, ValueError):
                rate = math.nan
            if not 0.0 <= rate < math.inf:
                raise ValueError(
                    f"{type(self).__name__}: the learning rate {self._rate!r} gave {value!r} for "
                    f"step {step}; expected a finite number of at least 0."
                )
        return float(rate) / (1.0 + self.decay * step)

    def rates(self, step: int, count: int) -> np.ndarray:
        """Return the learning rates of ``count`` steps from number ``step``."""
        if not callable(self._rate):
            if not self.decay:
                return np.full(count, self._rate, np.float64)
            return self._rate / (1.0 + self.decay * np.arange(step, step + count, dtype=np.float64))
        takes_step = _takes_step(self._rate)
        rates = [self._rate_at(t, takes_step) for t in range(step, step + count)]
        return np.array(rates, np.float64)

    @property
    def learning_rate(self) -> Any:
        """The learning rate: readable as a number, and writable unless it is a schedule."""
        read = (lambda: self._rate_at(self._step())) if callable(self._rate) else lambda: self._rate
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

    # State.

    def _step(self) -> int:
        return self._program.session.iterations if self._program is not None else self._iterations

    @property
    def iterations(self) -> Any:
        """The number of steps applied so far; readable as an integer, and writable."""
        return Scalar("iteration", self._step, self._set_iterations, "int64")

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._set_iterations(value)

    def _set_iterations(self, value: Any) -> None:
        self._iterations = int(value)
        if self._program is not None:
            self._program.session.iterations = int(value)

    @property
    def variables(self) -> list[Any]:
        """Iterations, learning rate, and the state of each trained variable."""
        from dnnfast.variable import Variable

        found: list[Any] = [self.iterations, self.learning_rate]
        if self._program is None:
            return found
        names = self._program.session.slot_names
        for i, variable in enumerate(self._program.variables):
            if self._program.trains(i):
                for slot in names:
                    value = self._program.session.get_slot(slot, i)
                    path = variable.path.replace("/", "_")
                    found.append(Variable(value, trainable=False, name=f"{path}_{slot}"))
        return found

    def spec(self) -> graph.Optimizer:
        """Return what an engine needs to know."""
        names = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
        options = {key: getattr(self, key) for key in (*self._options, *names)}
        return graph.Optimizer(
            self.kind, {key: value for key, value in options.items() if value is not None}
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        rate = self._rate
        config: dict[str, Any] = {
            "name": self.name,
            "learning_rate": rate if isinstance(rate, float) else serialize_keras_object(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            **_UNSUPPORTED,
            "use_ema": False,
        }
        config.update({key: getattr(self, key) for key in self._options})
        if self.decay:
            config["decay"] = self.decay
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the optimizer from the result of `get_config`."""
        config = dict(config)
        decay = config.pop("decay", 0.0)
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
