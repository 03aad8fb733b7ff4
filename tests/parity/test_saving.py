"""Files go both ways between Keras and us: models, weights, optimizers, and training goes on."""

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import keras3
from parity.test_random_models import COUNT, LOSSES, OPTIMIZERS, build, data_of, distance

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:a lambda is serialized"),
    pytest.mark.filterwarnings("ignore:.*lambda"),
]

WAYS = {"ours to Keras": (keras, keras3), "Keras's to us": (keras3, keras)}


def values(items):
    return [np.asarray(item.numpy()) for item in items]


def equal(a, b, steps=""):
    assert [x.shape for x in a] == [x.shape for x in b]
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7, err_msg=steps)


def trained(package, seed, steps=3):
    model = build(package, seed)
    rule = getattr(package.optimizers, OPTIMIZERS[seed % len(OPTIMIZERS)])(1e-3)
    model.compile(rule, LOSSES[seed % len(LOSSES)])
    x, y = data_of(seed)
    for _ in range(steps):
        model.train_on_batch(x, y)
    return model


@pytest.mark.parametrize("seed", range(COUNT))
def test_archives_of_random_models(seed, tmp_path):
    here, there = list(WAYS.values())[seed // 10 % 2]  # each way with every optimizer
    model = trained(here, seed)
    x, y = data_of(seed)
    model.save(tmp_path / "m.keras")
    loaded = there.models.load_model(tmp_path / "m.keras", safe_mode=False)
    predicted = [m.predict(x, verbose=0) for m in (model, loaded)]
    np.testing.assert_allclose(*predicted, rtol=1e-6, atol=1e-6)
    equal(values(model.optimizer.variables), values(loaded.optimizer.variables))
    for _ in range(5):
        losses = [np.ravel(m.train_on_batch(x, y))[0] for m in (model, loaded)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4, abs=1e-6)
    for v, a, b in zip(model.weights, model.get_weights(), loaded.get_weights(), strict=True):
        assert distance(a, b) < 2e-3, v.path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(0, COUNT, 5))
def test_the_older_format(seed, way, tmp_path):
    here, there = WAYS[way]
    model = trained(here, seed)
    x, y = data_of(seed)
    model.save(tmp_path / "m.h5")
    loaded = there.models.load_model(tmp_path / "m.h5", safe_mode=False)
    equal(model.get_weights(), loaded.get_weights())
    predicted = [m.predict(x, verbose=0) for m in (model, loaded)]
    np.testing.assert_allclose(*predicted, rtol=1e-5, atol=1e-6)
    if there is keras:  # Keras 3.15 does not read the state of any optimizer in this format
        equal(values(model.optimizer.variables), values(loaded.optimizer.variables))
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), 1e-5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(0, COUNT, 7))
def test_weights_alone(seed, way, tmp_path):
    here, there = WAYS[way]
    model, other = trained(here, seed), trained(there, seed, 1)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    equal(model.get_weights(), other.get_weights())
    equal(values(model.optimizer.variables), values(other.optimizer.variables))
    trained(here, seed).save(tmp_path / "m.keras")
    other.load_weights(tmp_path / "m.keras")
    if there is keras:
        model.save(tmp_path / "m.h5")
        other.load_weights(tmp_path / "m.h5")
        equal(model.get_weights(), other.get_weights())


