"""Initializers: their distributions against formulas, seeds, arguments, and what `get` takes."""

import math
import time

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import initializers

RANDOM = [name for name, cls in initializers.ALL.items()
          if issubclass(cls, initializers.RandomInitializer)]  # fmt: skip
SHAPE = (300, 200)
# Standard deviation of a unit normal distribution cut off at 2: 1 - 4 phi(2) / (2 Phi(2) - 1).
TRUNCATED = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def check(values, mean, stddev, limit=math.inf):
    """Mean and standard deviation within five standard errors, and bounds."""
    n = values.size
    assert abs(values.mean(dtype=np.float64) - mean) < 5 * stddev / math.sqrt(n)
    # The standard error of a standard deviation is at most stddev * sqrt((kurtosis - 1) / 4 n).
    assert abs(values.std(dtype=np.float64) / stddev - 1) < 5 * math.sqrt(2 / (4 * n))
    assert np.abs(values - mean).max() <= limit * (1 + 1e-6)
    if math.isfinite(limit):
        assert np.abs(values - mean).max() > 0.95 * limit


@pytest.mark.parametrize(
    ("name", "n", "kind"),
    [
        ("GlorotUniform", 250, "uniform"),
        ("GlorotNormal", 250, "truncated"),
        ("HeUniform", 150, "uniform"),
        ("HeNormal", 150, "truncated"),
        ("LecunUniform", 300, "uniform"),
        ("LecunNormal", 300, "truncated"),
    ],
)
def test_variance_scaling_by_name(name, n, kind):
    stddev = math.sqrt(1 / n)
    limit = stddev * math.sqrt(3) if kind == "uniform" else 2 * stddev / TRUNCATED
    check(getattr(initializers, name)(seed=4)(SHAPE), 0, stddev, limit)


