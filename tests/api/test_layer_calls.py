"""Calls of layers: arguments, masks, what they leave behind, building by several shapes."""

import copy
import pickle

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
STEPS = np.array([[[1.0, 2.0], [0.0, 0.0], [3.0, -4.0]], [[0.0, 0.0], [0.0, 5.0], [0.0, 0.0]]])
VALID = np.array([[True, False, True], [False, True, False]])


class Attend(keras.layers.Layer):
    """Takes two tensors and a number, and builds by the names of both."""

    def build(self, query_shape, key_shape):
        self.shapes = query_shape, key_shape
        self.w = self.add_weight((query_shape[-1], key_shape[-1]), "ones", name="w")

    def call(self, query, key, factor=1.0):
        return ops.multiply(ops.add(ops.matmul(query, self.w), key), factor)


def test_arguments_by_name_and_position(device):
    layer = Attend()
    key = np.ones((4, 5), np.float32)
    expected = 2 * (X.sum(1, keepdims=True) + 1) * np.ones((4, 5))
    np.testing.assert_allclose(layer(X, key, factor=2.0), expected, rtol=1e-5)
    np.testing.assert_allclose(layer(X, key=key, factor=2.0), expected, rtol=1e-5)
    np.testing.assert_allclose(layer(key=key, query=X, factor=2.0), expected, rtol=1e-5)
    assert layer.shapes == ((None, 3), (None, 5))
    a, b = keras.Input((3,)), keras.Input((5,))
    model = keras.Model([a, b], layer(a, key=b, factor=2.0))
    np.testing.assert_allclose(model.predict([X, key], verbose=0), expected, rtol=1e-5)


def test_building_by_several_shapes():
    layer = Attend()
    layer.build(query_shape=(None, 3), key_shape=(None, 5))
    data = layer.get_build_config()
    assert data == {"shapes_dict": {"query_shape": (None, 3), "key_shape": (None, 5)}}
    again = Attend()
    again.build_from_config({"shapes_dict": {"query_shape": [None, 3], "key_shape": [None, 5]}})
    assert again.w.shape == layer.w.shape == (3, 5)
    shape = layer.compute_output_shape(query_shape=(None, 3), key_shape=(None, 5))
    assert shape == (None, 5)

    class Misnamed(keras.layers.Layer):
        def build(self, query_shape, other_shape):
            pass

        def call(self, query, key):
            return query

    with pytest.raises(ValueError, match="other_shape"):
        Misnamed()(keras.Input((3,)), keras.Input((3,)))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda layer, x: layer(x, maks=1), TypeError, "maks.*mask"),
        (lambda layer, x: layer(x, 3), ValueError, "by position.*3"),
        (lambda layer, x: layer([x, 3]), ValueError, "3"),
        (lambda layer, x: layer(), TypeError, "dense|missing|input"),
    ],
)
def test_wrong_arguments(call, error, words):
    layer = keras.layers.BatchNormalization(name="dense")
    with pytest.raises(error, match=words):
        call(layer, keras.Input((3,)))


def test_unknown_constructor_arguments_are_both_kinds_of_errors():
    for error in (TypeError, ValueError):
        with pytest.raises(error, match="activation"):
            keras.layers.Dense(3, actvation="relu")


class Double(keras.layers.Layer):
    """Counts its calls, and adds to the loss."""

    def build(self, input_shape):
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self.scale = self.add_weight((), "ones", regularizer="l2", name="scale")

    def call(self, x, training=False):
        self.count.assign(ops.add(self.count, 1))
        self.add_loss(0.5 * ops.mean(ops.square(x)))
        return x * self.scale * 2 if training else x * self.scale


def test_calls_on_arrays_leave_state_and_losses(device):
    layer = Double()
    np.testing.assert_allclose(layer(X), X)
    np.testing.assert_allclose(layer(X, training=True), 2 * X)
    assert int(layer.count) == 2
    assert [float(loss) for loss in layer.losses] == pytest.approx(
        [0.5 * np.square(X).mean(), 0.01], rel=1e-5
    )


def test_state_without_side_effects(device):
    layer = Double()
    layer.build((None, 3))
    outputs, state, losses = layer.stateless_call(
        [np.float32(3.0)], [np.int32(7)], X, return_losses=True
    )
    np.testing.assert_allclose(outputs, 3 * X, rtol=1e-6)
    assert int(state[0]) == 8 and int(layer.count) == 0 and float(layer.scale) == 1
    assert float(losses[1]) == pytest.approx(0.09)
    np.testing.assert_allclose(layer(X), X)
    with pytest.raises(ValueError, match="1 trainable_variables"):
        layer.stateless_call([], [0], X)
    with pytest.raises(ValueError, match="not built"):
        Double().stateless_call([], [], X)


def test_models_without_side_effects(device):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), Double()])
    values = [np.ones(v.shape, np.float32) for v in model.trainable_variables]
    before = model.get_weights()
    for count in (0, 5):
        outputs, state = model.stateless_call(values, [count], X)
        np.testing.assert_allclose(outputs, (X.sum(1, keepdims=True) + 1) * np.ones((4, 2)), 1e-5)
        assert int(state[0]) == count + 1
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model(X), model.predict(X, verbose=0))


