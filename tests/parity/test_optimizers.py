"""Optimizers and schedules give Keras's numbers, in its variables, from its configurations."""

import inspect

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import double_precision, keras3

pytestmark = pytest.mark.parity

STEPS = 20
RATE = 2.0**-6  # the same in float32
SHAPES = {"hidden/kernel": (7, 5), "hidden/bias": (5,), "embedding/table": (6, 4), "output": (5, 9)}
COMMON = [
    {},
    {"weight_decay": 0.125},
    {"clipnorm": 0.5},
    {"clipvalue": 0.25},
    {"global_clipnorm": 1.0},
    {"use_ema": True, "ema_momentum": 0.75},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 3},
    {
        **{"gradient_accumulation_steps": 4, "use_ema": True, "ema_overwrite_frequency": 2},
        **{"clipnorm": 0.5, "weight_decay": 0.125},
    },
    {"loss_scale_factor": 8.0},
]
OWN = {
    "SGD": [{"momentum": 0.75}, {"momentum": 0.75, "nesterov": True}],
    "RMSprop": [{"momentum": 0.5}, {"centered": True, "rho": 0.75}, {"epsilon": 0.125}],
    "Adam": [{"amsgrad": True, "beta_2": 0.5}, {"beta_1": 0.5, "epsilon": 0.125}],
    "AdamW": [{"amsgrad": True, "beta_2": 0.5}],
    "Nadam": [{"beta_1": 0.5}],
    "Adamax": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}],
    "Adagrad": [{"initial_accumulator_value": 0.0, "epsilon": 0.125}],
    "Adadelta": [{"rho": 0.5, "epsilon": 0.125}],
    "Lion": [{"beta_1": 0.5, "beta_2": 0.75}],
    "Ftrl": [
        {"l1_regularization_strength": 0.5, "l2_regularization_strength": 0.25},
        {"l2_shrinkage_regularization_strength": 0.25, "beta": 0.5},
        {"learning_rate_power": -0.75},
        {"learning_rate_power": 0.0},
    ],
    "Lamb": [{"beta_1": 0.5, "epsilon": 0.125}],
    "Adafactor": [{"beta_2_decay": -0.5, "clip_threshold": 0.5, "epsilon_2": 0.5}],
    "Muon": [
        {"exclude_layers": ["output"], "momentum": 0.5, "nesterov": False},
        {"rms_rate": None, "ns_steps": 3, "adam_lr_ratio": 0.5, "exclude_embeddings": False},
    ],
    "ScheduleFreeAdamW": [{"warmup_steps": 7, "beta_1": 0.75}],
}
NAMES = [cls.__name__ for cls in keras.optimizers.ALL.values()]
CASES = [(name, options) for name in NAMES for options in [*COMMON, *OWN[name]]]


@pytest.fixture(autouse=True)
def _double():
    """Give Keras float64; this package's reference has it anyway."""
    keras.config.set_device("reference")
    with double_precision():
        yield


def draw(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES.values()]


def variables(make):
    made = [make(value) for value in draw(0)]
    for variable, path in zip(made, SHAPES, strict=True):
        for name, value in (("path", path), ("name", path.rpartition("/")[2])):
            attribute = f"_{name}" if hasattr(variable, f"_{name}") else name
            setattr(variable, attribute, value)
    return made


def limit_of(variable):
    """Keras multiplies the product of Nadam's coefficients up in float32."""
    return 1e-5 if variable.name == "u_product" else 1e-6


def relative(ours, theirs):
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_trajectory(name, options):
    ours = getattr(keras.optimizers, name)(RATE, **options)
    theirs = getattr(keras3.optimizers, name)(RATE, **options)
    mine = variables(lambda value: keras.Variable(value))
    other = variables(lambda value: keras3.Variable(value, dtype="float64"))
    for step in range(STEPS):
        gradients = draw(100 + step)
        ours.apply(gradients, mine)
        theirs.apply([np.asarray(g, np.float64) for g in gradients], other)
    for a, b in zip(mine, other, strict=True):
        assert relative(a.numpy(), b.numpy()) < 1e-6, a.path
    assert int(ours.iterations) == int(theirs.iterations)
    assert len(ours.variables) == len(theirs.variables)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert tuple(a.shape) == tuple(b.shape), a.path
        assert relative(a.numpy(), b.numpy()) < limit_of(a), a.path
    ours.finalize_variable_values(mine)
    theirs.finalize_variable_values(other)
    for a, b in zip(mine, other, strict=True):
        assert relative(a.numpy(), b.numpy()) < 1e-6, a.path


@pytest.mark.parametrize("name", NAMES)
def test_excluded_from_decay(name):
    results = []
    for module, dtype in ((keras, None), (keras3, "float64")):
        optimizer = getattr(module.optimizers, name)(RATE, weight_decay=0.5)
        own = variables(lambda value, m=module, d=dtype: m.Variable(value, dtype=d))
        optimizer.exclude_from_weight_decay([own[0]], ["bias", "tab"])
        for step in range(3):
            optimizer.apply([np.asarray(g, np.float64) for g in draw(step)], own)
        results.append(own)
    for a, b in zip(*results, strict=True):
        assert relative(a.numpy(), b.numpy()) < 1e-6, a.path


