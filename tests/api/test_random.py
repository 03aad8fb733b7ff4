"""Random functions: distributions against formulas, seeds, and arguments."""

import math

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import random

N = (400, 250)
TRUNCATED = 0.8796256610342398

# function, arguments, mean, variance
MOMENTS = [
    (random.normal, {"mean": 2.0, "stddev": 3.0}, 2.0, 9.0),
    (random.truncated_normal, {"mean": 2.0, "stddev": 3.0}, 2.0, 9 * TRUNCATED**2),
    (random.uniform, {"minval": -1.0, "maxval": 3.0}, 1.0, 16 / 12),
    (random.gamma, {"alpha": 2.5}, 2.5, 2.5),
    (random.beta, {"alpha": 2.0, "beta": 3.0}, 0.4, 6 / (25 * 6)),
    (random.randint, {"minval": -3, "maxval": 8}, 2.0, (11**2 - 1) / 12),
    (random.binomial, {"counts": 10, "probabilities": 0.3}, 3.0, 2.1),
]


@pytest.mark.parametrize(("function", "arguments", "mean", "variance"), MOMENTS)
def test_moments(function, arguments, mean, variance):
    values = function(N, **arguments, seed=11).astype(np.float64)
    assert values.shape == N
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / values.size)
    deviations = (values - values.mean()) ** 2
    assert abs(deviations.mean() - variance) < 5 * deviations.std() / math.sqrt(values.size)


@pytest.mark.parametrize(("function", "arguments", "mean", "variance"), MOMENTS)
def test_seeds(function, arguments, mean, variance):
    def draw(seed=None):
        return function((50,), **arguments, seed=seed)

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) != draw(4)).any()
    assert (draw() != draw()).any()
    seeds, again = random.SeedGenerator(3), random.SeedGenerator(3)
    first, second = draw(seeds), draw(seeds)
    np.testing.assert_array_equal(first, draw(3))
    assert (first != second).any()
    np.testing.assert_array_equal(draw(again), first)
    np.testing.assert_array_equal(draw(again), second)
    random.set_seed(1)
    a = draw()
    random.set_seed(1)
    np.testing.assert_array_equal(draw(), a)
    assert draw().dtype == (np.int32 if function is random.randint else np.float32)
    assert draw(-5).shape == (50,)


def test_types():
    assert random.normal((3,), dtype="float64").dtype == np.float64
    assert random.uniform((3,), dtype=np.float16).dtype == np.float16
    assert random.randint((3,), 0, 200, dtype="uint8").dtype == np.uint8
    assert random.normal(()).shape == ()
    assert random.normal(3).shape == (3,)
    assert random.normal((0, 3)).shape == (0, 3)
    # 64-bit samples differ in more than their first 24 bits.
    assert (random.uniform((99,), dtype="float64") * 2**30 % 1 != 0).any()


def test_arrays_as_parameters():
    values = random.normal((1000, 2), mean=[0.0, 100.0], stddev=[[1.0, 0.0]], seed=1)
    assert (values[:, 1] == 100).all()
    assert 0.9 < values[:, 0].std() < 1.1
    assert (random.randint((99, 2), [0, 10], [2, 11]) == [[0, 10]]).any(axis=0).all()
    assert random.gamma((2,), [1.0, 2.0]).shape == (2,)
    values = random.binomial((9, 2), [5, 0], [1.0, 0.5])
    np.testing.assert_array_equal(values, [[5.0, 0.0]] * 9)


def test_integers_of_the_whole_range():
    values = random.randint((4000,), -128, 128, dtype="int8", seed=1)
    assert (values.min(), values.max()) == (-128, 127)
    assert random.randint((4,), 0.9, 1.9).tolist() == [0, 0, 0, 0]


def test_categorical():
    shares = np.array([[0.1, 0.0, 0.6, 0.3], [0.0, 0.0, 0.0, 1.0], [0.25] * 4])
    with np.errstate(divide="ignore"):
        drawn = random.categorical(np.log(shares) + 7, 40000, seed=1)
    assert drawn.dtype == np.int32
    found = np.array([np.bincount(row, minlength=4) for row in drawn]) / 40000
    np.testing.assert_allclose(found, shares, atol=5 * math.sqrt(0.25 / 40000))
    assert (found[shares == 0] == 0).all()
    assert random.categorical(np.zeros((0, 3)), 5).shape == (0, 5)


def test_shuffle():
    x = np.arange(60).reshape(20, 3)
    rows = random.shuffle(x, seed=1)
    assert sorted(rows.tolist()) == x.tolist()
    assert (rows != x).any()
    columns = random.shuffle(x, axis=-1, seed=2)
    np.testing.assert_array_equal(np.sort(columns, axis=1), x)
    assert (x == np.arange(60).reshape(20, 3)).all()