def by_hand(x, norm, momentum):
    mean, variance = x.mean(0), x.var(0)
    y = (x - mean) / np.sqrt(variance + norm.epsilon)
    return y, (1 - momentum) * mean, momentum + (1 - momentum) * variance


@pytest.mark.parametrize("axis", [-1, 1])
def test_training_mode_on_arrays_moves_statistics(axis, device):
    x = np.random.default_rng(1).normal(3, 2, (64, 5)).astype(np.float32)
    norm = keras.layers.BatchNormalization(axis=axis, momentum=0.75)
    y, mean, variance = by_hand(x, norm, 0.75)
    np.testing.assert_allclose(norm(x, training=True), y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, variance, rtol=1e-5)
    kept = norm.get_weights()
    norm(x)
    norm.trainable = False
    norm(x, training=True)
    for a, b in zip(kept, norm.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_mode_of_a_model_moves_statistics(device):
    x = np.random.default_rng(1).normal(3, 2, (64, 5)).astype(np.float32)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.BatchNormalization(momentum=0.75), keras.layers.ReLU()]
    )
    norm = model.layers[0]
    y, mean, variance = by_hand(x, norm, 0.75)
    np.testing.assert_allclose(model(x, training=True), np.maximum(y, 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, variance, rtol=1e-5)
    model(x, training=True)
    np.testing.assert_allclose(norm.moving_mean, 1.75 * mean, rtol=1e-5)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin(x, training=True)
        moved = 0.75 * norm.moving_mean.numpy() + mean
        np.testing.assert_allclose(twin.layers[0].moving_mean, moved, rtol=1e-5)
    norm.trainable = False
    usual = model.predict(x, verbose=0)
    np.testing.assert_allclose(model(x, training=True), usual, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.moving_mean, 1.75 * mean, rtol=1e-5)


@pytest.mark.parametrize("axis", [-1, 1])
def test_fit_moves_statistics_on_any_axis(axis, device):
    x = np.random.default_rng(1).normal(3, 2, (32, 4, 5)).astype(np.float32)
    norm = keras.layers.BatchNormalization(axis=axis, momentum=0.75)
    model = keras.Sequential([keras.Input((4, 5)), norm, keras.layers.Flatten()])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((32, 20)), batch_size=32, verbose=0)
    axes = (0, 1) if axis == -1 else (0, 2)
    np.testing.assert_allclose(norm.moving_mean, 0.25 * x.mean(axes), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, 0.75 + 0.25 * x.var(axes), rtol=1e-4)


# Masks.


def test_masks_travel_with_tensors(device):
    masking = keras.layers.Masking()
    for chain in (
        [masking],
        [masking, keras.layers.Dense(3, "relu"), keras.layers.Dropout(0.5)],
        [masking, keras.layers.LayerNormalization(), keras.layers.Activation("tanh")],
        [masking, keras.layers.TimeDistributed(keras.layers.Dense(3))],
        [masking, keras.Sequential([keras.layers.Dense(3), keras.layers.ReLU()])],
    ):
        x, t = STEPS, keras.Input((3, 2))
        for layer in chain[:-1] if isinstance(chain[-1], keras.Sequential) else chain:
            x, t = layer(x), layer(t)
        if isinstance(chain[-1], keras.Sequential):
            t = chain[-1](t)
        else:
            np.testing.assert_array_equal(x._keras_mask, VALID)
        assert t._keras_mask.shape == (None, 3) and t._keras_mask.dtype == "bool"
    y = keras.layers.Masking()(STEPS)
    assert getattr(y * 2, "_keras_mask", None) is None


def test_masks_end_where_they_are_not_supported():
    masked = keras.layers.Masking()(keras.Input((3, 2)))
    with pytest.warns(UserWarning, match="does not support masking"):
        flat = keras.layers.Flatten()(masked)
    assert getattr(flat, "_keras_mask", None) is None


