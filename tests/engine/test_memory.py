"""A fit takes the data as given, parameters x (2 + optimizer slots), one batch of activations."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
import dnnfast as keras

def resident_mb():
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["VmHWM"].split()[0]) / 1024

optimizer, slots, batch = sys.argv[1], int(sys.argv[2]), 256
x = np.random.default_rng(0).integers(0, 255, (20_000, 784), np.uint8)
y = np.zeros(20_000, np.int64)

def model(units):
    layers = [keras.Input((784,)), keras.layers.Dense(units, "relu"),
              keras.layers.Dense(units, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model

model(16).fit(x[:512], y[:512], batch_size=batch, verbose=0)  # code, threads, small things
before, _ = resident_mb()
big = model(2048)
big.fit(x, y, batch_size=batch, epochs=1, steps_per_epoch=3, verbose=0)
_, peak = resident_mb()
parameters = big.count_params() * 4 / 2**20
activations = big.plan().activation_bytes / 2**20
print(peak - before, parameters * (2 + slots) + activations, x.nbytes / 2**20)
"""

# Packed panels used while a kernel runs, the epoch's order, allocator rounding.
WORKSPACE_MB = 24


@pytest.mark.skipif("DNNFAST_SANITIZED" in os.environ, reason="a sanitizer takes memory of its own")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
@pytest.mark.parametrize(("optimizer", "slots"), [("sgd", 0), ("adam", 2)])
def test_memory_of_a_fit(optimizer, slots):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, optimizer, str(slots)],
        capture_output=True,
        text=True,
        check=True,
    )
    used, planned, _ = map(float, run.stdout.split())
    assert used <= planned + WORKSPACE_MB, f"{used:.1f} MB used, {planned:.1f} MB planned"
