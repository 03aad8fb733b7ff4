"""Activations with weights, or with random slopes."""

from __future__ import annotations

from typing import Any

from dnnfast import (
    activations,
    checks,
    constraints,
    initializers,
    ops,
    regularizers,
    symbolic,
    tracing,
)
from dnnfast.layers.arguments import float_input
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.regularization import random_bits
from dnnfast.layers.same_shape import SameShape
from dnnfast.random import SeedGenerator
from dnnfast.saving.objects import serialize_keras_object


class PReLU(SameShape):
    """Rectified linear unit with slopes for negative values that are trained (He et al., 2015).

    Args:
        alpha_initializer: of the slopes. Default ``"zeros"``.
        alpha_regularizer: a penalty on the slopes, or None.
        alpha_constraint: what they are mapped to after each step, or None.
        shared_axes: axes (from 1, the batch being 0) along which all elements share a slope.
            Default None: each element of a sample has its own.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is not known; when called, if a shared axis does not exist.

    Formula: ``max(x, 0) + alpha * min(x, 0)``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.PReLU("ones")([[-1.0, 1.0]]).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            several = isinstance(shared_axes, (list, tuple))
            shared_axes = list(shared_axes) if several else [shared_axes]
        self.shared_axes = shared_axes
        self.alpha: Any = None

    def build(self, input_shape: Any) -> None:
        """Create the slopes."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not 1 <= axis <= len(shape):
                raise ValueError(
                    f"PReLU {self.name!r}: shared axis {axis} does not exist in an input of shape "
                    f"{tuple(input_shape)}."
                )
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            tuple(shape),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        axes = {}
        if self.shared_axes:
            own = (i for i in range(1, len(input_shape)) if i not in self.shared_axes)
            axes = {i: input_shape[i] for i in own}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        below = ops.where(ops.less(x, 0), ops.multiply(self.alpha, x), 0.0)
        return ops.where(ops.greater(x, 0), x, below)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "alpha_initializer": serialize_keras_object(self.alpha_initializer),
            "alpha_regularizer": serialize_keras_object(self.alpha_regularizer),
            "alpha_constraint": serialize_keras_object(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class Swish(SameShape):
    """Swish with a factor that may be trained (Ramachandran et al., 2017).

    Args:
        beta: the factor inside the sigmoid, or its value at the start. Default 1.
        learn_beta: whether it is trained. Default True.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if ``beta`` is no number.

    Formula: ``x * sigmoid(beta * x)``

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.Swish()
        >>> layer(dnnfast.Input((3,))).shape, len(layer.trainable_weights)
        ((None, 3), 1)
    """

    def __init__(self, beta: float = 1.0, learn_beta: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.beta = checks.number(f"Swish {self.name!r}", "beta", beta)
        self.learn_beta = bool(learn_beta)
        self.factor: Any = None

    def build(self, input_shape: Any) -> None:
        """Create the factor, if it is trained."""
        if self.learn_beta:
            self.factor = self.add_weight((), initializers.Constant(self.beta), name="beta")

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        return activations.swish(x, self.factor if self.learn_beta else self.beta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "beta": self.beta, "learn_beta": self.learn_beta}


class RReLU(SameShape):
    """Rectified linear unit with random slopes for negative values (Xu et al., 2015).

    In training each element draws a slope; otherwise it is their mean.

    Args:
        lower: the smallest slope. Default 1/8.
        upper: the largest slope, at least ``lower``. Default 1/3.
        seed: an integer that changes this layer's slopes, or None. All slopes also depend on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is no number, or ``upper`` is below ``lower``.

    Formula: ``max(x, 0) + a * min(x, 0)``, a uniform in [lower, upper) in training, else
    ``(lower + upper) / 2``

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.RReLU(0.25, 0.75)([[-1.0, 1.0]]).tolist()
        [[-0.5, 1.0]]
    """

    _built_from_start = True

    def __init__(
        self, lower: float = 0.125, upper: float = 1 / 3, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        what = f"RReLU {self.name!r}"
        self.lower = checks.number(what, "lower", lower)
        self.upper = checks.number(what, "upper", upper, least=self.lower)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        mode = tracing.mode_of(training)
        usual = activations.leaky_relu(x, (self.lower + self.upper) / 2)
        if mode == "infer":
            return usual
        drawn = random_bits.uniform(symbolic.extents_of(x), self.seed)
        slopes = ops.add(ops.multiply(drawn, self.upper - self.lower), self.lower)
        random = ops.where(ops.greater(x, 0), x, ops.multiply(slopes, x))
        return random if mode == "train" else symbolic.switch(random, usual, samples=True)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }
