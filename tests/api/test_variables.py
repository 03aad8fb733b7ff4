"""Variables as arrays, their names, scopes that replace values, specifications of inputs."""

import math
import operator

import numpy as np
import pytest

import dnnfast as keras

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
          operator.mod, operator.pow, operator.lt, operator.le, operator.eq, operator.ne,
          operator.gt, operator.ge]  # fmt: skip


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("other", [2.0, [2.0, 1.5, 3.0]], ids=str)
def test_operators(function, other):
    value = np.array([1.0, 2.0, 3.5], np.float32)
    v = keras.Variable(value)
    other = np.float32(other) if isinstance(other, list) else other
    for ours, expected in (
        (function(v, other), function(value, other)),
        (function(other, v), function(other, value)),
        (function(v, keras.Variable(value + 1)), function(value, value + 1)),
    ):
        np.testing.assert_array_equal(ours, expected)
        assert isinstance(ours, np.ndarray)
    np.testing.assert_array_equal(v.numpy(), value)


def test_unary_operators_matrices_and_logic():
    value = np.array([[1.0, -2.0], [3.5, 0.0]], np.float32)
    v = keras.Variable(value)
    np.testing.assert_array_equal(-v, -value)
    np.testing.assert_array_equal(+v, value)
    np.testing.assert_array_equal(abs(v), abs(value))
    np.testing.assert_array_equal(v @ value, value @ value)
    np.testing.assert_array_equal(value @ v, value @ value)
    np.testing.assert_array_equal([[1.0, 2.0]] @ v, np.array([[1.0, 2.0]]) @ value)
    np.testing.assert_array_equal(round(keras.Variable([1.26, 2.0]), 1), np.float32([1.3, 2.0]))
    np.testing.assert_array_equal(v[0, 1:], [-2.0])
    assert [row.tolist() for row in v] == value.tolist()
    assert len(v) == 2
    flags = keras.Variable([True, False])
    assert (flags & [True, True]).tolist() == [True, False]
    assert (flags | [False, True]).tolist() == [True, True]
    assert (flags ^ [True, True]).tolist() == [False, True]
    assert (~flags).tolist() == [False, True]
    assert np.sum(v) == value.sum()
    assert v in [v]
    assert len({v, v, flags}) == 2


def test_operators_on_symbolic_tensors_are_theirs():
    v, x = keras.Variable([1.0, 2.0]), keras.Input((2,))
    for name in ("add", "lt", "and_"):
        assert v._operate(getattr(operator, name), x) is NotImplemented


def test_types():
    assert keras.Variable(1.0).dtype == keras.Variable(np.ones(2)).dtype == "float32"
    assert keras.Variable(1).dtype == keras.Variable(np.arange(3)).dtype == "int32"
    assert keras.Variable(2**40).dtype == "int64"
    assert keras.Variable(True).dtype == "bool"
    assert keras.Variable([1, 2], dtype="float64").numpy().dtype == np.float64
    assert keras.Variable("ones", shape=(2,), dtype="int8").numpy().dtype == np.int8
    v = keras.Variable([1, 2])
    v.assign([3.0, 4.0])
    assert v.numpy().tolist() == [3, 4]
    assert v.numpy().dtype == np.int32
    assert int(keras.Variable(3)) == 3
    assert float(keras.Variable(0.5)) == 0.5
    assert np.asarray(keras.Variable([1.0]), np.float64).dtype == np.float64


def test_values_are_copies():
    source = np.ones(3, np.float32)
    v = keras.Variable(source)
    source += 1
    for read in (v.numpy(), v.value, np.array(v), v[:]):
        read += 1
    assert v.numpy().tolist() == [1, 1, 1]
    assert v.assign_add(2.0) is v
    assert v.assign_sub(keras.Variable([0.0, 1.0, 2.0])).numpy().tolist() == [3, 2, 1]


def test_names_and_paths():
    with keras.name_scope("a"):
        v = keras.Variable(1.0, name="v")
        layer = keras.layers.Dense(2, name="d")
        with keras.name_scope("b"):
            w = keras.Variable(1.0, name="w")
    assert (v.name, v.path, w.path) == ("v", "a/v", "a/b/w")
    assert keras.Variable(1.0, name="u").path == "u"
    layer.build((None, 3))
    assert layer.kernel.path == "d/kernel"
    other = keras.layers.Dense(2, name="d")
    with keras.name_scope("s"):
        other.build((None, 3))
    assert other.kernel.path == "s/d/kernel"
    me = object()
    with keras.name_scope("x", caller=me), keras.name_scope("x", caller=me):
        assert keras.Variable(1.0, name="v").path == "x/v"
    with keras.name_scope("x"), keras.name_scope("y", override_parent="p/q"):
        assert keras.Variable(1.0, name="v").path == "p/q/y/v"
    for wrong in ("a/b", 3, None):
        with pytest.raises(ValueError, match="name_scope"):
            keras.name_scope(wrong)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: keras.Variable("zeros"), ValueError),
        (lambda: keras.Variable("nothing", shape=(2,)), ValueError),
        (lambda: keras.Variable([1.0, 2.0], shape=(3,)), ValueError),
        (lambda: keras.Variable("zeros", shape=(None, 2)), ValueError),
        (lambda: keras.Variable("zeros", shape="ab"), ValueError),
        (lambda: keras.Variable(1.0, dtype="float23"), ValueError),
        (lambda: keras.Variable(1.0, dtype="bfloat16"), ValueError),
        (lambda: keras.Variable(1.0, name="a/b"), ValueError),
        (lambda: keras.Variable(1.0, name=3), ValueError),
        (lambda: keras.Variable(1.0, aggregation="median"), ValueError),
        (lambda: keras.Variable(1.0, colour="red"), TypeError),
        (lambda: keras.Variable([1.0, 2.0]).assign([1.0]), ValueError),
        (lambda: keras.Variable(1.0).assign("a"), ValueError),
        (lambda: setattr(keras.Variable(1.0), "constraint", 3), ValueError),
        (lambda: setattr(keras.Variable(1.0), "regularizer", "l2"), ValueError),
        (lambda: bool(keras.Variable(1.0)), TypeError),
        (lambda: float(keras.Variable([1.0])), TypeError),
        (lambda: int(keras.Variable([1.0, 2.0])), TypeError),
        (lambda: len(keras.Variable(1.0)), TypeError),
        (lambda: keras.StatelessScope([(keras.Variable([1.0]), [1.0, 2.0])]), ValueError),
        (lambda: keras.StatelessScope([(3, [1.0])]), ValueError),
        (lambda: keras.KerasTensor((-1, 2)), ValueError),
        (lambda: keras.KerasTensor(3), ValueError),
        (lambda: keras.KerasTensor((2.5,)), ValueError),
        (lambda: keras.KerasTensor((2,), dtype="x"), ValueError),
        (lambda: keras.KerasTensor((2,), sparse=True), ValueError),
        (lambda: keras.KerasTensor((2,), colour="red"), TypeError),
        (lambda: setattr(keras.KerasTensor((2,)), "shape", (3,)), AttributeError),
    ],
)
def test_wrong_arguments(make, error):
    with pytest.raises(error):
        make()


def test_penalty_and_constraint():
    v = keras.Variable(1.0)
    assert v.regularizer is None
    assert v.constraint is None
    v.regularizer = keras.regularizers.L2(0.1)
    v.constraint = abs
    assert v.constraint(-2.0) == 2.0
    v.regularizer = None


def test_stateless_scope():
    v, w = keras.Variable([1.0, 2.0]), keras.Variable(3.0)
    with keras.StatelessScope([(v, [5.0, 6.0])], collect_losses=True) as scope:
        assert v.numpy().tolist() == v.value.tolist() == [5.0, 6.0]
        assert (v + 1).tolist() == [6.0, 7.0]
        assert float(w) == 3.0
        v.assign_add([1.0, 1.0])
        w.assign(9.0)
        assert v[0] == 6.0
        with keras.StatelessScope([(w, 1.0)]):
            assert float(w) == 1.0
            assert v[0] == 1.0
        assert float(w) == 9.0
        scope.add_loss(0.5)
        with pytest.raises(ValueError, match="shape"):
            v.assign([1.0])
    assert v.numpy().tolist() == [1.0, 2.0]
    assert float(w) == 3.0
    assert scope.get_current_value(v).tolist() == [6.0, 7.0]
    assert float(scope.get_current_value(w)) == 9.0
    assert scope.get_current_value(keras.Variable(1.0)) is None
    assert scope.losses == [0.5]