@pytest.mark.parametrize("name", NAMES)
def test_signatures_and_configurations(name):
    ours, theirs = (getattr(k.optimizers, name) for k in (keras, keras3))
    mine, other = (inspect.signature(cls.__init__).parameters for cls in (ours, theirs))
    assert list(mine) == list(other)
    for key in mine:
        assert mine[key].default == other[key].default, key
    options = {"name": "mine", "learning_rate": 0.5, **(OWN[name][0])}
    config, expected = ours(**options).get_config(), theirs(**options).get_config()
    assert list(config) == list(expected)
    assert config == expected
    data = keras3.saving.serialize_keras_object(theirs(**options))
    assert keras.saving.serialize_keras_object(ours(**options)) == data
    assert keras.saving.deserialize_keras_object(data).get_config() == config


SCHEDULES = [
    ("ExponentialDecay", [0.5, 7, 0.75], {}),
    ("ExponentialDecay", [0.5, 7, 0.75], {"staircase": True}),
    ("PiecewiseConstantDecay", [[5, 11, 17], [1.0, 0.5, 0.25, 0.125]], {}),
    ("PolynomialDecay", [0.5, 10], {}),
    ("PolynomialDecay", [0.5, 10, 0.125, 2.0], {"cycle": True}),
    ("InverseTimeDecay", [0.5, 7, 0.75], {}),
    ("InverseTimeDecay", [0.5, 7, 0.75], {"staircase": True}),
    ("CosineDecay", [0.5, 10], {}),
    ("CosineDecay", [0.125, 10, 0.25], {"warmup_target": 0.5, "warmup_steps": 6}),
    ("CosineDecayRestarts", [0.5, 5], {}),
    ("CosineDecayRestarts", [0.5, 5, 1.0, 0.75, 0.125], {}),
    ("CosineDecayRestarts", [0.5, 4, 1.5], {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), SCHEDULES, ids=str)
def test_schedules(name, arguments, options):
    ours, theirs = (
        getattr(k.optimizers.schedules, name)(*arguments, **options) for k in (keras, keras3)
    )
    expected = [float(theirs(step)) for step in range(40)]
    np.testing.assert_allclose([ours(step) for step in range(40)], expected, 2e-5, 1e-7)
    np.testing.assert_array_equal(ours(np.arange(40)), [ours(step) for step in range(40)])
    assert ours.get_config() == theirs.get_config()
    data = keras3.optimizers.schedules.serialize(theirs)
    assert keras.optimizers.schedules.serialize(ours) == data
    assert keras.optimizers.schedules.deserialize(data).get_config() == ours.get_config()


def wrapped(module, kind):
    inner = module.optimizers
    if kind == "scaled":
        return inner.LossScaleOptimizer(
            inner.Adam(RATE, weight_decay=0.125), initial_scale=16.0, dynamic_growth_steps=3
        )
    chosen = inner.OptimizerMap(inner.Nadam(RATE, use_ema=True))
    chosen["hidden/.*"] = inner.SGD(RATE, momentum=0.75, clipnorm=0.5)
    chosen["output"] = inner.Adafactor(RATE, gradient_accumulation_steps=2)
    return inner.MultiOptimizer(chosen)


@pytest.mark.parametrize("kind", ["scaled", "several"])
def test_optimizers_around_others(kind):
    if kind == "scaled" and keras3.backend.backend() == "jax":
        pytest.skip("on JAX, Keras's takes steps without state only")
    ours, theirs = wrapped(keras, kind), wrapped(keras3, kind)
    mine = variables(lambda value: keras.Variable(value))
    other = variables(lambda value: keras3.Variable(value, dtype="float64"))
    for step in range(STEPS):
        gradients = draw(100 + step)
        if kind == "scaled" and step in (4, 5, 11):
            gradients[1][2] = np.inf
        ours.apply(gradients, mine)
        theirs.apply([np.asarray(g, np.float64) for g in gradients], other)
    for a, b in zip(mine, other, strict=True):
        assert relative(a.numpy(), b.numpy()) < 1e-6, a.path
    assert len(ours.variables) == len(theirs.variables)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert relative(a.numpy(), b.numpy()) < limit_of(a), a.path
    config = theirs.get_config()
    assert set(ours.get_config()) == set(config)
    again = type(ours).from_config(config)
    assert set(again.get_config()) == set(config)


def test_names_are_those_of_keras():
    names = {n for n in dir(keras3.optimizers) if not n.startswith("_")}
    assert names - set(dir(keras.optimizers)) <= {"legacy"}
    names = {n for n in dir(keras3.optimizers.schedules) if not n.startswith("_")}
    assert names - set(dir(keras.optimizers.schedules)) == set()
