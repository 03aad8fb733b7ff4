"""Initializers and random functions draw from Keras's distributions and have its configurations."""

import math

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import keras3

pytestmark = pytest.mark.parity

SHAPES = [(60000,), (300, 200), (3, 100, 200)]
INITIALIZERS = [
    ("GlorotUniform", {}),
    ("GlorotNormal", {}),
    ("HeUniform", {}),
    ("HeNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("RandomNormal", {"mean": 0.3, "stddev": 0.2}),
    ("RandomUniform", {"minval": 0.5, "maxval": 2.0}),
    ("TruncatedNormal", {"mean": 0.3, "stddev": 0.2}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 2.0, "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "truncated_normal"}),
    ("Orthogonal", {"gain": 1.5}),
]
RANDOM = [
    ("normal", {"mean": 1.0, "stddev": 2.0}),
    ("truncated_normal", {"mean": 1.0, "stddev": 2.0}),
    ("uniform", {"minval": -1.0, "maxval": 2.0}),
    ("gamma", {"alpha": 1.5}),
    ("beta", {"alpha": 2.0, "beta": 0.5}),
    ("binomial", {"counts": 7.0, "probabilities": 0.3}),
    ("randint", {"minval": -2, "maxval": 9}),
]


def check_same_distribution(ours, theirs):
    """Two-sample Kolmogorov-Smirnov test at a level of one in a million."""
    a, b = np.sort(np.ravel(ours)), np.sort(np.ravel(theirs))
    points = np.concatenate([a, b])
    shares = [np.searchsorted(x, points, side="right") / x.size for x in (a, b)]
    distance = np.abs(shares[0] - shares[1]).max()
    assert distance < math.sqrt(-math.log(0.5e-6) / 2 * (1 / a.size + 1 / b.size))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), INITIALIZERS)
def test_initializers(name, options, shape):
    if name == "Orthogonal":
        shape = (200, 200)  # of dependent elements, but the diagonal shows the distribution
    ours = getattr(keras.initializers, name)(**options, seed=1)
    theirs = getattr(keras3.initializers, name)(**options, seed=1)
    assert ours.get_config() == theirs.get_config()
    assert keras.saving.serialize_keras_object(ours) == keras3.saving.serialize_keras_object(theirs)
    check_same_distribution(ours(shape), np.asarray(theirs(shape)))


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant"])
def test_constant_initializers(name):
    ours, theirs = (getattr(k.initializers, name)() for k in (keras, keras3))
    assert keras.saving.serialize_keras_object(ours) == keras3.saving.serialize_keras_object(theirs)
    np.testing.assert_array_equal(ours((2, 3)), theirs((2, 3)))


def test_names_are_those_of_keras():
    names = {
        n for n in dir(keras3.initializers) if not n.startswith("_") and "stft" not in n.lower()
    }
    assert names - set(dir(keras.initializers)) == set()
    names = {n for n in dir(keras3.random) if not n.startswith("_")}
    assert names - set(dir(keras.random)) == set()


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_random_functions(name, options):
    theirs = np.asarray(getattr(keras3.random, name)((40000,), **options, seed=1))
    ours = getattr(keras.random, name)((40000,), **options, seed=1)
    assert ours.dtype == theirs.dtype
    check_same_distribution(ours, theirs)


def test_categorical():
    logits = np.log([[0.2, 0.5, 0.3]])
    theirs = np.asarray(keras3.random.categorical(logits, 40000, seed=1))
    ours = keras.random.categorical(logits, 40000, seed=1)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    check_same_distribution(ours, theirs)


def test_seed_generators():
    ours, theirs = keras.random.SeedGenerator(5, name="s"), keras3.random.SeedGenerator(5, name="s")
    assert keras.saving.serialize_keras_object(ours) == keras3.saving.serialize_keras_object(theirs)
    assert ours.state.path == theirs.state.path
    for ordered in (True, True, False, False):
        np.testing.assert_array_equal(ours.next(ordered), theirs.next(ordered))
    np.testing.assert_array_equal(ours.state.numpy(), theirs.state.numpy())


def test_what_keras_refuses():
    calls = [
        lambda k: k.initializers.get("nothing"),
        lambda k: k.initializers.get(5),
        lambda k: k.initializers.get({"a": 1}),
        lambda k: k.initializers.RandomNormal(seed="a"),
        lambda k: k.initializers.RandomNormal(seed=1.5),
        lambda k: k.initializers.VarianceScaling(scale=0),
        lambda k: k.initializers.VarianceScaling(mode="x"),
        lambda k: k.initializers.Identity()((3,)),
        lambda k: k.initializers.Orthogonal()((3,)),
        lambda k: k.initializers.get(np.ones((2, 2)))((2, 3)),
        lambda k: k.random.SeedGenerator("a"),
        lambda k: k.random.SeedGenerator(1.0),
        lambda k: k.random.normal((2,), seed="a"),
        lambda k: k.random.uniform((2,), dtype="int32"),
        lambda k: k.random.randint((2,), 0, 3, dtype="float32"),
        lambda k: k.random.categorical(np.ones(2), 3),
    ]
    for call in calls:
        for package in (keras, keras3):
            with pytest.raises(ValueError):
                call(package)
