"""Where a model's training stands, as plain data and arrays: what goes on after loading."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast.distribution.current import own_seed
from dnnfast.training import progress, resuming
from dnnfast.training.program import NUMBERS

_WORD = 1 << 64


def collect(model: Any) -> dict[str, Any]:
    """Return the numbers that shuffles, dropout and the optimizer go on from.

    Args:
        model: any model.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> collect(model)["passes"]
        0
    """
    optimizer = model.optimizer
    return {
        "seed": model._seed,
        "passes": model._passes,
        "clock": model._clock,
        "generators": [v.numpy().tolist() for v in _generators(model)],
        "optimizer": None if optimizer is None else numbers_of(optimizer),
        "progress": resuming.plain(model._progress),
    }


def _generators(model: Any) -> list[Any]:
    """The states of the seed generators of all layers."""
    weights = {id(v) for v in model.weights}
    return [v for v in model.variables if id(v) not in weights]


def parts_of(optimizer: Any) -> list[Any]:
    """Return the optimizers that have learning rates, in one that has others inside."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(getattr(inner, "optimizers", None) or [inner])


def numbers_of(optimizer: Any) -> dict[str, Any]:
    """Return an optimizer's learning rates and counts."""
    found: dict[str, Any] = {"rates": [_rate(one) for one in parts_of(optimizer)]}
    if optimizer.built:
        found.update({name: getattr(optimizer._program.session, name) for name in NUMBERS})
    return found


def _rate(optimizer: Any) -> list[Any]:
    """Learning rate and momentum, where they are numbers: with all digits."""
    rate = optimizer.own_rate
    momentum = getattr(optimizer, optimizer._momentum, None) if optimizer._momentum else None
    return [None if callable(rate) else float(rate), momentum]


def check(state: dict[str, Any]) -> None:
    """Look whether what a file holds is such a state.

    Raises:
        ValueError: if not.
    """
    good = all(_is_count(state.get(name)) for name in ("seed", "passes", "clock"))
    generators, numbers = state.get("generators"), state.get("optimizer")
    good = good and isinstance(generators, list) and all(_is_pair(pair) for pair in generators)
    if numbers is not None:
        good = good and isinstance(numbers, dict) and _are_numbers(numbers)
    if not good:
        raise ValueError("the file's record of its training is damaged.")
    if state.get("progress") is not None:
        progress.check(state["progress"])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _WORD


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(map(_is_count, pair))


def _are_numbers(numbers: dict[str, Any]) -> bool:
    rates = numbers.get("rates")
    if not isinstance(rates, list) or not all(isinstance(r, list) and len(r) == 2 for r in rates):
        return False
    if not all(value is None or _is_number(value) for rate in rates for value in rate):
        return False
    if "iterations" not in numbers:
        return True
    counts = all(_is_count(numbers.get(name)) for name in ("iterations", "good_steps"))
    products = numbers.get("u_products")
    whole = counts and max(numbers["iterations"], numbers["good_steps"]) < 1 << 62
    return (
        whole
        and _is_number(numbers.get("loss_scale"))
        and isinstance(products, list)
        and all(map(_is_number, products))
    )


def restore(model: Any, state: dict[str, Any], with_optimizer: bool) -> None:
    """Let a model go on from a state.

    Args:
        model: it has the weights of then.
        state: checked.
        with_optimizer: whether the optimizer has its state of then; without, training begins anew.
    """
    generators = _generators(model)
    if len(generators) == len(state["generators"]):
        for variable, value in zip(generators, state["generators"], strict=True):
            variable.assign(np.array(value, np.uint32))
    if not with_optimizer:
        return
    model._seed, model._passes, model._clock = (state[k] for k in ("seed", "passes", "clock"))
    model._progress = state.get("progress")
    if model._program is not None:
        model._program.session.seed = own_seed(model._seed)
    numbers = state["optimizer"]
    if numbers is not None:
        restore_numbers(model.optimizer, numbers)


def restore_numbers(optimizer: Any, numbers: dict[str, Any]) -> None:
    """Give an optimizer its learning rates and counts of then."""
    parts = parts_of(optimizer)
    if len(parts) == len(numbers["rates"]):
        for one, (rate, momentum) in zip(parts, numbers["rates"], strict=True):
            if rate is not None and not callable(one._rate):
                one._rate = float(rate)
            if momentum is not None and one._momentum:
                setattr(one, one._momentum, momentum)
    if "iterations" not in numbers:
        return
    if not optimizer.built:
        optimizer._iterations = numbers["iterations"]
        return
    session = optimizer._program.session
    for name in NUMBERS:
        if name != "u_products" or len(numbers[name]) == len(session.u_products):
            setattr(session, name, numbers[name])
