"""What test_simulation runs in processes of their own, on the device of their environment."""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import Any

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import _core, kernels, reference
from dnnfast.graph import Optimizer
from engine.graphs import GRAPHS, make_data
from engine.graphs_array import CASES
from engine.test_against_reference import sessions
from gpu.device_memory import GpuArray, pretend_cupy

STEPS = 2


def _graph_and_data(name: str, rows: int) -> tuple[Any, Any]:
    if name in CASES:
        case = CASES[name]()
        return case.graph, case.data(rows)
    graph = GRAPHS[name]()
    return graph, make_data(graph, rows)


def _train(session: Any, data: Any) -> None:
    data = _core.Dataset(*data)
    session.train(data, _core.shuffle(40, 5, 0), 0, STEPS, 32, np.full(STEPS, 0.01))


def print_trained_weights(*names: str, optimizer: str = "", **options: float) -> None:
    """Prints the bytes of all weights of graphs after some steps, and of what they then predict."""
    for name in names:
        graph, data = _graph_and_data(name, 40)
        if optimizer:
            graph.optimizer = Optimizer(optimizer, options)
            for parameter in graph.parameters:
                parameter.orthogonal = True
        session = sessions(graph)[0]
        _train(session, data)
        outputs = [np.zeros((40, *graph.tensors[t].shape), np.float32) for t in graph.outputs]
        session.predict(_core.Dataset(*data), 0, STEPS, 32, outputs, False, 4)
        weights = [session.get_parameter(i) for i in range(len(graph.parameters))]
        for values in weights + outputs:
            sys.stdout.buffer.write(values.tobytes())


def print_kernel_counts() -> None:
    """Prints name, dense layers and kernels a step of some nets, planned for a described GPU."""
    for name, batch, layers, optimizer in (
        ("lecture", 32, _dense_net([300, 100], "relu", False), "sgd"),
        ("deep", 32, _dense_net([100] * 20, "elu", True), "nadam"),
        ("wide", 512, _dense_net([2048, 2048], "relu", False), "adam"),
        ("widebn", 512, _dense_net([2048, 2048], "relu", True), "adam"),
    ):
        model = keras.Sequential([keras.Input((784,)), *layers])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        text = model.plan(batch_size=batch, device="cuda:described").describe()
        count = re.search(r"(\d+) kernels a step", text)
        assert count and text.count("  kernel ") == int(count.group(1)), text
        dense = sum(isinstance(layer, keras.layers.Dense) for layer in layers)
        print(name, dense, count.group(1))


def _dense_net(widths: list[int], activation: str, normalized: bool) -> list[Any]:
    layers: list[Any] = []
    for width in widths:
        layers.append(keras.layers.Dense(width))
        if normalized:
            layers.append(keras.layers.BatchNormalization())
        layers.append(keras.layers.Activation(activation))
    return [*layers, keras.layers.Dense(10, activation="softmax")]


