"""One step of an optimizer on one parameter: those that work element by element."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dnnfast.reference.optimizer import Array, _check_step, _double, _slot, adam_step


def adamw_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    vhat: ArrayLike | None = None,
    *,
    step: int,
    learning_rate: float = 0.001,
    weight_decay: float = 0.004,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
) -> tuple[Array, Array, Array, Array | None]:
    """Return ``(w, m, v, vhat)`` after a step of AdamW: decoupled decay, then a step of Adam.

    Args:
        w: parameter.
        g: gradient.
        m: moving mean of gradients.
        v: moving mean of squared gradients.
        vhat: greatest ``v`` so far where ``amsgrad``; None is zeros.
        step: number of this step, from 1.
        learning_rate: at least 0.
        weight_decay: at least 0.
        beta_1: share of the old ``m``.
        beta_2: share of the old ``v``.
        epsilon: added to the root of the uncorrected ``v``.
        amsgrad: divide by the root of ``vhat``.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: ``w -= w weight_decay lr``, then `adam_step`. Loshchilov and Hutter (2019), as in
    Keras 3.

    Example:

    >>> w, m, v, _ = adamw_step([1.0], [2.0], [0.0], [0.0], step=1, weight_decay=0.5)
    >>> w.round(6).tolist()
    [0.9985]
    """
    w = _double(w)
    w = w - w * weight_decay * learning_rate
    return adam_step(
        w,
        g,
        m,
        v,
        vhat,
        step=step,
        learning_rate=learning_rate,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        amsgrad=amsgrad,
    )


def adamax_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    u: ArrayLike,
    *,
    step: int,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[Array, Array, Array]:
    """Return ``(w, m, u)`` after a step of Adamax.

    Args:
        w: parameter.
        g: gradient.
        m: moving mean of gradients.
        u: largest gradient, forgotten by ``beta_2``.
        step: number of this step, from 1.
        learning_rate: at least 0.
        beta_1: share of the old ``m``.
        beta_2: share of the old ``u``.
        epsilon: added to ``u``.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: ``m += (g - m)(1 - beta_1)``, ``u = max(beta_2 u, |g|)``,
    ``w -= lr / (1 - beta_1^t) m / (u + epsilon)``. Kingma and Ba (2015), section 7.1; Keras 3.

    Example:

    >>> w, m, u = adamax_step([1.0], [2.0], [0.0], [0.0], step=1)
    >>> w.round(6).tolist(), u.tolist()
    ([0.999], [2.0])
    """
    _check_step(step)
    w, g, m, u = _double(w), _double(g), _double(m), _double(u)
    m = m + (g - m) * (1.0 - beta_1)
    u = np.maximum(beta_2 * u, np.abs(g))
    return w - learning_rate / (1.0 - beta_1**step) * m / (u + epsilon), m, u


def adagrad_step(
    w: ArrayLike,
    g: ArrayLike,
    accumulator: ArrayLike | None = None,
    *,
    learning_rate: float = 0.001,
    initial_accumulator_value: float = 0.1,
    epsilon: float = 1e-7,
) -> tuple[Array, Array]:
    """Return ``(w, accumulator)`` after a step of Adagrad.

    Args:
        w: parameter.
        g: gradient.
        accumulator: sum of squared gradients; None is ``initial_accumulator_value``.
        learning_rate: at least 0.
        initial_accumulator_value: at least 0.
        epsilon: added inside the root.

    Formula: ``a += g^2``, ``w -= lr g / sqrt(a + epsilon)``. Duchi et al. (2011), as in Keras 3.

    Example:

    >>> w, a = adagrad_step([1.0], [2.0], [0.0], learning_rate=0.5, epsilon=0.0)
    >>> w.tolist(), a.tolist()
    ([0.5], [4.0])
    """
    w, g = _double(w), _double(g)
    start = np.full_like(w, initial_accumulator_value)
    accumulator = (start if accumulator is None else _double(accumulator)) + g * g
    return w - learning_rate * g / np.sqrt(accumulator + epsilon), accumulator


def adadelta_step(
    w: ArrayLike,
    g: ArrayLike,
    accumulated_grad: ArrayLike,
    accumulated_delta_var: ArrayLike,
    *,
    learning_rate: float = 0.001,
    rho: float = 0.95,
    epsilon: float = 1e-7,
) -> tuple[Array, Array, Array]:
    """Return ``(w, accumulated_grad, accumulated_delta_var)`` after a step of Adadelta.

    Args:
        w: parameter.
        g: gradient.
        accumulated_grad: moving mean of squared gradients.
        accumulated_delta_var: moving mean of squared steps.
        learning_rate: at least 0; 1 is the paper's form.
        rho: share of the old means.
        epsilon: added inside both roots.

    Formula: ``a = rho a + (1 - rho) g^2``, ``s = sqrt(d + epsilon) / sqrt(a + epsilon) g``,
    ``d = rho d + (1 - rho) s^2``, ``w -= lr s``. Zeiler (2012), as in Keras 3.

    Example:

    >>> w, a, d = adadelta_step([1.0], [2.0], [0.0], [0.0], learning_rate=1.0, rho=0.75)
    >>> a.tolist(), (w < 1.0).tolist()
    ([1.0], [True])
    """
    w, g = _double(w), _double(g)
    a = rho * _double(accumulated_grad) + (1.0 - rho) * g * g
    d = _double(accumulated_delta_var)
    s = np.sqrt(d + epsilon) * g / np.sqrt(a + epsilon)
    return w - learning_rate * s, a, rho * d + (1.0 - rho) * s * s


def lion_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike | None = None,
    *,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
) -> tuple[Array, Array]:
    """Return ``(w, m)`` after a step of Lion.

    Args:
        w: parameter.
        g: gradient.
        m: momentum; None is zeros.
        learning_rate: at least 0.
        beta_1: share of ``m`` in the direction.
        beta_2: share of the old ``m`` in the new one.

    Formula: ``w -= lr sign(beta_1 m + (1 - beta_1) g)``, ``m = beta_2 m + (1 - beta_2) g``. Chen et
    al. (2023), as in Keras 3.

    Example:

    >>> w, m = lion_step([1.0], [2.0], learning_rate=0.25)
    >>> w.tolist(), m.round(6).tolist()
    ([0.75], [0.02])
    """
    w, g = _double(w), _double(g)
    m = _slot(m, w)
    direction = np.sign(beta_1 * m + (1.0 - beta_1) * g)
    return w - learning_rate * direction, beta_2 * m + (1.0 - beta_2) * g


def ftrl_step(
    w: ArrayLike,
    g: ArrayLike,
    accumulator: ArrayLike | None = None,
    linear: ArrayLike | None = None,
    *,
    learning_rate: float = 0.001,
    learning_rate_power: float = -0.5,
    initial_accumulator_value: float = 0.1,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0,
    beta: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Return ``(w, accumulator, linear)`` after a step of "follow the regularized leader".

    Args:
        w: parameter.
        g: gradient.
        accumulator: sum of squared gradients; None is ``initial_accumulator_value``.
        linear: coefficients of the linear term; None is zeros.
        learning_rate: above 0.
        learning_rate_power: at most 0.
        initial_accumulator_value: at least 0.
        l1_regularization_strength: at least 0.
        l2_regularization_strength: at least 0.
        l2_shrinkage_regularization_strength: at least 0; a penalty on the weights' size.
        beta: of the paper, at least 0.

    Formula: with ``p = -learning_rate_power``, ``n' = n + g^2``,
    ``z += g + 2 shrinkage w - (n'^p - n^p) / lr w``, ``q = n'^p / lr + 2 l2 + beta / lr`` and
    ``w = (clip(z, -l1, l1) - z) / q``, or 0 where nothing pulls at it. McMahan et al. (2013), as in
    Keras 3.

    Example:

    >>> w, n, z = ftrl_step([0.0], [2.0], [0.0], learning_rate=1.0, l1_regularization_strength=1.0)
    >>> w.tolist(), n.tolist(), z.tolist()
    ([-0.5], [4.0], [2.0])
    """
    w, g = _double(w), _double(g)
    start = np.full_like(w, initial_accumulator_value)
    n = start if accumulator is None else _double(accumulator)
    power = -learning_rate_power
    new = n + g * g
    grown = (new**power - n**power) / learning_rate
    z = _slot(linear, w) + g + 2.0 * l2_shrinkage_regularization_strength * w - grown * w
    quadratic = new**power / learning_rate + 2.0 * l2_regularization_strength + beta / learning_rate
    pull = np.clip(z, -l1_regularization_strength, l1_regularization_strength) - z
    w = np.divide(pull, quadratic, out=np.zeros_like(w), where=pull != 0.0)
    return w, new, z