def chains(k):
    """Models of layers that keep a state, hold others, or are used twice."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(64, 4)).astype(np.float32)
    normal = k.layers.Normalization()
    normal.adapt(data)
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(4, "tanh"), k.layers.BatchNormalization()], name="inner"
    )
    shared = k.layers.Dense(4, activation=k.layers.PReLU())
    x = k.Input((4,), name="x")
    twice = k.layers.Add()([shared(inner(normal(x))), shared(x)])
    words = k.layers.Flatten()(k.layers.Embedding(5, 3)(k.ops.cast(x > 0, "int32")))
    steps = k.layers.Reshape((4, 1))(twice)
    steps = k.layers.TimeDistributed(k.layers.Dense(2, "relu"))(steps)
    steps = k.layers.Flatten()(k.layers.EinsumDense("abc,cd->abd", (4, 2), bias_axes="d")(steps))
    joined = k.ops.concatenate([k.ops.tanh(twice), words, steps], axis=-1)
    outputs = {
        "a": k.layers.Dense(2, "sigmoid", name="a")(joined),
        "b": k.layers.Dense(1, name="b")(k.layers.RMSNormalization()(joined)),
    }
    return k.Model(x, outputs), data


RULES = {
    "adam": lambda k: k.optimizers.Adam(0.01, amsgrad=True),
    "schedule": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), momentum=0.9
    ),
    "average": lambda k: k.optimizers.RMSprop(0.01, use_ema=True, centered=True),
    "loss_scale": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adamax(0.01)),
    "adafactor": lambda k: k.optimizers.Adafactor(0.01),
    "muon": lambda k: k.optimizers.Muon(0.01),
    "lamb": lambda k: k.optimizers.Lamb(0.01),
    "accumulation": lambda k: k.optimizers.Nadam(0.01, gradient_accumulation_steps=2),
}


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rule", RULES)
def test_layers_with_state_and_rules_with_state(rule, way, tmp_path):
    here, there = WAYS[way]
    model, data = chains(here)
    targets = {"a": (data[:, :2] > 0).astype(np.float32), "b": data[:, :1]}
    losses = {"a": "binary_crossentropy", "b": "mse"}
    model.compile(RULES[rule](here), losses, metrics={"a": ["accuracy"], "b": ["mae"]})
    for _ in range(3):
        model.train_on_batch(data, targets)
    model.save(tmp_path / "m.keras")
    loaded = there.models.load_model(tmp_path / "m.keras")
    first, second = (m.predict(data, verbose=0) for m in (model, loaded))
    for key in ("a", "b"):
        np.testing.assert_allclose(first[key], second[key], rtol=1e-5, atol=1e-6)
    equal(values(model.optimizer.variables), values(loaded.optimizer.variables))
    for _ in range(3):
        for m in (model, loaded):
            m.train_on_batch(data, targets)
    for v, a, b in zip(model.weights, model.get_weights(), loaded.get_weights(), strict=True):
        assert distance(a, b) < (2e-2 if rule == "muon" else 1e-3), v.path
    reports = [m.evaluate(data, targets, verbose=0, return_dict=True) for m in (model, loaded)]
    assert reports[0].keys() == reports[1].keys()


def own_model(k):
    @k.saving.register_keras_serializable("files_of_both")
    class Twice(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.parts = [k.layers.Dense(units, "relu"), {"last": k.layers.Dense(units)}]

        def build(self, shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
            self.parts[0].build(shape)
            self.parts[1]["last"].build((*shape[:-1], self.units))
            self.built = True

        def call(self, x):
            return self.parts[1]["last"](self.parts[0](x)) * self.scale

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    @k.saving.register_keras_serializable("files_of_both")
    def squared(y_true, y_pred):
        return k.ops.mean(k.ops.square(y_true - y_pred), axis=-1)

    model = k.Sequential([k.Input((6,)), Twice(3, name="twice"), k.layers.Dense(3)])
    model.compile("adam", squared)
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_registered_classes_and_functions(ending, way, tmp_path):
    here, there = WAYS[way]
    model = own_model(here)
    own_model(there)  # registers
    x, y = data_of(0)
    model.train_on_batch(x, y)
    model.save(tmp_path / f"m{ending}")
    loaded = there.models.load_model(tmp_path / f"m{ending}")
    predicted = [m.predict(x, verbose=0) for m in (model, loaded)]
    np.testing.assert_allclose(*predicted, rtol=1e-5, atol=1e-6)
    if ending == ".keras":
        equal(values(model.optimizer.variables), values(loaded.optimizer.variables))
        assert loaded.evaluate(x, y, verbose=0) == pytest.approx(
            model.evaluate(x, y, verbose=0), 1e-5
        )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_lambdas_are_refused_by_both(ending, way, tmp_path):
    here, _ = WAYS[way]
    layers = [here.Input((6,)), here.layers.Lambda(lambda x: x * 2), here.layers.Dense(1)]
    here.Sequential(layers).save(tmp_path / f"m{ending}")
    for package in (keras, keras3):
        with pytest.raises(ValueError, match=r"(?i)lambda"):
            package.models.load_model(tmp_path / f"m{ending}")


@pytest.mark.parametrize("way", WAYS)
def test_subclasses_of_model(way, tmp_path):
    def own(k):
        class Mixed(k.Model):
            def __init__(self):
                super().__init__()
                self.zeta = k.layers.Dense(4, "relu")
                self.blocks = [k.layers.Dense(4), [k.layers.Dense(4)]]
                self._last = k.layers.Dense(3)
                self.shift = self.add_weight(shape=(4,), initializer="ones", name="shift")

            def call(self, x):
                h = self.blocks[1][0](self.blocks[0](self.zeta(x))) + self.shift
                return self._last(h)

        model = Mixed()
        model.compile("adam", "mse")
        model.train_on_batch(*data_of(0))
        return model

    model, other = (own(package) for package in WAYS[way])
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    x, _ = data_of(0)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), other.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )
    equal(values(model.optimizer.variables), values(other.optimizer.variables))