def a_described_device() -> None:
    """It plans, it does not run, and the model goes on where it was."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    x = np.ones((4, 3), "float32")
    expected = model.predict(x, verbose=0)
    keras.config.set_device("cuda:described")
    with pytest.raises(RuntimeError, match="a description of a GPU"):
        model.predict(x, verbose=0)
    keras.config.set_device("cpu")
    assert np.array_equal(model.predict(x, verbose=0), expected)


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


def devices_by_argument() -> None:
    """A device of one call, and the one that the environment names."""
    x = np.random.default_rng(1).standard_normal((50, 6)).astype("float32")
    results = []
    for device in ("cuda", None):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "relu")])
        model.add(keras.layers.Dense(1))
        model.compile("adam", "mse")
        history = model.fit(x, x[:, :1], epochs=2, verbose=0, device=device).history["loss"]
        loss = model.evaluate(x, x[:, :1], verbose=0, device=device)
        results.append([*history, loss, *model.predict(x, device=device)[:, 0]])
        assert keras.config.device() == "cuda:0"
    assert results[0] == results[1]
    assert (
        "cuda:0" in model.plan().describe()
        and "train on cpu" in model.plan(device="cpu").describe()
    )
    with pytest.raises(ValueError, match='unknown device "tpu"'):
        model.fit(x, x[:, :1], device="tpu")


def precisions() -> None:
    """Products of wide layers are as exact as their policy says, and no less exact than that."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((136, 96)).astype("float32")
    errors = {}
    for policy in ("float32", "tf32", "mixed_bfloat16"):
        keras.utils.set_random_seed(5)
        layers = [keras.layers.Dense(n, dtype=policy, activation="tanh") for n in (96, 88)]
        model = keras.Sequential([keras.Input((96,)), *layers])
        model.compile(keras.optimizers.SGD(1.0), "mse")
        before = model.get_weights()
        y = model.predict(x, batch_size=136, device="reference")
        outputs = model.predict(x, batch_size=136, device="cuda")
        model.fit(x, y + 1, batch_size=136, verbose=0, device="cuda")
        found = [a - b for a, b in zip(model.get_weights(), before, strict=True)]
        model.set_weights(before)
        model.fit(x, y + 1, batch_size=136, verbose=0, device="reference")
        expected = [a - b for a, b in zip(model.get_weights(), before, strict=True)]
        kernels = zip(found[::2], expected[::2], strict=True)
        pairs = [(outputs, y), *kernels]
        errors[policy] = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in pairs]
    for plain, tf32, bfloat16 in zip(*errors.values(), strict=True):
        assert plain < 2e-6 < tf32 < 2e-3 < bfloat16 < 2e-2, errors


def arrays_on_the_device() -> None:
    """Arrays of a GPU are read and written where they are, with the bits of arrays of the host."""
    pretend_cupy()
    keras.config.set_device("cuda")
    rng = np.random.default_rng(8)
    x, y = rng.integers(0, 9, (70, 12)).astype("uint8"), rng.integers(0, 3, 70)
    t, w = rng.standard_normal((70, 3)).astype("float32"), rng.random(70).astype("float32")
    for loss, target in (("sparse_categorical_crossentropy", y), ("mse", t)):
        results: list[list[np.ndarray]] = []
        for place in (np.asarray, GpuArray):
            keras.utils.set_random_seed(2)
            layers = [keras.layers.Dense(5, "relu"), keras.layers.Dropout(0.3)]
            layers.append(keras.layers.Dense(3, "softmax"))
            model = keras.Sequential([keras.Input((12,)), *layers])
            model.compile("adam", loss)
            given = place(x), place(target)
            model.fit(*given, sample_weight=place(w), epochs=2, verbose=0)
            model.fit(*given, validation_split=0.2, shuffle=False, verbose=0)
            outputs = [model.predict(given[0], batch_size=32), model(given[0])]
            outputs += model.predict(given[0], batch_size=32, mc_samples=2)
            assert all(
                isinstance(out, GpuArray if place is GpuArray else np.ndarray) for out in outputs
            )
            loss_value = model.evaluate(*given, verbose=0)
            found = [getattr(out, "numpy", lambda out=out: out)() for out in outputs]
            results.append([*model.get_weights(), *found, np.asarray(loss_value)])
        for a, b in zip(*results, strict=True):
            assert np.array_equal(a, b)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(FloatingPointError):
        model.fit(GpuArray(x), GpuArray(y + 1), verbose=0)
    with pytest.raises(ValueError, match="class_weight looks into the labels"):
        model.fit(GpuArray(x), GpuArray(y), class_weight={0: 2.0})
    with pytest.raises(ValueError, match="expected samples of shape"):
        model.predict(GpuArray(x[:, :5]))
    with pytest.raises(TypeError, match="has dtype complex64"):
        model.predict(GpuArray(x.astype("complex64")))
    with pytest.raises(TypeError, match="is a GpuArray on a GPU, but the model runs on 'cpu'"):
        model.predict(GpuArray(x), device="cpu")


