"""Regularizers and constraints: numbers on arrays and recorded, and plain data."""

import numpy as np
import pytest

import dnnfast as keras
import gradients
from dnnfast import ops, tracing
from dnnfast.keras_tensor import KerasTensor
from dnnfast.lowering import Lowered
from dnnfast.training.program import Program

W = np.array([[3.0, -0.5, 0.25], [4.0, 0.5, -0.25]], np.float32)


def norms(w, axis):
    return np.sqrt((w.astype(np.float64) ** 2).sum(axis, keepdims=True))


def cosines(w):
    unit = w / norms(w, 1)
    products = np.abs(unit @ unit.T)
    pairs = [(i, j) for i in range(len(w)) for j in range(i)]
    return np.mean([products[i, j] for i, j in pairs])


PENALTIES = {
    "L1": ({"l1": 0.5}, lambda w: 0.5 * np.abs(w).sum()),
    "L2": ({"l2": 0.25}, lambda w: 0.25 * np.square(w).sum()),
    "L1L2": ({"l1": 0.5, "l2": 0.25}, lambda w: (0.5 * np.abs(w) + 0.25 * w * w).sum()),
    "OrthogonalRegularizer": (
        {"factor": 0.1, "mode": "columns"},
        lambda w: 0.1 * cosines(w.T),
    ),
    "Regularizer": ({}, lambda w: 0.0),
}
MAPS = {
    "Constraint": ({}, lambda w: w),
    "MaxNorm": ({"max_value": 2.0, "axis": 0}, lambda w: w * np.minimum(1, 2 / norms(w, 0))),
    "NonNeg": ({}, lambda w: np.maximum(w, 0)),
    "UnitNorm": ({"axis": 1}, lambda w: w / norms(w, 1)),
    "MinMaxNorm": (
        {"min_value": 0.5, "max_value": 1.0, "rate": 0.75, "axis": 0},
        lambda w: w * (0.75 * np.clip(norms(w, 0), 0.5, 1) / norms(w, 0) + 0.25),
    ),
}
MODULES = [("regularizers", PENALTIES), ("constraints", MAPS)]
CASES = [(module, name) for module, table in MODULES for name in table]


def made(module, name):
    options, formula = dict(MODULES)[module][name]
    return getattr(getattr(keras, module), name)(**options), formula


def recorded(function, w):
    """Return what a function of a weight gives inside of a model."""
    lowered, tensor, variable = Lowered(set()), KerasTensor((None, 1)), keras.Variable(w)
    lowered.add_input(tensor, "x")
    with tracing.calling(None, tracing.AUTOMATIC):
        result = ops.reshape(function(variable), (1, -1))
        lowered.add_output(ops.multiply(ops.ones_like(tensor), result))
    program = Program(lowered.finished(), lowered.variables, keras.config.device())
    program.sync()
    return program.session.predict_batch([np.zeros((1, 1), np.float32)])[0][0]


@pytest.mark.parametrize(("module", "table"), MODULES)
def test_every_class_has_a_test(module, table):
    found = vars(getattr(keras, module))
    own = [x for x in found.values() if getattr(x, "__module__", "").startswith("dnnfast")]
    classes = {item.__name__ for item in own if isinstance(item, type)}
    assert classes == set(table)


@pytest.mark.parametrize(("module", "name"), CASES)
def test_values(module, name, device):
    item, formula = made(module, name)
    expected = formula(W.astype(np.float64))
    for w in (W, keras.Variable(W), W.tolist()):
        np.testing.assert_allclose(item(w), expected, rtol=2e-6)
    if type(item) is not keras.regularizers.Regularizer:
        found = recorded(item, W)
        np.testing.assert_allclose(found, np.ravel(expected), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in PENALTIES if name != "Regularizer"])
def test_gradients_are_differences_of_values(name, device):
    item, formula = made("regularizers", name)
    (found,) = gradients.of_function(item, W)
    step = 2.0**-12
    for at in np.ndindex(W.shape):
        ends = []
        for sign in (1, -1):
            w = W.astype(np.float64)
            w[at] += sign * step
            ends.append(formula(w))
        assert found[at] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("module", "name"), CASES)
def test_plain_data(module, name):
    item, _ = made(module, name)
    package = getattr(keras, module)
    again = package.deserialize(package.serialize(item))
    assert type(again) is type(item) and again.get_config() == item.get_config()
    assert package.get(item) is item
    assert package.get(package.serialize(item)).get_config() == item.get_config()


@pytest.mark.parametrize("module", ["regularizers", "constraints"])
def test_names_and_functions(module):
    package = getattr(keras, module)
    for name, cls in package.ALL.items():
        assert type(package.get(name)) is cls
        assert type(package.get(cls.__name__)) is cls
        assert type(package.get(cls)) is cls
    assert package.get(None) is None
    assert package.get(ops.abs) is ops.abs
    for wrong in ("l3", 3, object()):
        with pytest.raises(ValueError, match=module[:-1]):
            package.get(wrong)


def test_defaults():
    assert keras.regularizers.l1().get_config() == {"l1": 0.01}
    assert keras.regularizers.l2().get_config() == {"l2": 0.01}
    assert keras.regularizers.l1_l2().get_config() == {"l1": 0.0, "l2": 0.0}
    assert keras.regularizers.L1(None).l1 == 0.01
    assert keras.regularizers.L1L2(None, None).l1 == 0.0
    assert keras.regularizers.orthogonal_regularizer().get_config() == {
        "factor": 0.01,
        "mode": "rows",
    }
    assert keras.constraints.max_norm().get_config() == {"max_value": 2, "axis": 0}
    assert keras.constraints.unit_norm().get_config() == {"axis": 0}


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: keras.regularizers.L1(-1), "l1"),
        (lambda: keras.regularizers.L2(np.nan), "l2"),
        (lambda: keras.regularizers.L1L2(0, "a"), "l2"),
        (lambda: keras.regularizers.OrthogonalRegularizer(mode="both"), "mode"),
        (lambda: keras.regularizers.OrthogonalRegularizer()(np.ones(3)), "2 axes"),
        (lambda: keras.constraints.MaxNorm(-1), "max_value"),
        (lambda: keras.constraints.MinMaxNorm(rate=1.5), "rate"),
    ],
)
def test_mistakes(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_users_own_classes(device):
    @keras.utils.register_keras_serializable("tests")
    class Largest(keras.regularizers.Regularizer):
        def __init__(self, factor=0.5):
            self.factor = factor

        def __call__(self, x):
            return self.factor * ops.max(ops.abs(x))

    item = Largest(2.0)
    assert float(item(W)) == 8.0
    np.testing.assert_allclose(recorded(item, W), [8.0])
    again = keras.regularizers.deserialize(keras.regularizers.serialize(item))
    assert again.factor == 2.0
    (found,) = gradients.of_function(item, W)
    np.testing.assert_allclose(found, [[0, 0, 0], [2, 0, 0]])
