"""The GPU part as it is installed, on a machine that has no GPU."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import engine

INSTALLED = engine.cuda_library() is not None and "DNNFAST_CUDA_LIBRARY" not in os.environ


@pytest.mark.skipif(not INSTALLED, reason="the GPU part is not built")
@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_plans() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    before = model.predict(x, verbose=0)
    with pytest.raises(RuntimeError, match=r"no GPU can be used: .*set_device\('cpu'\)"):
        model.fit(x, x[:, :2], verbose=0, device="cuda")
    assert np.array_equal(model.predict(x, verbose=0), before)
    assert re.search(r"\d+ kernels a step", model.plan(device="cuda:described").describe())
