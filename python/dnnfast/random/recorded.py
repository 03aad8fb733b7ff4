"""Random functions inside of a layer's call: drawn anew in every step, by the engine."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

from dnnfast import symbolic, tracing
from dnnfast.expressions import Expression, apply

F = TypeVar("F", bound=Callable[..., Any])


def recorded_by(function: Callable[..., Any]) -> Callable[[F], F]:
    """Let ``function`` take the calls of a random function while a trace is recorded."""

    def decorate(eager: F) -> F:
        @functools.wraps(eager)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if tracing.recording() or symbolic.is_symbolic(*args):
                return function(*args, **kwargs)
            return eager(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate


def stream_of(seed: Any) -> int | None:
    """Return the number of the random bits of a seed; None: they get their own in each model."""
    if seed is None or not isinstance(seed, int):
        return None
    # Numbers without a seed count from 0.
    return 0x40000000 | (seed * 0x9E3779B1 & 0x3FFFFFFF)


def _sizes(shape: Any) -> tuple[int, ...]:
    return tuple(-1 if size is None else int(size) for size in shape)


def _normal_of(first: Expression, second: Expression) -> Expression:
    """Box and Muller's transformation; the first number is below 1, so its logarithm exists."""
    radius = apply("sqrt", -2.0 * apply("log", 1.0 - first))
    return radius * apply("cos", 2.0 * math.pi * second)


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Record samples of a uniform distribution."""
    drawn = symbolic.uniform(_sizes(shape), 1, lambda u: u, stream_of(seed))
    return drawn * (maxval - minval) + minval


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Record samples of a normal distribution."""
    drawn = symbolic.uniform(_sizes(shape), 2, _normal_of, stream_of(seed))
    return drawn * stddev + mean


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Record normal samples within two standard deviations: the inverse of their distribution."""
    edge = math.erf(math.sqrt(2.0))  # the probability of these two deviations

    def build(u: Expression) -> Expression:
        return math.sqrt(2.0) * apply("erfinv", edge * (2.0 * u - 1.0))

    return symbolic.uniform(_sizes(shape), 1, build, stream_of(seed)) * stddev + mean


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Record integers; they are exact up to 2^24."""
    from dnnfast import ops

    drawn = symbolic.uniform(_sizes(shape), 1, lambda u: u, stream_of(seed))
    return ops.cast(ops.floor(drawn * (maxval - minval)) + minval, dtype)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Record class numbers, as positions of the largest of logits with Gumbel noise."""
    from dnnfast import ops

    rows, classes = symbolic.extents_of(logits)

    def build(u: Expression) -> Expression:
        return -apply("log", 1e-20 - apply("log", u + 1e-20))

    noise = symbolic.uniform((rows, num_samples, classes), 1, build, stream_of(seed))
    return ops.cast(ops.argmax(ops.expand_dims(logits, 1) + noise, axis=-1), dtype)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Record inputs of which a random share is set to zero."""
    from dnnfast import ops

    sizes = list(symbolic.extents_of(inputs))
    if noise_shape is not None:
        given = zip(noise_shape, sizes, strict=True)
        sizes = [own if size is None else int(size) for size, own in given]
    if rate >= 1:
        return ops.zeros_like(inputs)
    kept = symbolic.uniform(sizes, 1, lambda u: apply("less_equal", rate, u), stream_of(seed))
    return inputs * kept / (1.0 - rate)


def not_recorded(name: str) -> Callable[..., Any]:
    """Return a function that says that a random function has no native form."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"{tracing.current_layer_name() or 'a layer'}: random.{name} has no native form and "
            "works on arrays only. In a layer's call use random.uniform, normal, truncated_normal, "
            "randint, categorical or dropout."
        )

    return refuse
