"""What is recorded on symbolic tensors: fused ops, shapes with a batch, operators, errors."""

from __future__ import annotations

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops


class Call(keras.layers.Layer):
    """A layer of one function of its weight and input."""

    def __init__(self, function, shape=()):
        super().__init__()
        self.function, self.weight_shape = function, shape

    def build(self, input_shape):
        self.w = self.add_weight(shape=self.weight_shape, initializer="glorot_uniform")

    def call(self, x):
        return self.function(self.w, x)


def of(function, shape=(), size=6):
    x = keras.Input((size,))
    return keras.Model(x, Call(function, shape)(x))


@pytest.mark.parametrize(
    "function",
    [
        lambda w, x: ops.relu(ops.matmul(x, w)),
        lambda w, x: ops.relu(x @ w),
        lambda w, x: ops.tanh(ops.dot(x, w)),
        lambda w, x: ops.sigmoid(ops.einsum("bi,ij->bj", x, w)),
        lambda w, x: keras.activations.relu(ops.tensordot(x, w, 1)),
    ],
)
def test_rows_times_weights_are_the_dense_op_with_its_activation(function):
    model = of(function, (6, 3))
    plan = model.plan().describe()
    assert "dense_forward" in plan
    assert "array_product" not in plan and "activation_forward" not in plan
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("f")
    expected = function(model.get_weights()[0], x)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_softmax_of_rows_is_the_fused_op():
    x = keras.Input((6,))
    for function in (ops.softmax, ops.log_softmax, ops.glu):
        assert function(x).record.op == function.__name__
    assert ops.softmax(x, axis=0).record.op != "softmax"


OPERATORS = {
    "arithmetic": lambda w, x: (x * w + 1 - w / 2) // 0.5 % 3 + (-w) ** 2,
    "reflected": lambda w, x: 1 - x + 2 * w + 1 / (x * x + w * w + 1) + 2.0**x + (3 // (w * w + 1)),
    "comparisons": lambda w, x: ops.cast((x > w) & (x < 1) | ~(x >= w), "float32"),
    "indexing": lambda w, x: x[:, ::-1] + w[2] - w[None, -1],
    "matmul": lambda w, x: x * (w @ w) + abs(w),
    "equality": lambda w, x: ops.cast(w == w, "float32") + ops.cast(x != w, "float32"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_variables_and_tensors(name, device):
    function = OPERATORS[name]
    model = of(function, (6,))
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("f")
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(np.asarray(function(model.get_weights()[0], x), "f"), (5, 6))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_variables_outside_of_models_are_numbers():
    v = keras.Variable([1.0, 2.0])
    assert isinstance(ops.exp(v), np.ndarray)
    assert isinstance(v * 2, np.ndarray)


def test_arrays_on_the_left_leave_operators_to_the_tensor():
    x = keras.Input((3,))
    for result in (
        np.ones(3, "f") + x,
        np.float32(2) * x,
        np.ones(3) - x,
        np.ones((2, 3), "f") @ ops.sum(x, 0),
        np.zeros(3) < x,
    ):
        assert isinstance(result, keras.KerasTensor)
    assert (np.ones(3) == x) is False


@pytest.mark.parametrize(
    ("call", "spelling"),
    [
        (np.exp, "dnnfast.ops.exp"),
        (np.mean, "dnnfast.ops.mean"),
        (lambda x: np.concatenate([x, x]), "dnnfast.ops.concatenate"),
        (np.linalg.norm, "dnnfast.ops.norm"),
        (np.add.reduce, "dnnfast.ops.add"),
        (np.fft.fft, "with dnnfast.ops,"),
    ],
)
def test_functions_of_numpy_name_the_one_to_use(call, spelling):
    with pytest.raises(TypeError, match=spelling):
        call(keras.Input((3,)))


def test_shapes_with_a_batch():
    x = keras.Input((4, 6))
    assert ops.shape(x) == (None, 4, 6)
    assert ops.reshape(x, (-1, 24)).shape == (None, 24)
    assert ops.reshape(x, (ops.shape(x)[0], 3, -1)).shape == (None, 3, 8)
    assert ops.reshape(x, (-1,)).extents == (-24,)
    assert ops.reshape(ops.reshape(x, (-1,)), (-1, 4, 6)).extents == (-1, 4, 6)
    assert ops.reshape(x, (2, -1)).extents == (2, -12)
    assert ops.concatenate([x, x, x], 0).extents == (-3, 4, 6)
    assert ops.repeat(x, 2, 0).extents == (-2, 4, 6)
    assert [part.extents for part in ops.split(ops.tile(x, (4, 1, 1)), 2)] == [(-2, 4, 6)] * 2
    assert ops.zeros((None, 3)).extents == ops.ones((None, 3)).extents == (-1, 3)
    assert ops.full((2, None), 7.0).extents == (2, -1)
    assert ops.broadcast_to(ops.ones((1, 3)), (None, 3)).extents == (-1, 3)
    assert ops.arange(ops.shape(x)[0]).extents == (-1,)
    for bad in ((-1, 5), (None, 25), (4, 6), (None, None, 24)):
        with pytest.raises(ValueError, match="reshape"):
            ops.reshape(x, bad)


def test_new_tensors_of_the_batch_in_a_model(device):
    x = keras.Input((3,))

    class Rows(keras.layers.Layer):
        def call(self, x):
            rows = ops.arange(ops.shape(x)[0])
            last = ops.cast(ops.equal(rows, ops.size(x) // 3 - 1), "float32")
            return ops.expand_dims(last, 1) * ops.ones((ops.shape(x)[0], 3)) + x[-1] + x[0]

    found = keras.Model(x, Rows()(x)).predict(np.arange(12.0).reshape(4, 3), verbose=0)
    expected = np.array([[9, 11, 13]] * 3 + [[10, 12, 14]], float)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.unstack(x), ValueError, "cannot be cut"),
        (lambda x: ops.pad(x, 1), ValueError, "depends on the batch"),
        (lambda x: x[1:], IndexError, "batch axis"),
        (lambda x: ops.bincount(ops.argmax(x, 1)), ValueError, "minlength"),
        (lambda x: ops.segment_sum(x, ops.argmax(x, 1)), ValueError, "num_segments"),
        (lambda x: ops.histogram(x), ValueError, "range"),
        (lambda x: ops.map(ops.sum, x), NotImplementedError, "whole batch"),
        (lambda x: ops.fori_loop(0, ops.size(x), lambda i, a: a, 0), NotImplementedError, "range"),
        (
            lambda x: ops.while_loop(lambda a: ops.sum(a) < 1, lambda a: a + 1, x),
            NotImplementedError,
            "maximum_iterations",
        ),
        (lambda x: ops.split(x, 2), ValueError, "divisor"),
        (lambda x: ops.concatenate([x, np.ones((2, 6))], 0), ValueError, "batch axis"),
        (lambda x: ops.exp([x]), TypeError, "ops.stack"),
        (lambda x: ops.convert_to_numpy(x), ValueError, "no values"),
        (lambda x: ops.add(x, np.ones(5)), ValueError, "cannot be broadcast"),
        (lambda x: ops.matmul(x, np.ones((5, 2))), ValueError, "do not fit"),
        (lambda x: ops.einsum("bi,ci->bcii", x, x), ValueError, "each once"),
    ],
)
def test_errors_say_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call(keras.Input((6,)))
