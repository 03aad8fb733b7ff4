"""Batch normalizations folded into dense layers: the same predictions without them."""

import numpy as np
import pytest

import dnnfast as keras

L = keras.layers
X = np.random.default_rng(0).normal(size=(20, 5)).astype("f")


def norm(**options):
    return L.BatchNormalization(**options)


def settled(model):
    """Give weights and statistics values that are not what they start as."""
    rng = np.random.default_rng(3)
    model.set_weights(
        [
            rng.uniform(0.3, 2.0, w.shape) if w.ndim == 1 else rng.normal(size=w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def check(model, kinds, x=X):
    """Check that the folded copy has these layers and predicts the same."""
    before = [weight.copy() for weight in model.get_weights()]
    folded = model.fold_batch_normalization()
    found = [type(layer).__name__ for layer in folded.layers if not hasattr(layer, "sparse")]
    assert found == kinds.split()
    expected = keras.tree.flatten(model.predict(x, verbose=0))
    for one, other in zip(keras.tree.flatten(folded.predict(x, verbose=0)), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    return folded


SEQUENCES = [
    ("Dense", lambda: [L.Dense(4), norm()]),
    ("Dense", lambda: [norm(), L.Dense(4, "relu")]),
    ("Dense", lambda: [L.Dense(4, use_bias=False), norm(center=False)]),
    ("Dense", lambda: [norm(scale=False, epsilon=0.1), L.Dense(4, use_bias=False)]),
    ("Dense", lambda: [L.Dense(4), norm(), norm()]),
    ("Dense ReLU Dense", lambda: [norm(), L.Dense(4), norm(), L.ReLU(), norm(), L.Dense(3)]),
    ("Dense Dense", lambda: [L.Dense(4), norm(), L.Dense(3)]),
    # An activation, dropout or another axis between them.
    ("Dense BatchNormalization", lambda: [L.Dense(4, "relu"), norm()]),
    (
        "BatchNormalization Dropout Dense",
        lambda: [norm(), L.Dropout(0.5), L.Dense(4)],
    ),
    (
        "Reshape Dense BatchNormalization Flatten",
        lambda: [L.Reshape((5, 1)), L.Dense(4), norm(axis=1), L.Flatten()],
    ),
    ("Reshape Dense Flatten", lambda: [L.Reshape((5, 1)), L.Dense(4), norm(), L.Flatten()]),
]


@pytest.mark.parametrize(("kinds", "layers"), SEQUENCES, ids=[kinds for kinds, _ in SEQUENCES])
def test_sequences(kinds, layers, device):
    folded = check(settled(keras.Sequential([keras.Input((5,)), *layers()], name="s")), kinds)
    assert isinstance(folded, keras.Sequential) and folded.name == "s"


def test_a_trained_model_and_the_copy_trains_on():
    layers = [keras.Input((5,)), L.Dense(8), norm(momentum=0.5), L.ReLU(), norm(momentum=0.5)]
    model = keras.Sequential([*layers, L.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X.sum(1), epochs=5, verbose=0)
    folded = check(model, "Dense ReLU Dense")
    folded.compile("adam", "mse")
    history = folded.fit(X, X.sum(1), epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_several_readers():
    x = keras.Input((5,))
    y = norm()(x)
    both = keras.Model(x, [L.Dense(3, name="a")(y), L.Dense(2, name="b")(y)])
    check(settled(both), "Dense Dense")
    other = keras.Model(x, L.concatenate([L.Dense(3)(y), L.ReLU()(y)]))
    check(settled(other), "BatchNormalization Dense ReLU Concatenate")
    output = keras.Model(x, [L.Dense(3)(y), y])
    check(settled(output), "BatchNormalization Dense")
    hidden = L.Dense(4, name="hidden")(x)
    read_twice = keras.Model(x, [norm()(hidden), L.ReLU()(hidden)])
    check(settled(read_twice), "Dense BatchNormalization ReLU")


def test_shared_layers_stay():
    x, dense, shared = keras.Input((5,)), L.Dense(5), norm()
    check(settled(keras.Model(x, shared(dense(dense(x))))), "Dense BatchNormalization")
    check(settled(keras.Model(x, shared(L.Dense(5)(shared(x))))), "BatchNormalization Dense")


def test_what_normalizes_by_the_batch_stays():
    x = keras.Input((5,))
    y = norm()(L.Dense(4)(x), training=True)
    check(settled(keras.Model(x, y)), "Dense BatchNormalization")


def test_nested_models_and_own_layers():
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return keras.ops.exp(-inputs)

    inner = keras.Sequential([keras.Input((4,)), norm(), L.Dense(3, name="in")], name="inner")
    x = keras.Input((5,))
    model = settled(keras.Model(x, Own()(inner(norm()(L.Dense(4)(x))))))
    folded = check(model, "Dense Sequential Own")
    assert [layer.name for layer in folded.get_layer("inner").layers] == ["in"]


def test_models_without_a_graph():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    for model in (Own(), keras.Sequential([L.Dense(1)])):
        with pytest.raises(ValueError, match="no built Sequential or functional"):
            model.fold_batch_normalization()