def kernels_on_the_device() -> None:
    """Kernels take arrays of a GPU and leave their results there."""
    pretend_cupy()
    keras.config.set_device("cuda")
    rng = np.random.default_rng(9)
    x, w, b = (rng.standard_normal(n).astype("float32") for n in ((40, 20), (20, 33), 33))
    dy = rng.standard_normal((40, 33)).astype("float32")
    calls: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("dense_forward", [x, w, b], {"activation": "tanh"}),
        ("dense_backward", [x, w, dy], {}),
        ("batchnorm_backward", [dy, b, dy[::-1]], {}),
        ("softmax_forward", [x], {}),
        ("loss_backward", ["mean_squared_error", dy, dy[::-1]], {}),
        ("nadam_step", [b, b, b * 0, b * 0], {"step": 1, "u_product": 1.0}),
    ]
    for name, arguments, options in calls:
        given = [GpuArray(a) if isinstance(a, np.ndarray) else a for a in arguments]
        found = getattr(kernels, name)(*given, **options)
        expected = getattr(reference, name)(*arguments, **options)
        if not isinstance(expected, tuple):
            found, expected = (found,), (expected,)
        for a, e in zip(found, expected, strict=True):
            assert isinstance(a, GpuArray) or np.ndim(e) == 0
            value = a.numpy() if isinstance(a, GpuArray) else a
            np.testing.assert_allclose(value, e, atol=1e-5 * np.abs(e).max(), err_msg=name)
    with pytest.raises(TypeError, match=r"must be contiguous and of float32"):
        kernels.matmul(GpuArray(x.astype("float64")), w)
    keras.config.set_device("cpu")
    with pytest.raises(TypeError, match=r"on a GPU, but the model runs on 'cpu'"):
        kernels.matmul(GpuArray(x), w)


def two_devices() -> None:
    """Sessions on two devices, used in turns and each time from another thread."""
    graph, data = _graph_and_data("mlp", 40)
    both = [_core.Session(graph, f"cuda:{i}") for i in (0, 1)]
    for session in (*both, *reversed(both)):
        thread = threading.Thread(target=_train, args=(session, data))
        thread.start()
        thread.join()
    assert [session.iterations for session in both] == [2 * STEPS] * 2


def print_results_of_a_large_data_set() -> None:
    """Prints what a fit leaves and finds, in bytes: of data that may have no room on the device."""
    keras.utils.set_random_seed(6)
    rng = np.random.default_rng(7)
    x = rng.integers(0, 256, (3000, 160)).astype("uint8")[:, ::2]
    y = rng.integers(0, 3, 3000)
    layers = [keras.layers.Dense(8, "elu"), keras.layers.Dropout(0.2), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((80,)), *layers, keras.layers.Softmax()])
    model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    keras.config.set_device("cuda")
    history = model.fit(x, y, batch_size=100, epochs=2, verbose=0, validation_split=0.3).history
    results = [*model.get_weights(), model.predict(x, batch_size=100), *history.values()]
    results += model.predict(x, batch_size=50, mc_samples=2)
    for values in results:
        sys.stdout.buffer.write(np.asarray(values).tobytes())


def errors() -> None:
    """Devices that there are not."""
    graph = GRAPHS["mlp"]()
    for name, message in (
        ("tpu:0", "there is no device"),
        ("cuda:x", 'expected "cuda:" and a number'),
        ("cuda:7", "there is no device cuda:7"),
    ):
        _core.set_cuda_library(os.environ["DNNFAST_CUDA_LIBRARY"])
        with pytest.raises(ValueError, match=message):
            _core.Session(graph, name)


def a_device_that_is_too_small() -> None:
    """A fit that finds no room says so, and the model goes on elsewhere as it was."""
    x, y = np.ones((640, 20), "float32"), np.ones((640, 1), "float32")
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    keras.config.set_device("cuda:0")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"no room for .* bytes.*smaller batch"):
        model.fit(x, y, batch_size=640, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    keras.config.set_device("cpu")
    model.fit(x, y, verbose=0)
