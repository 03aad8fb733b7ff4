"""The activation functions. In models they are the fused op where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import checks, symbolic, tracing
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.arithmetic import multiply
from dnnfast.ops.core import cast
from dnnfast.ops.curves import record_curve
from dnnfast.ops.joining import split
from dnnfast.ops.tables import ANY, document, four_texts
from dnnfast.ops.values import array, dtype_of, extents, floating, one_axis, rank


def _numbers(x: np.ndarray, kind: str, alpha: float, beta: float) -> np.ndarray:
    from dnnfast import reference

    if kind == "sparse_plus":
        return np.where(x <= -1, 0.0, np.where(x < 1, 0.25 * (x + 1.0) ** 2, x))
    if kind == "sparse_sigmoid":
        return np.clip(0.5 * (x + 1.0), 0.0, 1.0)
    return reference.activation_forward(x, kind, alpha, beta)


# What users call the parameters of a kind.
_PARAMETERS = {
    "celu": ("alpha",),
    "elu": ("alpha",),
    "hard_shrink": ("threshold",),
    "leaky_relu": ("negative_slope",),
    "silu": ("beta",),
    "soft_shrink": ("threshold",),
    "squareplus": ("b",),
    "threshold": ("threshold", "default_value"),
}


def apply_curve(x: Any, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Any:
    """Compute or record an activation by its kind, its parameters as the fused op's.

    Raises:
        ValueError: if a parameter is not a finite number, or is 0 for celu, which divides by it.
    """
    given = zip(_PARAMETERS.get(kind, ()), (alpha, beta), strict=False)
    alpha, beta = (*(checks.number(kind, name, value) for name, value in given), 0.0, 0.0)[:2]
    if kind == "celu" and alpha == 0.0:
        raise ValueError("celu: alpha must not be 0.")
    # Straight pieces of slope 1 keep whole numbers whole.
    whole = kind in ("relu", "relu6", "hard_tanh") and dtype_of(x) != "bool"
    dtype = dtype_of(x) if whole else floating(dtype_of(x))
    if symbolic.is_symbolic(x):
        return cast(record_curve(x, kind, alpha, beta), dtype)
    values = array(x)
    with np.errstate(all="ignore"):
        return np.asarray(_numbers(values.astype(np.float64), kind, alpha, beta)).astype(dtype)


def _curve(
    name: str, kind: str, *texts: str, alpha: float = 0.0, whole: bool = False
) -> Callable[[Any], Any]:
    """Return the public function of an activation without parameters."""

    def apply_to(x: Any) -> Any:
        return apply_curve(x, kind, alpha)

    return document(apply_to, name, {"x": ANY}, four_texts(texts), not whole)


_PAIR = "[-1.0, 2.0]"

relu = _curve(
    "relu",
    "relu",
    "Rectified linear unit.",
    "max(x, 0); its derivative at 0 is 0",
    _PAIR,
    "[0. 2.]",
)
relu6 = _curve(
    "relu6",
    "relu6",
    "Rectified linear unit capped at 6.",
    "min(max(x, 0), 6)",
    "[-1.0, 8.0]",
    "[0. 6.]",
)
sigmoid = _curve(
    "sigmoid", "sigmoid", "Logistic function.", "1 / (1 + e^-x)", _PAIR, "[0.269 0.881]"
)
tanh = _curve(
    "tanh",
    "tanh",
    "The hyperbolic tangent.",
    "(e^x - e^-x) / (e^x + e^-x)",
    _PAIR,
    "[-0.762  0.964]",
)
softplus = _curve(
    "softplus", "softplus", "Smooth rectifier.", "ln(1 + e^x)", _PAIR, "[0.313 2.127]"
)
softsign = _curve(
    "softsign", "softsign", "A slow sigmoid.", "x / (1 + |x|)", _PAIR, "[-0.5    0.667]"
)
log_sigmoid = _curve(
    "log_sigmoid",
    "log_sigmoid",
    "Logarithm of the logistic function.",
    "-ln(1 + e^-x)",
    _PAIR,
    "[-1.313 -0.127]",
)
silu = _curve(
    "silu",
    "silu",
    "Sigmoid-weighted linear unit, also called swish.",
    "x sigmoid(x)",
    _PAIR,
    "[-0.269  1.762]",
    alpha=1.0,
)
swish = _curve(
    "swish", "silu", "Swish; as `silu`.", "x sigmoid(x)", _PAIR, "[-0.269  1.762]", alpha=1.0
)
selu = _curve(
    "selu",
    "selu",
    "Scaled exponential linear unit (Klambauer et al., 2017).",
    "1.0507 (x where x > 0, else 1.6733 (e^x - 1))",
    _PAIR,
    "[-1.111  2.101]",
)
hard_sigmoid = _curve(
    "hard_sigmoid",
    "hard_sigmoid",
    "Piecewise linear sigmoid.",
    "min(max(x / 6 + 1/2, 0), 1)",
    _PAIR,
    "[0.333 0.833]",
)
hard_silu = _curve(
    "hard_silu",
    "hard_silu",
    "Silu with the piecewise linear sigmoid.",
    "x hard_sigmoid(x)",
    _PAIR,
    "[-0.333  1.667]",
)
hard_swish = _curve(
    "hard_swish",
    "hard_silu",
    "Hard swish; as `hard_silu`.",
    "x hard_sigmoid(x)",
    _PAIR,
    "[-0.333  1.667]",
)
hard_tanh = _curve(
    "hard_tanh", "hard_tanh", "Piecewise linear tanh.", "min(max(x, -1), 1)", _PAIR, "[-1.  1.]"
)
tanh_shrink = _curve(
    "tanh_shrink", "tanh_shrink", "What tanh leaves.", "x - tanh(x)", _PAIR, "[-0.238  1.036]"
)
sparse_plus = _curve(
    "sparse_plus",
    "sparse_plus",
    "Rectifier with a quadratic bend.",
    "0 for x <= -1, (x + 1)^2 / 4 for x < 1, else x",
    "[-2.0, 0.0, 2.0]",
    "[0.   0.25 2.  ]",
)
sparse_sigmoid = _curve(
    "sparse_sigmoid",
    "sparse_sigmoid",
    "Straight line from 0 to 1 between -1 and 1.",
    "min(max((x + 1) / 2, 0), 1)",
    "[-2.0, 0.0, 2.0]",
    "[0.  0.5 1. ]",
)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Rectified linear unit with a slope for negative values.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        negative_slope: slope for negative values. Default 0.2.

    Formula: ``max(x, 0) + negative_slope * min(x, 0)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.leaky_relu([-1.0, 2.0]))
        [-0.2  2. ]
    """
    return apply_curve(x, "leaky_relu", negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit (Clevert et al., 2016).

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        alpha: minus the limit at minus infinity. Default 1.

    Formula: ``x`` where x > 0, else ``alpha (e^x - 1)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.elu([-1.0, 2.0]).round(3))
        [-0.632  2.   ]
    """
    return apply_curve(x, "elu", alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable exponential linear unit (Barron, 2017).

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        alpha: scale of the negative part. Default 1.

    Formula: ``max(x, 0) + min(0, alpha (e^(x / alpha) - 1))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.celu([-1.0, 2.0], alpha=2.0).round(3))
        [-0.787  2.   ]
    """
    return apply_curve(x, "celu", alpha)


