"""Keras 3, what we compare with; tests that import it from here are skipped where it is not."""

import os
from contextlib import contextmanager

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

keras3 = pytest.importorskip("keras", minversion="3.10", reason="Keras 3 is not installed")


@contextmanager
def double_precision():
    """Let Keras compute in float64, which shows whose rounding a difference is."""
    keras3.config.set_floatx("float64")
    keras3.config.set_dtype_policy("float64")
    jax = pytest.importorskip("jax") if keras3.config.backend() == "jax" else None
    if jax:
        jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        if jax:
            jax.config.update("jax_enable_x64", False)
        keras3.config.set_floatx("float32")
        keras3.config.set_dtype_policy("float32")