def schedule_free_adamw_step(
    w: ArrayLike,
    g: ArrayLike,
    z: ArrayLike | None,
    v: ArrayLike,
    *,
    step: int,
    learning_rate: float = 0.0025,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    warmup_steps: int = 0,
) -> tuple[Array, Array, Array]:
    """Return ``(w, z, v)`` after a step of schedule-free AdamW.

    Args:
        w: parameter; it lies between ``z`` and the mean of all ``z``.
        g: gradient.
        z: the sequence from which gradients are subtracted; None is ``w``.
        v: moving mean of squared gradients.
        step: number of this step, from 1.
        learning_rate: at least 0.
        beta_1: share of the mean in ``w``, above 0.
        beta_2: share of the old ``v``.
        epsilon: added to the root of the corrected ``v``.
        warmup_steps: steps over which the rate rises from 0.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: ``v += (g^2 - v)(1 - beta_2)``,
    ``z' = z - lr g / (sqrt(v / (1 - beta_2^t)) + epsilon)``,
    ``x = (w - (1 - beta_1) z) / beta_1``, ``x' = x + (z' - x) / t``,
    ``w = (1 - beta_1) z' + beta_1 x'``. Defazio et al. (2024), as in Keras 3.

    Example:

    >>> w, z, v = schedule_free_adamw_step([1.0], [2.0], None, [0.0], step=1, learning_rate=0.5)
    >>> w.round(6).tolist(), z.round(6).tolist()
    ([0.5], [0.5])
    """
    _check_step(step)
    w, g, v = _double(w), _double(g), _double(v)
    z = w if z is None else _double(z)
    if warmup_steps > 0:
        learning_rate *= min(step / warmup_steps, 1.0)
    v = v + (g * g - v) * (1.0 - beta_2)
    new = z - learning_rate * g / (np.sqrt(v / (1.0 - beta_2**step)) + epsilon)
    mean = (w - (1.0 - beta_1) * z) / beta_1
    mean = mean + (new - mean) / step
    return (1.0 - beta_1) * new + beta_1 * mean, new, v
