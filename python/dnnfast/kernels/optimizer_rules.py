"""One step of the other optimizers on one parameter; definitions of Keras 3."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dnnfast.kernels.optimizer import Array, _step


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
    """Return ``(w, m, v, vhat)`` after step ``step`` (from 1) of AdamW.

    ``w -= w weight_decay lr``, then a step of Adam (Loshchilov and Hutter, 2019).

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, m, v, _ = adamw_step([1.0], [2.0], [0.0], [0.0], step=1, weight_decay=0.5)
    >>> round(float(w[0]), 4)
    0.9985
    """
    slots = {"momentum": m, "velocity": v, "velocity_hat": vhat}
    options = {
        **{"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon},
        **{"amsgrad": amsgrad, "weight_decay": weight_decay},
    }
    new_w, state, _ = _step("adam", w, g, slots, options, learning_rate, step)
    return new_w, state["momentum"], state["velocity"], state.get("velocity_hat")


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
    """Return ``(w, m, u)`` after step ``step`` (from 1) of Adamax.

    ``m += (g - m)(1 - beta_1)``, ``u = max(beta_2 u, |g|)``,
    ``w -= lr / (1 - beta_1^t) m / (u + epsilon)`` (Kingma and Ba, 2015, section 7.1).

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, m, u = adamax_step([1.0], [2.0], [0.0], [0.0], step=1)
    >>> round(float(w[0]), 4), u.tolist()
    (0.999, [2.0])
    """
    options = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    slots: dict[str, ArrayLike | None] = {"momentum": m, "norm": u}
    new_w, state, _ = _step("adamax", w, g, slots, options, learning_rate, step)
    return new_w, state["momentum"], state["norm"]


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

    ``a += g^2``, ``w -= lr g / sqrt(a + epsilon)`` (Duchi et al., 2011); an accumulator that is
    None starts at ``initial_accumulator_value``.

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> w, a = adagrad_step([1.0], [2.0], [0.0], learning_rate=0.5)
    >>> round(float(w[0]), 4), a.tolist()
    (0.5, [4.0])
    """
    options = {"initial_accumulator_value": initial_accumulator_value, "epsilon": epsilon}
    new_w, state, _ = _step("adagrad", w, g, {"accumulator": accumulator}, options, learning_rate)
    return new_w, state["accumulator"]


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

    ``a = rho a + (1 - rho) g^2``, ``s = sqrt(d + epsilon) / sqrt(a + epsilon) g``,
    ``d = rho d + (1 - rho) s^2``, ``w -= lr s`` (Zeiler, 2012).

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> w, a, d = adadelta_step([1.0], [2.0], [0.0], [0.0], learning_rate=1.0, rho=0.75)
    >>> a.tolist()
    [1.0]
    """
    slots: dict[str, ArrayLike | None] = {
        "accumulated_grad": accumulated_grad,
        "accumulated_delta_var": accumulated_delta_var,
    }
    options = {"rho": rho, "epsilon": epsilon}
    new_w, state, _ = _step("adadelta", w, g, slots, options, learning_rate)
    return new_w, state["accumulated_grad"], state["accumulated_delta_var"]


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

    ``w -= lr sign(beta_1 m + (1 - beta_1) g)``, ``m = beta_2 m + (1 - beta_2) g`` (Chen et al.,
    2023).

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> w, m = lion_step([1.0], [2.0], learning_rate=0.25)
    >>> w.tolist(), m.round(4).tolist()
    ([0.75], [0.019999999552965164])
    """
    options = {"beta_1": beta_1, "beta_2": beta_2}
    new_w, state, _ = _step("lion", w, g, {"momentum": m}, options, learning_rate)
    return new_w, state["momentum"]


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

    With ``p = -learning_rate_power``: ``n' = n + g^2``,
    ``z += g + 2 shrinkage w - (n'^p - n^p) / lr w``, ``q = n'^p / lr + 2 l2 + beta / lr`` and
    ``w = (clip(z, -l1, l1) - z) / q`` (McMahan et al., 2013).

    Raises:
        ValueError: if a shape differs from that of w.

    Example:

    >>> w, n, z = ftrl_step([0.0], [2.0], [0.0], learning_rate=1.0, l1_regularization_strength=1.0)
    >>> w.tolist(), n.tolist(), z.tolist()
    ([-0.5], [4.0], [2.0])
    """
    slots = {"accumulator": accumulator, "linear": linear}
    options = {
        "learning_rate_power": learning_rate_power,
        "initial_accumulator_value": initial_accumulator_value,
        "l1_regularization_strength": l1_regularization_strength,
        "l2_regularization_strength": l2_regularization_strength,
        "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        "beta": beta,
    }
    new_w, state, _ = _step("ftrl", w, g, slots, options, learning_rate)
    return new_w, state["accumulator"], state["linear"]


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
    """Return ``(w, z, v)`` after step ``step`` (from 1) of schedule-free AdamW.

    ``v += (g^2 - v)(1 - beta_2)``, ``z' = z - lr g / (sqrt(v / (1 - beta_2^t)) + epsilon)``; w lies
    between ``z'`` and the mean of all z, of which its share is ``beta_1`` (Defazio et al., 2024). A
    ``z`` that is None is w.

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, z, v = schedule_free_adamw_step([1.0], [2.0], None, [0.0], step=1, learning_rate=0.5)
    >>> round(float(w[0]), 4)
    0.5
    """
    slots = {"momentum": z, "velocity": v}
    options = {
        **{"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon},
        "warmup_steps": warmup_steps,
    }
    new_w, state, _ = _step("schedule_free_adamw", w, g, slots, options, learning_rate, step)
    return new_w, state["momentum"], state["velocity"]


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
    """Return ``(w, m, v)`` after step ``step`` (from 1) of Lamb.

    m and v as in Adam, ``u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)``,
    ``w -= lr norm(w) / norm(u) u`` (You et al., 2020).

    Raises:
        ValueError: if a shape differs from that of w, or step is below 1.

    Example:

    >>> w, m, v = lamb_step([3.0, 4.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], step=1)
    >>> [round(float(x), 4) for x in w]
    [2.9965, 3.9965]
    """
    options = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    slots: dict[str, ArrayLike | None] = {"momentum": m, "velocity": v}
    new_w, state, _ = _step("lamb", w, g, slots, options, learning_rate, step)
    return new_w, state["momentum"], state["velocity"]


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
    """Return ``(w, row_factor, column_factor, velocity)`` after step ``step`` of Adafactor.

    The mean squares of matrices are kept by row and by column, those of vectors element by element
    in ``velocity``; what a parameter does not have is None. ``u = g / sqrt(v)`` and
    ``w -= max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / clip_threshold)``
    (Shazeer and Stern, 2018).

    Raises:
        ValueError: if a shape does not fit, or step is below 1.

    Example:

    >>> w, r, c, _ = adafactor_step([[1.0, 1.0]], [[2.0, 4.0]], step=1, learning_rate=0.5)
    >>> w.tolist(), r.tolist(), c.tolist()
    ([[0.5, 0.5]], [10.0], [4.0, 16.0])
    """
    slots = {"row_factor": row_factor, "column_factor": column_factor, "velocity": velocity}
    options = {
        **{"beta_2_decay": beta_2_decay, "epsilon_1": epsilon_1},
        **{"epsilon_2": epsilon_2, "clip_threshold": clip_threshold},
    }
    new_w, state, _ = _step("adafactor", w, g, slots, options, learning_rate, step)
    return new_w, state.get("row_factor"), state.get("column_factor"), state.get("velocity")


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

    ``m = momentum m + g``; the direction ``g + momentum m`` (``m`` without Nesterov) is made
    orthogonal by Newton-Schulz iterations, and
    ``w -= lr rms_rate sqrt(max(rows, columns)) direction`` (Jordan et al., 2024).

    Raises:
        ValueError: if ``w`` is no matrix, or a shape differs from its.

    Example:

    >>> import numpy as np
    >>> w, m = muon_step(np.zeros((2, 2)), np.eye(2), learning_rate=1.0, rms_rate=None)
    >>> bool(abs(w + np.eye(2)).max() < 0.35)
    True
    """
    axes = np.ndim(w) if isinstance(w, (list, tuple)) else w.ndim  # type: ignore[union-attr]
    if axes != 2:
        raise ValueError(f"w must be a matrix; got {axes} axes. Others take adam_step.")
    options = {
        **{"momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps},
        **{"muon_a": muon_a, "muon_b": muon_b, "muon_c": muon_c, "rms_rate": rms_rate or 0.0},
    }
    new_w, state, _ = _step("muon", w, g, {"momentum": m}, options, learning_rate)
    return new_w, state["momentum"]