def test_input_specifications():
    class Picky(keras.layers.Layer):
        def __init__(self, spec, **kwargs):
            super().__init__(**kwargs)
            self.input_spec = spec

        def call(self, x):
            return keras.tree.flatten(x)[0]

    spec, x = keras.InputSpec, keras.Input((4, 3))
    fitting = [
        spec(ndim=3), spec(min_ndim=2, max_ndim=3), spec(shape=(None, 4, 3)), spec(axes={-1: 3}),
        spec(axes={1: None}), spec(dtype="float32"), [spec(ndim=3)], None,
        spec(shape=(None, 4, 3, 1), allow_last_axis_squeeze=True),
    ]  # fmt: skip
    for given in fitting:
        assert Picky(given)(x).shape == (None, 4, 3)
    wrong = [
        spec(ndim=2), spec(min_ndim=4), spec(max_ndim=2), spec(shape=(None, 4, 5)),
        spec(axes={-1: 4}), spec(dtype="int32"), [spec(ndim=3), spec(ndim=3)],
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(ValueError, match="'picky"):
            Picky(given)(x)
    named = [spec(ndim=3, name="a"), spec(ndim=2, name="b")]
    assert Picky(named)({"b": keras.Input((2,)), "a": x}).shape == (None, 4, 3)
    with pytest.raises(ValueError, match="missing"):
        Picky(named)({"a": x})
    with pytest.raises(ValueError, match=r"picky.*ndim"):
        Picky(spec(ndim=3))(np.ones((2, 3)))
    for make, error in (
        (lambda: spec(axes={"a": 1}), TypeError),
        (lambda: spec(axes=3), TypeError),
        (lambda: spec(ndim=2, axes={2: 3}), ValueError),
        (lambda: spec(shape=3), ValueError),
        (lambda: spec(dtype="x"), ValueError),
    ):
        with pytest.raises(error):
            make()
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(spec(shape=(None, 3), axes={1: 3}))
    )
    assert repr(again) == "InputSpec(shape=(None, 3), ndim=2, axes={1: 3})"


def test_operations(device):
    @keras.saving.register_keras_serializable("tests")
    class Scaled(keras.Operation):
        def __init__(self, slope=0.5, name=None):
            super().__init__(name)
            self.slope = slope

        def call(self, x):
            return keras.activations.leaky_relu(x, self.slope)

    scaled, x = Scaled(0.25), keras.Input((2,))
    assert scaled.name == "scaled"
    assert scaled(np.array([-4.0, 1.0])).tolist() == [-1.0, 1.0]
    with pytest.raises(AttributeError, match="scaled"):
        scaled.output  # noqa: B018
    assert scaled.compute_output_spec(x).shape == (None, 2)
    model = keras.Model(x, scaled(x))
    assert scaled.output.shape == (None, 2)
    data = np.array([[-4.0, 1.0]], np.float32)
    assert model.predict(data).tolist() == [[-1.0, 1.0]]
    again = keras.Model.from_config(model.get_config())
    assert again.predict(data).tolist() == [[-1.0, 1.0]]
    assert isinstance(keras.layers.Dense(2), keras.Operation)
    with pytest.raises(NotImplementedError, match="operation"):
        keras.Operation()(3.0)
    with pytest.raises(ValueError, match="name"):
        keras.Operation(name="a/b")


def test_symbolic_tensors():
    x = keras.KerasTensor((None, 6, 1), "int32", name="x")
    assert (x.shape, x.ndim, x.dtype, x.name) == ((None, 6, 1), 3, "int32", "x")
    assert (x.sparse, x.ragged, x.record_history) == (False, False, True)
    y = keras.Input((6, 1))
    assert y.reshape((-1, 2, 3)).shape == (None, 2, 3)
    assert y.squeeze(-1).shape == (None, 6)
    assert keras.KerasTensor((2,)).name.startswith("keras_tensor")


def test_settings():
    config = keras.config
    assert config.backend() == keras.backend.backend() == "dnnfast"
    assert config.image_data_format() == "channels_last"
    config.set_image_data_format("channels_first")
    assert keras.backend.image_data_format() == "channels_first"
    config.set_image_data_format("channels_last")
    config.enable_determinism()
    for call in (
        lambda: config.set_image_data_format("rows"),
        lambda: config.set_epsilon("a"),
        lambda: config.set_epsilon(-1.0),
        lambda: config.set_epsilon(math.nan),
        lambda: config.set_floatx("float64"),
        lambda: config.set_backend("jax"),
    ):
        with pytest.raises(ValueError):
            call()
    assert keras.backend.standardize_dtype(np.dtype("int64")) == "int64"
    assert keras.backend.is_float_dtype("bfloat16")
    assert keras.backend.is_int_dtype(np.uint8)
    assert keras.utils.is_keras_tensor(keras.Input((2,)))
    for types, expected in (
        (("int32", "float32"), "float32"), (("uint8", "int8"), "int16"), (("bool", "int8"), "int8"),
        (("float16", "bfloat16"), "float32"), ((int, "int8"), "int8"), ((float, "int8"), "float32"),
        ((float, np.float16), "float16"), ((), "float32"),
    ):  # fmt: skip
        assert keras.backend.result_type(*types) == expected
    assert [keras.backend.get_uid(name) for name in ("a", "a", "", "b")] == [1, 2, 1, 1]
    keras.backend.clear_session()
    assert keras.backend.get_uid("a") == 1
