"""The optimizers of a session: their options, their state, and a step of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dnnfast.errors import unknown_name
from dnnfast.reference import optimizer, optimizer_rules, optimizer_whole

Array = NDArray[np.float64]
CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")


class Rule(NamedTuple):
    """How a step function is called: its arrays of state, in their order; its constants."""

    step: Callable[..., Any]
    slots: dict[str, str]  # Keras's name of the state -> the argument
    constants: tuple[str, ...]
    counts: bool = False  # takes the step's number


_ADAM = {"momentum": "m", "velocity": "v"}
_MUON = ("nesterov", "ns_steps", "muon_a", "muon_b", "muon_c", "rms_rate")
_FTRL = (
    *("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength"),
    *("l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta"),
)
_RULES: dict[str, Rule] = {
    "sgd": Rule(optimizer.sgd_step, {"momentum": "momentum_slot"}, ("nesterov",)),
    "rmsprop": Rule(
        optimizer.rmsprop_step,
        {
            "velocity": "velocity",
            "momentum": "momentum_slot",
            "average_gradient": "average_gradient",
        },
        ("rho", "epsilon", "centered"),
    ),
    "adam": Rule(
        optimizer.adam_step,
        {**_ADAM, "velocity_hat": "vhat"},
        ("beta_2", "epsilon", "amsgrad"),
        True,
    ),
    "nadam": Rule(optimizer.nadam_step, _ADAM, ("beta_2", "epsilon"), True),
    "adagrad": Rule(
        optimizer_rules.adagrad_step,
        {"accumulator": "accumulator"},
        ("initial_accumulator_value", "epsilon"),
    ),
    "adadelta": Rule(
        optimizer_rules.adadelta_step,
        {
            "accumulated_grad": "accumulated_grad",
            "accumulated_delta_var": "accumulated_delta_var",
        },
        ("rho", "epsilon"),
    ),
    "adamax": Rule(
        optimizer_rules.adamax_step, {"momentum": "m", "norm": "u"}, ("beta_2", "epsilon"), True
    ),
    "lion": Rule(optimizer_rules.lion_step, {"momentum": "m"}, ("beta_2",)),
    "ftrl": Rule(
        optimizer_rules.ftrl_step, {"accumulator": "accumulator", "linear": "linear"}, _FTRL
    ),
    "schedule_free_adamw": Rule(
        optimizer_rules.schedule_free_adamw_step,
        {"momentum": "z", "velocity": "v"},
        ("beta_2", "epsilon", "warmup_steps"),
        True,
    ),
    "lamb": Rule(optimizer_whole.lamb_step, _ADAM, ("beta_2", "epsilon"), True),
    "adafactor": Rule(
        optimizer_whole.adafactor_step,
        {
            "row_factor": "row_factor",
            "column_factor": "column_factor",
            "velocity": "velocity",
        },
        ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold"),
        True,
    ),
    "muon": Rule(optimizer_whole.muon_step, {"momentum": "m"}, _MUON),
}
OPTIMIZERS = tuple(_RULES)
# The constant that a schedule may give for each step.
_MOMENTUM = {"sgd": "momentum", "rmsprop": "momentum", "muon": "momentum"} | dict.fromkeys(
    ("adam", "nadam", "adamax", "lion", "schedule_free_adamw", "lamb"), "beta_1"
)
OPTIONS = tuple(
    dict.fromkeys(
        [name for rule in _RULES.values() for name in rule.constants]
        + ["momentum", "beta_1", "weight_decay", *CLIPS]
        + ["adam_beta_1", "adam_beta_2", "adam_lr_ratio", "adam_weight_decay"]
        + ["use_ema", "ema_momentum", "ema_overwrite_frequency", "gradient_accumulation_steps"]
        + ["loss_scale_factor", "dynamic_loss_scale", "initial_scale", "dynamic_growth_steps"]
    )
)


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Raise a ValueError if an optimizer is unknown or its options do not go together.

    Args:
        kind: one of ``OPTIMIZERS``.
        options: the options of a graph's optimizer; None means the default.

    Example:

    >>> check_options("adam", {"beta_1": 0.8, "clipnorm": None})
    """
    if kind not in OPTIMIZERS:
        raise unknown_name("optimizer", kind, OPTIMIZERS)
    for name in options:
        if name not in OPTIONS:
            raise unknown_name("optimizer option", name, OPTIONS)
    if sum(bool(options.get(name)) for name in CLIPS) > 1:
        raise ValueError("only one of clipvalue, clipnorm and global_clipnorm can be set")