@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
@pytest.mark.parametrize(("mode", "n"), [("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)])
def test_variance_scaling(distribution, mode, n):
    stddev = math.sqrt(3.0 / n)
    limits = {"uniform": stddev * math.sqrt(3), "truncated_normal": 2 * stddev / TRUNCATED}
    made = initializers.VarianceScaling(3.0, mode, distribution, seed=5)
    check(made(SHAPE), 0, stddev, limits.get(distribution, math.inf))


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [
        ((40000,), 40000, 40000),
        ((10, 4000), 10, 4000),
        ((3, 20, 1000), 60, 3000),
        ((5, 3, 8, 500), 120, 7500),
    ],
)
def test_fans_by_rank(shape, fan_in, fan_out):
    for mode, n in (("fan_in", fan_in), ("fan_out", fan_out), ("fan_avg", (fan_in + fan_out) / 2)):
        values = initializers.VarianceScaling(1.0, mode, "uniform", seed=2)(shape)
        assert values.shape == shape
        check(values, 0, math.sqrt(1 / n), math.sqrt(3 / n))
    assert initializers.VarianceScaling(seed=1)(()).shape == ()


def test_named_axes_count_as_fans():
    made = initializers.VarianceScaling(1.0, "fan_in", "uniform", 3, [0, 2], [1])
    check(made((50, 40, 30)), 0, math.sqrt(1 / 1500), math.sqrt(3 / 1500))
    made = initializers.GlorotUniform(3, input_axes=[0], output_axes=[-1])
    check(made((50, 40, 30)), 0, math.sqrt(1 / 40), math.sqrt(3 / 40))
    with pytest.raises(ValueError, match="lacks one of the axes"):
        initializers.GlorotUniform(input_axes=[2], output_axes=[0])((3, 3))


def test_plain_distributions():
    check(initializers.RandomNormal(1.5, 0.2, seed=1)(SHAPE), 1.5, 0.2)
    check(initializers.TruncatedNormal(1.5, 0.2, seed=1)(SHAPE), 1.5, 0.2 * TRUNCATED, 0.4)
    values = initializers.RandomUniform(-1.0, 3.0, seed=1)(SHAPE)
    check(values, 1.0, 4 / math.sqrt(12), 2.0)
    assert values.min() >= -1
    assert values.max() < 3


@pytest.mark.parametrize("shape", [(30, 30), (50, 20), (20, 50), (4, 5, 30), (3, 2, 2, 7)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(2.0, seed=3)(shape).reshape(-1, shape[-1]) / 2
    product = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_orthogonal_matrices_are_uniformly_distributed():
    # Without the signs of R the diagonal of Q would not have mean zero.
    made = initializers.Orthogonal(seed=keras.random.SeedGenerator(1))
    diagonals = np.array([np.diag(made((3, 3))) for _ in range(2000)])
    check(diagonals, 0, math.sqrt(1 / 3))


def test_identity_and_constants():
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(initializers.Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    assert initializers.Zeros()((2, 2), dtype="int32").dtype == np.int32
    assert initializers.Ones()(3).tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    cls = initializers.ALL[name]
    a, b = cls(seed=3), cls(seed=3)
    np.testing.assert_array_equal(a((4, 4)), b((4, 4)))
    np.testing.assert_array_equal(a((4, 4)), b((4, 4)))
    assert (cls(seed=4)((4, 4)) != a((4, 4))).any()
    unseeded = cls()
    assert (unseeded((4, 4)) != unseeded((4, 4))).any()
    moving = cls(seed=keras.random.SeedGenerator(3))
    np.testing.assert_array_equal(moving((4, 4)), a((4, 4)))
    assert (moving((4, 4)) != a((4, 4))).any()
    keras.utils.set_random_seed(5)
    first = cls()((4, 4))
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(cls()((4, 4)), first)
    again = cls.from_config(moving.get_config())
    np.testing.assert_array_equal(again((4, 4)), a((4, 4)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: initializers.Constant("a"),
        lambda: initializers.Constant(math.nan),
        lambda: initializers.Constant(None),
        lambda: initializers.Constant([1, [2]]),
        lambda: initializers.Constant([1.0, 2.0])((3,)),
        lambda: initializers.Identity(math.nan),
        lambda: initializers.Identity()((3,)),
        lambda: initializers.Orthogonal("a"),
        lambda: initializers.Orthogonal()((3,)),
        lambda: initializers.RandomNormal(stddev=-1.0),
        lambda: initializers.RandomNormal(mean=math.inf),
        lambda: initializers.RandomNormal(mean="0"),
        lambda: initializers.TruncatedNormal(stddev=math.nan),
        lambda: initializers.RandomUniform(2.0, 1.0),
        lambda: initializers.RandomUniform(minval=None),
        lambda: initializers.VarianceScaling(scale=0.0),
        lambda: initializers.VarianceScaling(scale=math.nan),
        lambda: initializers.VarianceScaling(mode="fan"),
        lambda: initializers.VarianceScaling(distribution=3),
        lambda: initializers.VarianceScaling(input_axes=3),
        lambda: initializers.GlorotUniform(seed="a"),
        lambda: initializers.GlorotUniform(seed=1.5),
        lambda: initializers.GlorotUniform(seed=True),
        lambda: initializers.Zeros()((2, None)),
        lambda: initializers.Zeros()((2, -1)),
        lambda: initializers.Zeros()((2,), dtype="float23"),
        lambda: initializers.get("glorot_unifrom"),
        lambda: initializers.get(3),
        lambda: initializers.get({"a": 1}),
        lambda: initializers.get(np.ones((2, 2)))((2, 3)),
        lambda: initializers.deserialize("nothing"),
    ],
)
def test_wrong_arguments(make):
    with pytest.raises(ValueError, match=r"got|unknown|expected|does not broadcast"):
        make()


def test_what_get_takes():
    def twos(shape, dtype=None):
        return np.full(shape, 2.0)

    assert initializers.get(None) is None
    assert initializers.get(twos) is twos
    assert type(initializers.get(initializers.Ones)) is initializers.Ones
    for name in ("HeNormal", "he_normal"):
        assert type(initializers.get(name)) is initializers.HeNormal
        assert type(initializers.deserialize(name)) is initializers.HeNormal
    assert type(initializers.get("OrthogonalInitializer")) is initializers.Orthogonal
    old = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.5, "seed": None}}
    assert initializers.get(old).stddev == 0.5
    given = initializers.get(np.eye(3, 2))
    layer = keras.layers.Dense(2, kernel_initializer=given, bias_initializer=twos)
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.kernel.numpy(), np.eye(3, 2))
    assert layer.bias.numpy().tolist() == [2, 2]
    again = initializers.deserialize(initializers.serialize(given))
    np.testing.assert_array_equal(again((3, 2)), np.eye(3, 2))


def test_subclasses_of_users():
    class Ramp(initializers.Initializer):
        def __init__(self, step):
            self._step = step

        def __call__(self, shape, dtype=None):
            return np.arange(math.prod(shape), dtype=dtype).reshape(shape) * self._step

        def get_config(self):
            return {"step": self._step}

    layer = keras.layers.Dense(2, kernel_initializer=Ramp(0.5))
    layer.build((None, 2))
    assert layer.kernel.numpy().tolist() == [[0, 0.5], [1, 1.5]]
    with keras.saving.custom_object_scope({"Ramp": Ramp}):
        again = keras.layers.Dense.from_config(layer.get_config())
    assert again.kernel_initializer.get_config() == {"step": 0.5}
    assert Ramp(2).clone().get_config() == {"step": 2}

    class Forgetful(initializers.Initializer):
        def __init__(self, step):
            self._step = step

    assert repr(Forgetful(1)) == "Forgetful()"
    with pytest.raises(NotImplementedError, match="Forgetful"):
        Forgetful(1)((2,))


@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "random_normal"])
def test_large_matrices_are_drawn_quickly(name):
    made = initializers.get(name)
    made((784, 2048))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        made((784, 2048))
        times.append(time.perf_counter() - start)
    # About 10 to 25 ms; the limit leaves room for a busy machine.
    assert min(times) < 0.2
