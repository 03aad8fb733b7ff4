"""Functions called on symbolic tensors outside of layers are parts of functional models."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops
from dnnfast.keras_tensor import KerasTensor
from ops.cases import BATCH, Case
from ops.test_functions import ALL, check, leaves


def described(case: Case) -> keras.Model | None:
    """Return the functional model of a case, or None if its results are not by sample."""
    inputs = [keras.Input(a.shape[1:], dtype=a.dtype.name) for a in case.arrays()]
    results = leaves(case.call(ops, *inputs))
    if not all(isinstance(r, KerasTensor) and r.batched and r._keras_history for r in results):
        return None
    return keras.Model(inputs, results)


def predicted(model: keras.Model, case: Case) -> list[np.ndarray]:
    return leaves(model.predict(case.arrays(), batch_size=BATCH, verbose=0))


def names_once() -> list[Case]:
    """Return one case a function."""
    return list({case.name: case for case in ALL}.values())


@pytest.mark.parametrize("case", names_once(), ids=str)
def test_models_of_functions(case: Case) -> None:
    model = described(case)
    if model is None:
        pytest.skip("its results are not one row a sample")
    outputs = predicted(model, case)
    for output, expected in zip(outputs, leaves(case.call(ops, *case.arrays())), strict=True):
        check(output, expected)
    copies = [keras.models.model_from_json(model.to_json()), keras.models.clone_model(model)]
    for copy in copies:
        for output, again in zip(outputs, predicted(copy, case), strict=True):
            np.testing.assert_array_equal(output, again)
        assert [type(o) for o in copy.operations] == [type(o) for o in model.operations]


def small_model() -> keras.Model:
    x = keras.Input((3,), name="in")
    y = ops.relu(keras.layers.Dense(4, name="first")(x)) * 2 + 1
    y = ops.concatenate([ops.softmax(y, axis=1), ops.exp(x)], axis=-1)[:, :5]
    return keras.Model(x, keras.layers.Dense(1, name="last")(y))


def test_functions_are_operations_but_no_layers():
    keras.backend.clear_session()
    model = small_model()
    assert [layer.name for layer in model.layers] == ["in", "first", "last"]
    names = "in first relu multiply add softmax exp concatenate get_item last"
    assert [operation.name for operation in model.operations] == names.split()
    rows: list[str] = []
    model.summary(print_fn=rows.append)
    text = "\n".join(rows)
    assert "softmax (Softmax)" in text and "Total params: 22 (88.00 B)" in text


def test_configuration_is_that_of_keras():
    model = small_model()
    entries = {e["class_name"]: e for e in json.loads(model.to_json())["config"]["layers"]}
    assert entries["Softmax"]["module"] == "keras.src.ops.nn"
    assert entries["Softmax"]["config"] == {"name": model.operations[5].name, "axis": 1}
    assert entries["Multiply"]["module"] == "keras.src.ops.numpy"
    assert entries["Multiply"]["inbound_nodes"][0]["args"][1] == 2


def test_they_are_fused_with_their_neighbours_and_train():
    model = small_model()
    model.compile("sgd", "mse")
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(64, 3)), draw.normal(size=(64, 1))
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert "fused activation relu" in model.plan().describe()


def test_models_are_called_on_other_tensors():
    inner = small_model()
    x = keras.Input((3,))
    outer = keras.Model(x, ops.negative(inner(ops.tanh(x))))
    values = np.random.default_rng(0).normal(size=(5, 3)).astype("f")
    expected = -inner.predict(np.tanh(values), verbose=0)
    np.testing.assert_allclose(outer.predict(values, verbose=0), expected, rtol=1e-6)


def test_numbers_of_the_batch_need_no_layer():
    x = keras.Input((3,))
    y = ops.concatenate([x, ops.zeros((ops.shape(x)[0], 2))], axis=1)
    model = keras.Model(x, y)
    found = model.predict(np.ones((2, 3)), verbose=0)
    assert found.tolist() == [[1.0, 1.0, 1.0, 0.0, 0.0]] * 2
    with pytest.raises(ValueError, match="inside of a layer's `call`"):
        model.to_json()


def test_functions_are_pickled_by_name():
    for name in ("exp", "sum", "relu", "scan"):
        assert pickle.loads(pickle.dumps(getattr(ops, name))) is getattr(ops, name)
    with pytest.raises(AttributeError, match="NoFunction"):
        ops.NoFunction  # noqa: B018
