"""One step of an optimizer that needs a whole parameter: Lamb, Adafactor, Muon."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dnnfast.reference.optimizer import Array, _check_step, _double, _slot


def lamb_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    *,
    step: int,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[Array, Array, Array]:
    """Return ``(w, m, v)`` after a step of Lamb.

    Args:
        w: parameter.
        g: gradient.
        m: moving mean of gradients.
        v: moving mean of squared gradients.
        step: number of this step, from 1.
        learning_rate: at least 0.
        beta_1: share of the old ``m``.
        beta_2: share of the old ``v``.
        epsilon: added to the root of the corrected ``v``.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: m and v as in Adam,
    ``u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)``,
    ``w -= lr norm(w) / norm(u) u`` (``w -= lr u`` where a norm is 0). You et al.
    (2020), as in Keras 3.

    Example:

    >>> w, m, v = lamb_step([3.0, 4.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], step=1)
    >>> w.round(6).tolist()
    [2.996464, 3.996464]
    """
    _check_step(step)
    w, g, m, v = _double(w), _double(g), _double(m), _double(v)
    m = m + (g - m) * (1.0 - beta_1)
    v = v + (g * g - v) * (1.0 - beta_2)
    u = m / (1.0 - beta_1**step) / (np.sqrt(v / (1.0 - beta_2**step)) + epsilon)
    weights, direction = math.sqrt((w * w).sum()), math.sqrt((u * u).sum())
    ratio = weights / direction if weights > 0.0 and direction > 0.0 else 1.0
    return w - ratio * learning_rate * u, m, v


def _rms(x: Array) -> float:
    return math.sqrt(float((x * x).mean()))


def adafactor_velocity(row_factor: ArrayLike, column_factor: ArrayLike) -> Array:
    """Return the mean squares that Adafactor's factors stand for.

    Args:
        row_factor: ``(..., rows)``.
        column_factor: ``(..., columns)``.

    Example:

    >>> adafactor_velocity([1.0, 3.0], [2.0]).tolist()
    [[1.0], [3.0]]
    """
    rows, columns = _double(row_factor), _double(column_factor)
    shares = rows / rows.mean(axis=-1, keepdims=True)
    return shares[..., :, None] * columns[..., None, :]


def adafactor_step(
    w: ArrayLike,
    g: ArrayLike,
    row_factor: ArrayLike | None = None,
    column_factor: ArrayLike | None = None,
    velocity: ArrayLike | None = None,
    *,
    step: int,
    learning_rate: float = 0.001,
    beta_2_decay: float = -0.8,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    clip_threshold: float = 1.0,
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """Return ``(w, row_factor, column_factor, velocity)`` after a step of Adafactor.

    Args:
        w: parameter; with two axes or more the mean squares of the last two are factored.
        g: gradient.
        row_factor: mean squares of the rows; None is zeros, and returned for a vector.
        column_factor: mean squares of the columns; None is zeros, and returned for a vector.
        velocity: of a vector, the mean squares of its elements; None is zeros, and returned for
            others.
        step: number of this step, from 1.
        learning_rate: at least 0; the rate is never above ``1 / sqrt(t)``.
        beta_2_decay: at most 0.
        epsilon_1: added to squared gradients.
        epsilon_2: the least root mean square of ``w`` that counts.
        clip_threshold: largest root mean square of a direction.

    Raises:
        ValueError: if ``step`` is below 1.

    Formula: ``b = 1 - t^beta_2_decay``, ``r = b r + (1 - b) mean_columns(g^2 + epsilon_1)``, c the
    same over rows, ``v = r / mean(r) c``, ``u = g / sqrt(v)`` and
    ``w -= max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / clip_threshold)``.
    Shazeer and Stern (2018), as in Keras 3.

    Example:

    >>> w, r, c, _ = adafactor_step([[1.0, 1.0]], [[2.0, 4.0]], step=1, learning_rate=0.5)
    >>> w.round(6).tolist(), r.round(6).tolist(), c.round(6).tolist()
    ([[0.5, 0.5]], [10.0], [4.0, 16.0])
    """
    _check_step(step)
    w, g = _double(w), _double(g)
    share = step**beta_2_decay
    square = g * g + epsilon_1
    r = c = v = None
    if w.ndim >= 2:
        rows, columns = square.mean(axis=-1), square.mean(axis=-2)
        r = (1.0 - share) * _slot(row_factor, rows) + share * rows
        c = (1.0 - share) * _slot(column_factor, columns) + share * columns
        mean_square = adafactor_velocity(r, c)
    else:
        v = mean_square = (1.0 - share) * _slot(velocity, w) + share * square
    u = np.divide(g, np.sqrt(mean_square), out=np.zeros_like(g), where=g != 0.0)
    rate = max(epsilon_2, _rms(w)) * min(learning_rate, 1.0 / math.sqrt(step))
    w = w - rate * u / max(1.0, _rms(u) / clip_threshold)
    return w, r, c, v


def orthogonalize(
    x: ArrayLike,
    *,
    ns_steps: int = 5,
    muon_a: float = 3.4445,
    muon_b: float = -4.775,
    muon_c: float = 2.0315,
) -> Array:
    """Return a matrix whose singular values are near 1 and whose singular vectors are those of x.

    Args:
        x: matrix.
        ns_steps: Newton-Schulz iterations.
        muon_a: coefficient of ``x``.
        muon_b: of ``x x^T x``.
        muon_c: of ``(x x^T)^2 x``.

    Formula: from ``x / (norm(x) + 1e-7)`` on, ``x = a x + (b A + c A^2) x`` with ``A = x x^T`` of
    the shorter side. Jordan et al. (2024), as in Keras 3.

    Example:

    >>> bool(abs(np.linalg.svd(orthogonalize(np.diag([3.0, 5.0])))[1] - 1).max() < 0.35)
    True
    """
    wide = _double(x)
    tall = wide.shape[0] > wide.shape[1]
    wide = wide.T if tall else wide
    wide = wide / (math.sqrt((wide * wide).sum()) + 1e-7)
    for _ in range(int(ns_steps)):
        a = wide @ wide.T
        wide = muon_a * wide + (muon_b * a + muon_c * a @ a) @ wide
    return wide.T if tall else wide


def muon_step(
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike | None = None,
    *,
    learning_rate: float = 0.001,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_steps: int = 5,
    muon_a: float = 3.4445,
    muon_b: float = -4.775,
    muon_c: float = 2.0315,
    rms_rate: float | None = 0.2,
) -> tuple[Array, Array]:
    """Return ``(w, m)`` after a step of Muon on a matrix.

    Args:
        w: parameter, a matrix; for others Muon takes `adam_step`.
        g: gradient.
        m: momentum; None is zeros.
        learning_rate: at least 0.
        momentum: share of the old ``m``.
        nesterov: look ahead along the momentum.
        ns_steps: see `orthogonalize`; also ``muon_a``, ``muon_b``, ``muon_c``.
        muon_a: see `orthogonalize`.
        muon_b: see `orthogonalize`.
        muon_c: see `orthogonalize`.
        rms_rate: the step is multiplied by this and the root of the longer side; None: it is not.

    Raises:
        ValueError: if ``w`` is no matrix.

    Formula: ``m = momentum m + g``, ``o = orthogonalize(g + momentum m)`` (of ``m`` without
    Nesterov), ``w -= lr rms_rate sqrt(max(rows, columns)) o``. Jordan et al. (2024) and Liu et al.
    (2025), as in Keras 3.

    Example:

    >>> w, m = muon_step(np.zeros((2, 2)), np.eye(2), learning_rate=1.0, rms_rate=None)
    >>> bool(abs(w + np.eye(2)).max() < 0.35)
    True
    """
    w, g = _double(w), _double(g)
    if w.ndim != 2:
        raise ValueError(f"w must be a matrix; got {w.ndim} axes. Others take adam_step.")
    m = momentum * _slot(m, w) + g
    forms = {"ns_steps": ns_steps, "muon_a": muon_a, "muon_b": muon_b, "muon_c": muon_c}
    direction = orthogonalize(g + momentum * m if nesterov else m, **forms)  # type: ignore[arg-type]
    scale = rms_rate * math.sqrt(max(w.shape)) if rms_rate else 1.0
    return w - learning_rate * scale * direction, m
