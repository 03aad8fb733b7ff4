"""Keras 3, what we compare with; tests that import it from here are skipped where it is not."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

keras3 = pytest.importorskip("keras", minversion="3.10", reason="Keras 3 is not installed")