def gelu(x: Any, approximate: bool = True) -> Any:
    """Gaussian error linear unit (Hendrycks and Gimpel, 2016).

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        approximate: use the tanh approximation. Default True (that of
            `dnnfast.activations.gelu` is False).

    Formula: ``x Phi(x)`` with the normal distribution function Phi; approximately
    ``x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.gelu([-1.0, 2.0]).round(3))
        [-0.159  1.955]
    """
    return apply_curve(x, "gelu_tanh" if approximate else "gelu")


def squareplus(x: Any, b: float = 4) -> Any:
    """Smooth rectifier without an exponential.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        b: smoothness. Default 4.

    Formula: ``(x + sqrt(x^2 + b)) / 2``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.squareplus([-1.0, 2.0]).round(3))
        [0.618 2.414]
    """
    return apply_curve(x, "squareplus", b)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Move values towards zero.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        threshold: by how much. Default 0.5.

    Formula: ``sign(x) max(|x| - threshold, 0)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.soft_shrink([-1.0, 2.0]))
        [-0.5  1.5]
    """
    return apply_curve(x, "soft_shrink", threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Set small values to zero.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        threshold: the limit. Default 0.5.

    Formula: ``x`` where ``|x| > threshold``, else 0

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.hard_shrink([-0.25, 2.0]))
        [0. 2.]
    """
    return apply_curve(x, "hard_shrink", threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Replace values up to a threshold.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        threshold: the limit.
        default_value: what replaces values that are not above it.

    Formula: ``x`` where x > threshold, else ``default_value``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.threshold([0.0, 2.0], 1.0, 9.0))
        [9. 2.]
    """
    return apply_curve(x, "threshold", threshold, default_value)


def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: halves an axis (Dauphin et al., 2017).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis, of even size. Default -1.

    Raises:
        ValueError: if the axis has an odd size.

    Formula: ``a sigmoid(b)``, with a and b the halves of x

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.glu([4.0, 0.0]))
        [2.]
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    place = one_axis("glu", axis, rank(value))
    if extents(value)[place] % 2:
        raise ValueError(
            f"axis size must be divisible by 2. Received: x.shape={value.shape} with axis={axis}"
        )
    if isinstance(x, KerasTensor) and x.batched and place == rank(x) - 1:
        return tracing.emit("glu", [x])
    a, b = split(value, 2, place)
    return multiply(a, sigmoid(b))
