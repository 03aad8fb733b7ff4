"""What all tests share: the devices, and settings that no test leaves changed."""

from __future__ import annotations

import os

import pytest

import dnnfast

# tests/gpu runs tests with the simulated one.
DEVICES = ("reference", "cpu", *(["cuda:0"] if "DNNFAST_CUDA_LIBRARY" in os.environ else []))


@pytest.fixture(autouse=True)
def _same_settings():
    """Give every test the same seed and names, and the default device afterwards."""
    device = dnnfast.config.device()
    dnnfast.utils.set_random_seed(7)
    dnnfast.backend.clear_session()
    yield
    dnnfast.config.set_device(device)


@pytest.fixture(params=DEVICES)
def device(request):
    """Run the test on each device."""
    dnnfast.config.set_device(request.param)
    return request.param
