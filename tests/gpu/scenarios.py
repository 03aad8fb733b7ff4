"""What test_simulation runs in processes of their own, on the device of their environment."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import _core
from engine.graphs import GRAPHS, make_data
from engine.test_against_reference import sessions

STEPS = 2


def _train(session: object, graph: object) -> None:
    data = _core.Dataset(*make_data(graph, 40))
    session.train(data, _core.shuffle(40, 5, 0), 0, STEPS, 32, np.full(STEPS, 0.01))


def print_trained_weights(name: str) -> None:
    """Prints the bytes of all weights of a graph after some steps."""
    graph = GRAPHS[name]()
    session = sessions(graph)[0]
    _train(session, graph)
    for i in range(len(graph.parameters)):
        sys.stdout.buffer.write(session.get_parameter(i).tobytes())


def _predictions_after(devices: list[str]) -> np.ndarray:
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).standard_normal((90, 7)).astype("float32")
    layers = [
        keras.layers.Dense(20, activation="elu"),
        keras.layers.Dropout(0.2),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input((7,)), *layers])
    model.compile(optimizer="nadam", loss="mse")
    for device in devices:
        keras.config.set_device(device)
        model.fit(x, x[:, :1] ** 2, epochs=2, verbose=0)
    return model.predict(x, verbose=0)


def a_model_moves() -> None:
    """Training that changes the device on its way ends where it ends on one."""
    a, b = _predictions_after(["cpu"] * 3), _predictions_after(["cpu", "cuda", "cuda:0"])
    assert keras.config.device() == "cuda:0"
    np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(a).max())


def two_devices() -> None:
    """Sessions on two devices, used in turns and each time from another thread."""
    graph = GRAPHS["mlp"]()
    both = [_core.Session(graph, f"cuda:{i}") for i in (0, 1)]
    for session in (*both, *reversed(both)):
        thread = threading.Thread(target=_train, args=(session, graph))
        thread.start()
        thread.join()
    assert [session.iterations for session in both] == [2 * STEPS] * 2


def a_device_that_is_too_small() -> None:
    """A fit that finds no room says so, and the model goes on elsewhere as it was."""
    x, y = np.ones((640, 20), "float32"), np.ones((640, 1), "float32")
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    keras.config.set_device("cuda:0")
    before = model.get_weights()
    with pytest.raises(ValueError, match="the device has no room for 51200 bytes more"):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    keras.config.set_device("cpu")
    model.fit(x, y, verbose=0)
