"""One step of an optimizer on one parameter; definitions of Keras 3. See ``optimizer_rules``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def _step(
    kind: str,
    w: ArrayLike,
    g: ArrayLike,
    slots: dict[str, ArrayLike | None],
    options: dict[str, float],
    learning_rate: float,
    step: int = 1,
    u_product: float = 1.0,
) -> tuple[Any, dict[str, Any], float]:
    """Return the new w, its state by Keras's names, and the new u_product."""
    given = {name: value for name, value in slots.items() if value is not None}
    return _native.optimizer_step(kind, w, g, given, options, learning_rate, step, u_product)


def sgd_step(
    w: ArrayLike,
    g: ArrayLike,
    momentum_slot: ArrayLike | None = None,
    *,
    learning_rate: float = 0.01,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> tuple[Array, Array | None]:
    """Return ``(w, momentum_slot)`` after a step of stochastic gradient descent.

    Without momentum ``w -= lr g``; else ``m = momentum m - lr g`` and ``w += m``, or with Nesterov
    ``w += momentum m - lr g``.

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> sgd_step([1.0], [2.0], learning_rate=0.25)
    (array([0.5], dtype=float32), None)
    """
    slots = {"momentum": momentum_slot}
    options = {"momentum": momentum, "nesterov": nesterov}
    new_w, state, _ = _step("sgd", w, g, slots, options, learning_rate)
    return new_w, state.get("momentum")


def rmsprop_step(
    w: ArrayLike,
    g: ArrayLike,
    velocity: ArrayLike,
    momentum_slot: ArrayLike | None = None,
    average_gradient: ArrayLike | None = None,
    *,
    learning_rate: float = 0.001,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
) -> tuple[Array, Array, Array | None, Array | None]:
    """Return ``(w, velocity, momentum_slot, average_gradient)`` after a step of RMSprop.

    ``v = rho v + (1 - rho) g^2``, ``w -= lr g / sqrt(v + epsilon)``; centered, ``v`` less the
    squared average gradient stands under the root; with momentum the increments are accumulated.

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> w, velocity, _, _ = rmsprop_step([1.0], [1.0], [0.0], rho=0.0, learning_rate=0.5)
    >>> w.tolist(), velocity.tolist()
    ([0.5], [1.0])
    """
    slots = {
        "velocity": velocity,
        "momentum": momentum_slot,
        "average_gradient": average_gradient,
    }
    options = {"rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered}
    new_w, state, _ = _step("rmsprop", w, g, slots, options, learning_rate)
    return new_w, state["velocity"], state.get("momentum"), state.get("average_gradient")


def adam_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    vhat: ArrayLike | None = None,
    *,
    step: int,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
) -> tuple[Array, Array, Array, Array | None]:
    """Return ``(w, m, v, vhat)`` after step ``step`` (from 1) of Adam.

    ``m += (g - m)(1 - beta_1)``, ``v += (g^2 - v)(1 - beta_2)``,
    ``w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)`` (Kingma and Ba, 2015, in
    Keras's arrangement); with amsgrad the largest v so far is used.

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, m, v, _ = adam_step([1.0], [2.0], [0.0], [0.0], step=1, learning_rate=0.5)
    >>> round(float(w[0]), 4)
    0.5
    """
    slots = {"momentum": m, "velocity": v, "velocity_hat": vhat}
    options = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
    new_w, state, _ = _step("adam", w, g, slots, options, learning_rate, step)
    return new_w, state["momentum"], state["velocity"], state.get("velocity_hat")


def nadam_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    *,
    step: int,
    u_product: float = 1.0,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[Array, Array, Array, float]:
    """Return ``(w, m, v, u_product)`` after step ``step`` (from 1) of Nadam.

    The momentum schedule is ``u_t = beta_1 (1 - 0.5 * 0.96^t)``, and ``u_product`` the product of
    all ``u`` so far (Dozat, 2016, in Keras's arrangement).

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, m, v, u = nadam_step([1.0], [2.0], [0.0], [0.0], step=1)
    >>> round(u, 4)
    0.468
    """
    slots: dict[str, ArrayLike | None] = {"momentum": m, "velocity": v}
    options = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    new_w, state, product = _step("nadam", w, g, slots, options, learning_rate, step, u_product)
    return new_w, state["momentum"], state["velocity"], product