class Mean(keras.layers.Layer):
    """The mean of the steps that count; its mask is gone."""

    def call(self, x, mask=None):
        if mask is None:
            return ops.mean(x, axis=1)
        valid = ops.expand_dims(ops.cast(mask, "float32"), -1)
        return ops.sum(x * valid, axis=1) / ops.sum(valid, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


def test_layers_of_ones_own_take_masks(device):
    x = STEPS + 1.0
    expected = (x * VALID[..., None]).sum(1) / VALID.sum(1, keepdims=True)
    np.testing.assert_allclose(Mean()(x, mask=VALID), expected, rtol=1e-6)
    np.testing.assert_allclose(Mean()(x), x.mean(1), rtol=1e-6)
    embedding = keras.layers.Embedding(4, 2, mask_zero=True)
    index = np.array([[1, 0, 2], [3, 0, 0]])
    vectors = embedding(index)
    np.testing.assert_array_equal(vectors._keras_mask, index != 0)
    counted = (index != 0)[..., None]
    expected = (vectors * counted).sum(1) / counted.sum(1)
    np.testing.assert_allclose(Mean()(vectors), expected, rtol=1e-6)
    model = keras.Sequential([keras.Input((3,)), embedding, Mean()])
    np.testing.assert_allclose(model.predict(index, verbose=0), expected, rtol=1e-5)


def test_softmax_with_a_mask(device):
    x = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], np.float32)
    mask = np.array([[True, True, False], [False, False, False]])
    y = keras.layers.Softmax()(x, mask=mask)
    e = np.exp([1.0, 2.0])
    np.testing.assert_allclose(y, [[*(e / e.sum()), 0.0], [0.0, 0.0, 0.0]], rtol=1e-6)
    one = np.array([True, True, False])
    np.testing.assert_allclose(keras.layers.Softmax()(x, mask=one)[0], y[0], rtol=1e-6)
    with pytest.raises(ValueError, match="cannot be broadcast"):
        keras.layers.Softmax()(keras.Input((3,)), mask=keras.Input((4,)))


def test_masked_steps_do_not_count_in_losses_and_statistics(device):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(6, 5, 3)).astype(np.float32)
    valid = rng.random((6, 5)) < 0.6
    x[~valid] = 0.0
    norm = keras.layers.BatchNormalization(momentum=0.5)
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Masking(), norm])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros_like(x), batch_size=6, verbose=0)
    kept = x[valid]
    np.testing.assert_allclose(norm.moving_mean, 0.5 * kept.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.5 + 0.5 * kept.var(0), rtol=1e-4)
    errors = np.square(model.predict(x, verbose=0)).mean(-1)
    loss = model.evaluate(x, np.zeros_like(x), batch_size=6, verbose=0)
    assert loss == pytest.approx(errors[valid].mean(), rel=1e-4)


# Sizes of the batch.


def test_fixed_batch_sizes(device):
    x = keras.Input((3,), batch_size=4)
    assert x.shape == (4, 3)
    y = keras.layers.Dense(2)(x)
    assert y.shape == (4, 2)
    model = keras.Model(x, keras.layers.Concatenate()([y, y]))
    assert model.output_shape == (4, 4)
    assert model.predict(X, verbose=0).shape == (4, 4)

    class Flat(keras.layers.Layer):
        def call(self, x):
            return ops.reshape(x, (ops.shape(x)[0], -1))

    steps = keras.Input((5, 3), batch_size=4)
    flat = keras.Model(steps, Flat()(steps))
    assert flat.output_shape == (4, 15)
    x = np.arange(60.0).reshape(4, 5, 3)
    np.testing.assert_array_equal(flat.predict(x, verbose=0), x.reshape(4, 15))


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        (("w",), {"shape": (2,)}, "takes the shape first.*name='w'"),
        ((), {"shape": "w"}, "takes the shape first"),
        (((2,),), {"shape": (2,)}, "shape twice"),
        (((None, 2),), {}, "must be known"),
        (((-1, 2),), {}, "shape"),
        (((2,), "ons"), {}, "ones"),
        (((2,),), {"dtype": "number"}, "dtype"),
    ],
)
def test_mistakes_in_weights(args, options, words):
    with pytest.raises(ValueError, match=words):
        keras.layers.Layer().add_weight(*args, **options)


def test_paths_of_variables_name_the_layers_around():
    class Inner(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight((1,), name="w")

        def call(self, x):
            return x * self.w

    class Outer(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.by_call, self.by_build = Inner(name="a"), Inner(name="b")

        def build(self, input_shape):
            self.by_build.build(input_shape)

        def call(self, x):
            return self.by_build(self.by_call(x))

    layer = Outer(name="outer")
    layer(keras.Input((1,)))
    assert sorted(w.path for w in layer.weights) == ["outer/a/w", "outer/b/w"]


def test_policies_may_be_set_by_name():
    layer = keras.layers.Dense(2)
    layer.dtype_policy = "mixed_bfloat16"
    assert layer.compute_dtype == "bfloat16" and layer.dtype == "float32"
    with pytest.raises(ValueError, match="policy"):
        layer.dtype_policy = "flaot32"
    with pytest.raises(ValueError, match="trainable"):
        keras.layers.Dense(2, trainable="yes")


def test_weights_have_all_arguments():
    layer = keras.layers.Layer(name="mine")
    w = layer.add_weight(
        shape=(2,),
        initializer="ones",
        regularizer="l1",
        constraint="non_neg",
        trainable=False,
        aggregation="mean",
        overwrite_with_gradient=True,
        name="w",
    )
    assert (w.path, w.trainable, w.aggregation) == ("mine/w", False, "mean")
    assert w.overwrite_with_gradient
    assert isinstance(w.regularizer, keras.regularizers.L1)
    assert isinstance(w.constraint, keras.constraints.NonNeg)
    assert layer.add_weight((3,), dtype="int32").numpy().tolist() == [0, 0, 0]
    assert layer.add_weight().shape == ()
