"""Random tensors, and the choice between noise and none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from dnnfast import symbolic, tracing
from dnnfast.expressions import Expression, apply
from dnnfast.random.seed import is_whole


def stream_of(seed: Any) -> int | None:
    """Return the number of a seed's random bits; None: each model numbers them.

    Those of layers without a seed are numbered from 0 when a model is lowered.
    """
    if not is_whole(seed):
        return None
    return 0x40000000 | (int(seed) * 0x9E3779B1 & 0x3FFFFFFF)


def uniform(extents: Sequence[int], seed: Any) -> Any:
    """Record numbers in [0, 1)."""
    return symbolic.uniform(extents, 1, lambda u: u, stream_of(seed))


def normal(extents: Sequence[int], seed: Any) -> Any:
    """Record numbers of a standard normal distribution (Box and Muller, 1958)."""

    def build(u: Expression, v: Expression) -> Expression:
        radius = apply("sqrt", apply("log", 1.0 - u) * -2.0)
        return radius * apply("cos", v * (2.0 * math.pi))

    return symbolic.uniform(extents, 2, build, stream_of(seed))


def in_training(x: Any, training: Any, noisy: Callable[[Any], Any]) -> Any:
    """Return ``noisy(x)`` in training mode and in Monte Carlo prediction, else ``x``."""
    mode = tracing.mode_of(training)
    if mode == "infer":
        return x
    changed = noisy(x)
    return changed if mode == "train" else symbolic.switch(changed, x, samples=True)
