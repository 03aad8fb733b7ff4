"""Building models: chains, graphs, subclasses, shared layers, weights, names."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier, regression


def test_sequential_forms_are_the_same(device):
    x, _ = classes()
    built = []
    for how in ("list", "add", "input_shape", "input_dim", "deferred", "input_layer"):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        first = {"input_shape": {"input_shape": (6,)}, "input_dim": {"input_dim": 6}}.get(how, {})
        layers = [keras.layers.Dense(4, activation="tanh", **first), keras.layers.Dense(2)]
        if how == "list":
            layers.insert(0, keras.Input((6,)))
        if how == "input_layer":
            layers.insert(0, keras.layers.InputLayer(shape=[6]))
        if how == "add":
            model = keras.Sequential()
            model.add(keras.Input((6,)))
            for layer in layers:
                model.add(layer)
        else:
            model = keras.Sequential(layers)
        assert model.built == (how != "deferred")
        built.append(model.predict(x))
        assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
        assert model.count_params() == 6 * 4 + 4 + 4 * 2 + 2
    for other in built[1:]:
        np.testing.assert_array_equal(other, built[0])


def test_pop_and_index():
    model = classifier()
    assert model[0] is model.layers[0] is model.get_layer("dense") is model.get_layer(index=0)
    assert model.pop().name == "dense_1"
    assert model.output_shape == (None, 16)
    with pytest.raises(ValueError, match="Did you mean"):
        model.get_layer("dens")


def test_flatten_and_reshape(device):
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            keras.layers.Reshape((2, -1)),
            keras.layers.Flatten(),
            keras.layers.Identity(),
        ]
    )
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    np.testing.assert_array_equal(model.predict(x), x.reshape(2, 12))
    transposed = np.ascontiguousarray(x.transpose(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_array_equal(model.predict(transposed), x.reshape(2, 12))


def test_graph_with_add_and_concatenate(device):
    x, _ = regression()
    a = keras.Input((6,), name="a")
    hidden = keras.layers.Dense(6, activation="relu", name="hidden")(a)
    total = keras.layers.Add()([a, hidden])
    wide = keras.layers.concatenate([total, a, keras.layers.add([hidden, hidden])])
    model = keras.Model(inputs=a, outputs=keras.layers.Dense(1, name="out")(wide))
    kernel, bias, out, out_bias = model.get_weights()
    h = np.maximum(x @ kernel + bias, 0)
    expected = np.hstack([x + h, x, 2 * h]) @ out + out_bias
    np.testing.assert_allclose(model.predict(x), expected, rtol=2e-5, atol=2e-5)


def test_several_inputs_and_outputs(device):
    x, y = regression()
    a, b = keras.Input((6,), name="a"), keras.Input((2,), name="b")
    joined = keras.layers.concatenate([a, b])
    big = keras.layers.Dense(1, name="big")(joined)
    small = keras.layers.Dense(1, name="small")(a)
    model = keras.Model([a, b], [big, small])
    model.compile("sgd", loss="mse", loss_weights=[0.9, 0.1], metrics=[["mae"], ["mse"]])
    history = model.fit([x, x[:, :2]], [y, y], epochs=2, verbose=0)
    assert list(history.history) == ["loss", "big_loss", "small_loss", "big_mae", "small_mse"]
    total, big_loss, small_loss, *_ = model.evaluate([x, x[:, :2]], [y, y], verbose=0)
    assert total == pytest.approx(0.9 * big_loss + 0.1 * small_loss, rel=1e-5)
    by_name = model.evaluate({"a": x, "b": x[:, :2]}, {"big": y, "small": y}, return_dict=True)
    assert by_name["loss"] == pytest.approx(total)
    first, second = model.predict([x, x[:, :2]])
    assert first.shape == second.shape == (200, 1)


def test_outputs_as_dict(device):
    x, y = regression()
    a = keras.Input((6,))
    model = keras.Model(a, {"v": keras.layers.Dense(1)(a), "u": keras.layers.Dense(2)(a)})
    model.compile("sgd", {"v": "mse"})
    model.fit(x, {"v": y}, verbose=0)
    assert {k: v.shape for k, v in model.predict(x).items()} == {"u": (200, 2), "v": (200, 1)}


def test_shared_layer_and_model_as_layer(device):
    shared = keras.layers.Dense(6, activation="tanh")
    a = keras.Input((6,))
    inner = keras.Model(a, shared(shared(a)), name="inner")
    outer = keras.Sequential([keras.Input((6,)), inner, keras.layers.Dense(1)])
    assert len(outer.weights) == 4
    x, y = regression()
    outer.compile("adam", "mse")
    before = inner.predict(x)
    outer.fit(x, y, epochs=2, verbose=0)
    after = inner.predict(x)
    assert np.abs(after - before).max() > 1e-4
    kernel, bias = shared.get_weights()
    expected = np.tanh(np.tanh(x @ kernel + bias) @ kernel + bias)
    np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-5)


def test_layers_shared_by_sequentials_stay_coherent(device):
    x, y = classes()
    model = classifier()
    head = keras.Sequential(model.layers[:-1])
    assert head.built
    before = head.predict(x)
    model.fit(x, y, epochs=1, verbose=0)
    after = head.predict(x)
    assert np.abs(after - before).max() > 1e-4
    weights = [np.zeros_like(w) for w in head.get_weights()]
    head.set_weights(weights)
    assert np.ptp(model.predict(x), axis=0).max() == 0
    assert not model.get_weights()[0].any()


def test_subclassed_layer_and_model(device):
    class Affine(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = keras.layers.Dense(units)

        def call(self, inputs):
            return keras.activations.relu(self.inner(inputs))

    class Net(keras.Model):
        def __init__(self, units=5, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [Affine(units), Affine(units)]
            self.out = keras.layers.Dense(1)

        def call(self, inputs):
            x = inputs
            for block in self.blocks:
                x = block(x)
            return self.out(x)

    x, y = regression()
    net = Net(name="net")
    net.compile("adam", "mse", metrics=["mae"])
    first = net.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert first[-1] < first[0]
    assert len(net.weights) == 6
    assert net.predict(x).shape == (200, 1)
    assert net.get_config()["units"] == 5
    with pytest.raises(ValueError, match="expected samples of shape"):
        net.predict(x[:, :3])


def test_add_weight_layer(device):
    from dnnfast import tracing

    class Own(keras.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 2), "ones", name="kernel")

        def call(self, inputs):
            return tracing.emit("dense", [inputs, self.kernel])

    x, _ = regression()
    layer = Own()
    np.testing.assert_allclose(layer(x), np.repeat(x.sum(1)[:, None], 2, 1), rtol=1e-4, atol=1e-5)
    assert layer.weights[0].path == "own/kernel"


def test_monte_carlo_dropout_subclass(device):
    class MC(keras.layers.Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    model = keras.Sequential(
        [keras.Input((50,)), keras.layers.BatchNormalization(), MC(0.5), keras.layers.Dense(1)]
    )
    x = np.ones((4, 50), np.float32)
    assert model.predict(x).std() > 0
    plain = keras.Sequential([keras.Input((50,)), keras.layers.Dropout(0.5)])
    np.testing.assert_array_equal(plain.predict(x), x)
    a, b = plain(x, training=True), plain(x, training=True)
    assert set(np.unique(a)) == {0.0, 2.0}
    assert (a != b).any()


def test_branching_on_training(device):
    class Branch(keras.layers.Layer):
        def call(self, inputs, training=None):
            if training:
                return keras.activations.relu(inputs)
            return 2.0 * inputs

    model = keras.Sequential([keras.Input((3,)), Branch()])
    x = np.array([[-1.0, 0.5, 2.0]], np.float32)
    np.testing.assert_array_equal(model(x), 2 * x)
    np.testing.assert_array_equal(model(x, training=True), np.maximum(x, 0))
    np.testing.assert_array_equal(Branch()(x, training=True), np.maximum(x, 0))


def test_layers_on_arrays(device):
    x = np.array([[-1.0, 2.0]])
    np.testing.assert_array_equal(keras.layers.ReLU()(x), [[0, 2]])
    np.testing.assert_array_equal(keras.layers.Add()([x, x]), 2 * x)
    dense = keras.layers.Dense(3, kernel_initializer="ones")
    np.testing.assert_array_equal(dense(x), [[1, 1, 1]])
    assert dense.built


def test_names_and_paths():
    model = classifier()
    assert [v.path for v in model.weights][:2] == ["dense/kernel", "dense/bias"]
    assert model.name == "sequential"
    assert keras.layers.Dense(1).name == "dense_2"
    with pytest.raises(ValueError, match="unique"):
        keras.Sequential([keras.layers.Dense(1, name="a"), keras.layers.Dense(1, name="a")])


def test_summary_counts(device):
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(5), keras.layers.BatchNormalization()]
    )
    model.compile("adam", "mse")
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "batch_normalization" in text
    assert "Total params: 65 (260.00 B)" in text
    assert "Non-trainable params: 10 (40.00 B)" in text
    model.fit(np.zeros((4, 8)), np.zeros((4, 5)), verbose=0)
    model.summary(print_fn=lines.append, line_length=90)
    assert "Optimizer params: 112" in lines[-1]
    assert max(map(len, lines[-1].splitlines())) == 90


def test_weights_round_trip(device):
    x, _ = classes()
    model = classifier()
    weights = model.get_weights()
    model.set_weights([w + 1 for w in weights])
    np.testing.assert_allclose(model.layers[0].get_weights()[0], weights[0] + 1)
    model.predict(x)
    np.testing.assert_allclose(model.get_weights()[3], weights[3] + 1)
    with pytest.raises(ValueError, match="expected 4"):
        model.set_weights(weights[:2])
    with pytest.raises(ValueError, match="shape"):
        model.set_weights([weights[1], *weights[1:]])


def test_plan(device):
    model = classifier()
    plan = model.plan()
    assert plan.describe()
    assert plan.activation_bytes > 0
    assert plan.parameter_bytes > 0


def test_unknown_input_is_named():
    a, b = keras.Input((2,)), keras.Input((2,), name="forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        keras.Model(a, keras.layers.add([a, b]))


def test_long_chain():
    x = tensor = keras.Input((2,))
    for _ in range(1200):
        tensor = keras.layers.Activation("relu")(tensor)
    keras.config.set_device("reference")
    model = keras.Model(x, tensor)
    np.testing.assert_array_equal(model.predict(np.ones((1, 2))), np.ones((1, 2)))


def test_building_directly_counts_once(device):
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert layer.built
    kernel = layer.get_weights()[0]
    out = layer(np.eye(3))
    np.testing.assert_allclose(out, kernel, rtol=1e-6)
    assert len(layer.weights) == 2

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = keras.layers.Dense(1)

        def build(self, input_shape):
            self.scale = self.add_weight((3,), "ones", name="scale")
            super().build(input_shape)

        def call(self, inputs):
            return self.out(inputs)

    for build in (True, False):
        net = Net()
        if build:
            net.build((None, 3))
        assert net(np.ones((2, 3))).shape == (2, 1)
        assert len(net.weights) == 3

    deferred = keras.Sequential([keras.layers.Dense(2)])
    deferred.build((None, 3))
    assert deferred.count_params() == 8