def test_dropout():
    x = np.ones((300, 200), np.float32)
    y = random.dropout(x, 0.2, seed=1)
    assert set(np.unique(y)) == {0.0, np.float32(1.25)}
    assert abs((y == 0).mean() - 0.2) < 5 * math.sqrt(0.16 / x.size)
    y = random.dropout(x, 0.5, noise_shape=(None, 1), seed=1)
    assert (y.min(axis=1) == y.max(axis=1)).all()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert random.dropout([1, 2], 0.0).tolist() == [1.0, 2.0]
    assert random.dropout([1, 2], 1.0).tolist() == [0.0, 0.0]


def test_seed_generator():
    seeds = random.SeedGenerator(7)
    assert seeds.name == "seed_generator"
    assert seeds.state.path == "seed_generator/seed_generator_state"
    assert seeds.state.dtype == "uint32"
    assert [seeds.next().tolist() for _ in range(3)] == [[7, 0], [7, 1], [7, 2]]
    data = keras.saving.serialize_keras_object(seeds)
    assert data["module"] == "keras.random"
    again = keras.saving.deserialize_keras_object(data)
    assert again.next().tolist() == [7, 0]
    saved = seeds.state.numpy()
    a = random.normal((3,), seed=seeds)
    seeds.state.assign(saved)
    np.testing.assert_array_equal(random.normal((3,), seed=seeds), a)
    assert random.SeedGenerator().next()[0] != random.SeedGenerator().next()[0]
    jumping = random.SeedGenerator(7)
    jumping.next(ordered=False)
    assert jumping.state.numpy().tolist() == [8 * 5387 % 933199, 5387]
    for wrong in ("a", 1.5, -1, 2**32, True):
        with pytest.raises(ValueError, match="SeedGenerator: seed"):
            random.SeedGenerator(wrong)
    with pytest.raises(ValueError, match="'foo'"):
        random.SeedGenerator(3, foo=1)


def test_its_state_is_no_weight():
    class Noise(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = random.SeedGenerator(3)
            self.more = [random.SeedGenerator(4)]

        def build(self, shape):
            self.scale = self.add_weight((), name="scale")

        def call(self, x):
            return x

    layer = Noise()
    layer.build((None, 2))
    states = [layer.seeds.state, layer.more[0].state]
    assert [v.name for v in layer.weights] == ["scale"]
    assert layer.non_trainable_weights == []
    assert all(a is b for a, b in zip(layer.non_trainable_variables, states, strict=True))
    assert [v.name for v in layer.variables] == ["scale", *["seed_generator_state"] * 2]
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    assert [v.name for v in model.variables] == [
        "scale", "seed_generator_state", "seed_generator_state", "kernel", "bias",
    ]  # fmt: skip
    assert len(model.weights) == 3
    assert len(model.non_trainable_variables) == 2
    assert model.non_trainable_weights == []
    assert [v.name for v in model.trainable_variables] == ["scale", "kernel", "bias"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: random.normal((2,), stddev=-1.0),
        lambda: random.normal((2,), mean=math.nan),
        lambda: random.normal((2,), mean="a"),
        lambda: random.normal((2,), mean=[1.0, 2.0, 3.0]),
        lambda: random.normal((2,), dtype="int32"),
        lambda: random.normal((2,), seed="a"),
        lambda: random.normal((2,), seed=1.5),
        lambda: random.normal((2, None)),
        lambda: random.normal("ab"),
        lambda: random.truncated_normal((2,), stddev=None),
        lambda: random.uniform((2,), 5.0, 1.0),
        lambda: random.uniform((2,), dtype="int32"),
        lambda: random.uniform((2,), dtype="bfloat16"),
        lambda: random.uniform((-2,)),
        lambda: random.gamma((2,), 0.0),
        lambda: random.gamma((2,), -1.0),
        lambda: random.beta((2,), 1.0, 0.0),
        lambda: random.randint((2,), 5, 5),
        lambda: random.randint((2,), 0, 3, dtype="float32"),
        lambda: random.randint((2,), 0, 300, dtype="int8"),
        lambda: random.categorical([1.0, 2.0], 3),
        lambda: random.categorical([[1.0, math.nan]], 3),
        lambda: random.categorical([[-math.inf, -math.inf]], 3),
        lambda: random.categorical([[1.0, 2.0]], -1),
        lambda: random.binomial((2,), 1.5, 0.5),
        lambda: random.binomial((2,), -1, 0.5),
        lambda: random.binomial((2,), 3, 1.5),
        lambda: random.shuffle([1, 2], axis=1),
        lambda: random.shuffle(3),
        lambda: random.dropout([1.0], 1.5),
        lambda: random.dropout([1.0], -0.5),
        lambda: random.dropout([1.0], math.nan),
        lambda: random.dropout([1.0, 2.0], 0.5, noise_shape=(3,)),
        lambda: random.dropout([1.0, 2.0], 0.5, noise_shape=(1, 1)),
    ],
)
def test_wrong_arguments(call):
    with pytest.raises(ValueError, match=r"must|unknown|has no|does not broadcast|NumPy"):
        call()