def clip_gradients(gradients: list[Array], options: Mapping[str, Any]) -> list[Array]:
    """Return the gradients of all trainable parameters after clipping, if any is asked for.

    Args:
        gradients: one array a parameter.
        options: ``clipvalue``, ``clipnorm`` or ``global_clipnorm``, at most one of them.

    Formula: ``clip(g, -c, c)``; or ``g c / max(norm(g), c)`` for each parameter; or the same with
    the norm over all parameters. Keras 3.

    Example:

    >>> clip_gradients([np.array([3.0, 4.0])], {"clipnorm": 1.0})[0].round(6)
    array([0.6, 0.8])
    """
    if value := options.get("clipvalue"):
        return [np.clip(g, -value, value) for g in gradients]
    if limit := options.get("clipnorm"):
        return [g * (limit / max(float(np.sqrt((g * g).sum())), limit)) for g in gradients]
    if limit := options.get("global_clipnorm"):
        norm = math.sqrt(sum(float((g * g).sum()) for g in gradients))
        return [g * (limit / max(norm, limit)) for g in gradients]
    return gradients


def slot_shapes(kind: str, options: Mapping[str, Any], spec: Any) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of an optimizer's state for a parameter, in Keras's order.

    Args:
        kind: one of ``OPTIMIZERS``.
        options: as in `check_options`.
        spec: a `dnnfast.graph.Parameter`.

    Example:

    >>> from dnnfast.graph import Parameter
    >>> slot_shapes("rmsprop", {"momentum": 0.9}, Parameter("w", (3,)))
    {'velocity': (3,), 'momentum': (3,)}
    """
    shape = tuple(spec.shape)
    absent = set()
    if kind in ("sgd", "rmsprop") and not options.get("momentum"):
        absent.add("momentum")
    if not options.get("centered"):
        absent.add("average_gradient")
    if not options.get("amsgrad"):
        absent.add("velocity_hat")
    if kind == "adafactor":
        absent |= {"velocity"} if len(shape) > 1 else {"row_factor", "column_factor"}
    rule = _rule(kind, spec)
    shapes = {name: shape for name in rule.slots if name not in absent}
    if "row_factor" in shapes:
        shapes |= {"row_factor": shape[:-1], "column_factor": (*shape[:-2], shape[-1])}
    first = {}
    if options.get("use_ema"):
        first["average"] = shape
    if (options.get("gradient_accumulation_steps") or 1) > 1:
        first["gradient_accumulator"] = shape
    return {**first, **shapes}


def _rule(kind: str, spec: Any) -> Rule:
    orthogonal = spec.orthogonal and len(spec.shape) == 2
    return _RULES["adam" if kind == "muon" and not orthogonal else kind]


class OptimizerState:
    """One optimizer of a session, and the state of the parameters that it trains.

    Args:
        kind: one of ``OPTIMIZERS``.
        options: as in `check_options`.
        parameters: all `dnnfast.graph.Parameter` of the graph.
        index: which of the graph's optimizers it is.

    Example:

    >>> from dnnfast.graph import Parameter
    >>> state = OptimizerState("sgd", {}, [Parameter("w", (1,))])
    >>> state.step([np.array([1.0])], [np.array([2.0])], 0, (0.25, math.nan))
    [array([0.5])]
    """

    def __init__(
        self, kind: str, options: Mapping[str, Any], parameters: Sequence[Any], index: int = 0
    ) -> None:
        self.kind = kind
        self.options = {name: value for name, value in options.items() if value is not None}
        self._specs = parameters
        self._mine = [i for i, p in enumerate(parameters) if p.trainable and p.optimizer == index]
        self.shapes = {i: slot_shapes(kind, self.options, parameters[i]) for i in self._mine}
        self.slots: dict[tuple[str, int], Array] = {}
        self.u_product = 1.0

    def start(self, parameters: Sequence[Array]) -> None:
        """Make the state of parameters that have none yet."""
        initial = self.options.get("initial_accumulator_value", 0.1)
        for i in self._mine:
            for name, shape in self.shapes[i].items():
                if (name, i) in self.slots:
                    continue
                value = np.zeros(shape)
                if name == "accumulator":
                    value += initial
                elif name == "momentum" and self.kind == "schedule_free_adamw":
                    value = parameters[i].copy()
                self.slots[name, i] = value

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Sequence[Array | None],
        iterations: int,
        rate: Sequence[float],
    ) -> list[Array]:
        """Return the parameters after step number ``iterations`` (from 0).

        Args:
            parameters: all of the graph.
            gradients: one a parameter; None leaves it as it is.
            iterations: steps so far, those that only accumulated included.
            rate: learning rate and momentum (or beta_1); NaN is the optimizer's own.
        """
        self.start(parameters)
        result = list(parameters)
        stride = int(self.options.get("gradient_accumulation_steps") or 1)
        updates = iterations // stride
        given = [i for i in self._mine if gradients[i] is not None]
        total = {i: np.asarray(gradients[i], np.float64) for i in given}
        if stride > 1:
            total = {i: self.slots["gradient_accumulator", i] + total[i] for i in given}
            last = (iterations + 1) % stride == 0
            for i in given:
                self.slots["gradient_accumulator", i] = (
                    np.zeros_like(total[i]) if last else total[i]
                )
            if not last:
                self._average(result, given, updates)
                return result
        clipped = clip_gradients([total[i] / stride for i in given], self.options)
        for i, g in zip(given, clipped, strict=True):
            result[i] = self._update(i, result[i], g, updates + 1, rate)
        if self.kind == "nadam":
            beta_1 = self._momentum(rate).get("beta_1", 0.9)
            self.u_product *= optimizer.nadam_u(updates + 1, beta_1)
        self._average(result, given, updates)
        return result

    def _momentum(self, rate: Sequence[float]) -> dict[str, float]:
        name = _MOMENTUM.get(self.kind)
        value = rate[1] if not math.isnan(rate[1]) else self.options.get(name or "")
        return {} if name is None or value is None else {name: value}

    def _update(self, i: int, w: Array, g: Array, number: int, rate: Sequence[float]) -> Array:
        """Decay and update one parameter, in update ``number`` (from 1)."""
        spec, options = self._specs[i], self.options
        rule = _rule(self.kind, spec)
        constants = {name: options[name] for name in rule.constants if name in options}
        constants |= self._momentum(rate)
        learning_rate, decay = float(rate[0]), options.get("weight_decay", 0.0)
        scale = 1.0
        if self.kind == "muon" and rule is _RULES["adam"]:
            renamed = {"beta_1": "adam_beta_1", "beta_2": "adam_beta_2", "epsilon": "epsilon"}
            constants = {to: options[name] for to, name in renamed.items() if name in options}
            scale = options.get("adam_lr_ratio", 1.0)
            decay = options.get("adam_weight_decay", 0.0)
        if spec.decay:
            w = w - w * decay * learning_rate
        if rule.counts:
            constants["step"] = number
        if self.kind == "nadam":
            constants["u_product"] = self.u_product
        names = [name for name in rule.slots if name in self.shapes[i]]
        if constants.get("momentum") == 0.0 and "momentum" in names:
            constants["momentum"] = 5e-324  # there is a state to be kept, even if this step forgets
        state = {rule.slots[name]: self.slots[name, i] for name in names}
        w, *new = rule.step(w, g, **state, learning_rate=learning_rate * scale, **constants)
        for name, value in zip(rule.slots, new, strict=False):
            if name in names:
                self.slots[name, i] = value
        return w

    def _average(self, parameters: list[Array], given: Sequence[int], updates: int) -> None:
        if not self.options.get("use_ema"):
            return
        momentum = self.options.get("ema_momentum", 0.99) if updates else 0.0
        frequency = int(self.options.get("ema_overwrite_frequency") or 0)
        for i in given:
            average = momentum * self.slots["average", i] + (1.0 - momentum) * parameters[i]
            self.slots["average", i] = average
            if frequency and (updates + 1) % frequency == 0:
                parameters[i] = average
