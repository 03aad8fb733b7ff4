"""One step of an optimizer on one parameter: SGD, RMSprop, Adam, Nadam; definitions of Keras 3.

The others are in ``optimizer_rules`` and ``optimizer_whole``; ``optimizer_state`` runs them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def _double(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64)


def _slot(x: ArrayLike | None, w: Array) -> Array:
    return np.zeros_like(w) if x is None else _double(x)


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

    Args:
        w: parameter.
        g: gradient.
        momentum_slot: state of the same shape; None is zeros.
        learning_rate: at least 0.
        momentum: in [0, 1); 0 has no state and returns None for it.
        nesterov: Nesterov's form of momentum, as Keras writes it.

    Formula: without momentum ``w -= lr g``; else ``m = momentum m - lr g`` and ``w += m``, or with
    Nesterov ``w += momentum m - lr g``. Keras 3's ``SGD``.

    Example:

    >>> sgd_step([1.0], [2.0], learning_rate=0.25)
    (array([0.5]), None)
    """
    w, g = _double(w), _double(g)
    if momentum == 0.0:
        return w - learning_rate * g, None
    m = momentum * _slot(momentum_slot, w) - learning_rate * g
    return w + (momentum * m - learning_rate * g if nesterov else m), m


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

    Args:
        w: parameter.
        g: gradient.
        velocity: moving mean of squared gradients.
        momentum_slot: state of the momentum; None is zeros, or no momentum.
        average_gradient: moving mean of gradients where ``centered``; None is zeros.
        learning_rate: at least 0.
        rho: share of the old means.
        momentum: at least 0; 0 has no state and returns None for it.
        epsilon: added inside the root, as in Keras (others add it outside).
        centered: normalise by the estimated variance instead of the second moment.

    Formula: ``v = rho v + (1 - rho) g^2``; the denominator is ``d = v + epsilon``, or centered
    ``d = max(v - a^2 + epsilon, epsilon)`` with ``a = rho a + (1 - rho) g``;
    ``inc = lr g / sqrt(d)``; ``w -= inc``, or with momentum ``m = momentum m + inc``, ``w -= m``.
    Keras 3's ``RMSprop``.

    Example:

    >>> w, velocity, _, _ = rmsprop_step([1.0], [2.0], [0.0], rho=0.75, epsilon=0.0)
    >>> w.round(6).tolist(), velocity.tolist()
    ([0.998], [1.0])
    """
    w, g = _double(w), _double(g)
    velocity = rho * _double(velocity) + (1.0 - rho) * g * g
    denominator = velocity + epsilon
    average = None
    if centered:
        average = rho * _slot(average_gradient, w) + (1.0 - rho) * g
        denominator = np.maximum(velocity - average * average + epsilon, epsilon)
    increment = learning_rate * g / np.sqrt(denominator)
    if momentum == 0.0:
        return w - increment, velocity, None, average
    m = momentum * _slot(momentum_slot, w) + increment
    return w - m, velocity, m, average


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
    """Return ``(w, m, v, vhat)`` after a step of Adam.

    Args:
        w: parameter.
        g: gradient.
        m: moving mean of gradients.
        v: moving mean of squared gradients.
        vhat: greatest ``v`` so far where ``amsgrad``; None is zeros.
        step: number of this step, from 1.
        learning_rate: at least 0.
        beta_1: share of the old ``m``.
        beta_2: share of the old ``v``.
        epsilon: added to the root of the uncorrected ``v``, as in Keras.
        amsgrad: divide by the root of ``vhat``.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: ``a = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)``; ``m += (g - m)(1 - beta_1)``;
    ``v += (g^2 - v)(1 - beta_2)``; ``w -= a m / (sqrt(v) + epsilon)``. Kingma and Ba (2015), the
    form before section 2.1 that Keras 3 uses; the paper's main form adds epsilon to the root of
    the corrected ``v``.

    Example:

    >>> w, m, v, _ = adam_step([1.0], [2.0], [0.0], [0.0], step=1)
    >>> w.round(6).tolist(), m.round(6).tolist(), v.round(6).tolist()
    ([0.999], [0.2], [0.004])
    """
    _check_step(step)
    w, g, m, v = _double(w), _double(g), _double(m), _double(v)
    rate = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    m = m + (g - m) * (1.0 - beta_1)
    v = v + (g * g - v) * (1.0 - beta_2)
    greatest = np.maximum(_slot(vhat, w), v) if amsgrad else None
    return w - rate * m / (np.sqrt(v if greatest is None else greatest) + epsilon), m, v, greatest


def _check_step(step: int) -> None:
    if step < 1:
        raise ValueError(f"step counts from 1; got {step}")


def nadam_u(step: int, beta_1: float = 0.9) -> float:
    """Return Nadam's momentum coefficient of a step.

    Args:
        step: from 1.
        beta_1: its limit is this.

    Formula: ``u_t = beta_1 (1 - 0.5 * 0.96^t)``; Keras 3's ``Nadam``.

    Example:

    >>> round(nadam_u(1), 6)
    0.468
    """
    return beta_1 * (1.0 - 0.5 * 0.96**step)


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
    """Return ``(w, m, v, u_product)`` after a step of Nadam.

    Args:
        w: parameter.
        g: gradient.
        m: moving mean of gradients.
        v: moving mean of squared gradients.
        step: number of this step, from 1.
        u_product: product of `nadam_u` over the steps before this one.
        learning_rate: at least 0.
        beta_1: share of the old ``m``.
        beta_2: share of the old ``v``.
        epsilon: added to the root of the corrected ``v``.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: with ``P_t = P_{t-1} u_t``,
    ``mhat = u_{t+1} m / (1 - P_t u_{t+1}) + (1 - u_t) g / (1 - P_t)``,
    ``vhat = v / (1 - beta_2^t)``, ``w -= lr mhat / (sqrt(vhat) + epsilon)``; m and v as in Adam.
    Dozat (2016), as in Keras 3.

    Example:

    >>> w, m, v, u_product = nadam_step([1.0], [2.0], [0.0], [0.0], step=1)
    >>> round(float(w[0]), 6), round(u_product, 6)
    (0.998937, 0.468)
    """
    _check_step(step)
    w, g, m, v = _double(w), _double(g), _double(m), _double(v)
    u, u_next = nadam_u(step, beta_1), nadam_u(step + 1, beta_1)
    product = u_product * u
    m = m + (g - m) * (1.0 - beta_1)
    v = v + (g * g - v) * (1.0 - beta_2)
    mhat = u_next * m / (1.0 - product * u_next) + (1.0 - u) * g / (1.0 - product)
    vhat = v / (1.0 - beta_2**step)
    return w - learning_rate * mhat / (np.sqrt(vhat) + epsilon), m, v, product
