"""Random functions inside of layers: drawn in every step, alike on all engines."""

import math

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops, random

ROWS = 4000


class Noise(keras.layers.Layer):
    def __init__(self, draw, **kwargs):
        super().__init__(**kwargs)
        self.draw = draw

    def call(self, x):
        return 0.0 * x + ops.cast(self.draw((ops.shape(x)[0], 4)), "float32")


def samples(draw, passes=1):
    model = keras.Sequential([keras.Input((4,)), Noise(draw)])
    x = np.zeros((ROWS, 4), np.float32)
    return [model.predict(x, batch_size=ROWS, verbose=0) for _ in range(passes)]


EDGE = math.sqrt(2 / math.pi) * math.exp(-2) / math.erf(math.sqrt(2))
CASES = {
    "uniform": (lambda s: random.uniform(s, -1.0, 3.0), 1.0, 4 / math.sqrt(12), -1, 3),
    "normal": (lambda s: random.normal(s, 2.0, 0.5), 2.0, 0.5, -1, 5),
    "truncated_normal": (random.truncated_normal, 0.0, math.sqrt(1 - 2 * EDGE), -2, 2),
    "randint": (lambda s: random.randint(s, 2, 5), 3.0, math.sqrt(2 / 3), 2, 4),
}


@pytest.mark.parametrize("name", CASES)
def test_distributions(name, device):
    draw, mean, deviation, low, high = CASES[name]
    first, second = samples(draw, 2)
    error = 5 * deviation / math.sqrt(first.size)
    assert abs(first.mean() - mean) < error and abs(first.std() - deviation) < 2 * error
    assert first.min() >= low and first.max() <= high
    assert np.mean(first != second) > 0.5
    # Neither rows nor columns repeat each other.
    correlation = np.corrcoef(first.T) - np.eye(4)
    assert np.abs(correlation).max() < 0.1
    assert abs(np.corrcoef(first[1:, 0], first[:-1, 0])[0, 1]) < 0.1


def test_engines_draw_the_same():
    found = []
    for device in ("cpu", "reference"):
        keras.config.set_device(device)
        keras.utils.set_random_seed(7)
        found.append(samples(lambda s: random.normal(s, seed=3))[0])
    keras.config.set_device("cpu")
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_categorical_and_dropout(device):
    class Draw(keras.layers.Layer):
        def call(self, x):
            return ops.cast(random.categorical(ops.log(x), 5), "float32")

    class Drop(keras.layers.Layer):
        def call(self, x):
            return random.dropout(x, 0.25)

    x = np.tile(np.array([[0.1, 0.2, 0.7]], np.float32), (ROWS, 1))
    drawn = keras.Sequential([keras.Input((3,)), Draw()]).predict(x, verbose=0)
    shares = [np.mean(drawn == i) for i in range(3)]
    np.testing.assert_allclose(shares, x[0], atol=0.02)
    dropped = keras.Sequential([keras.Input((3,)), Drop()]).predict(x, verbose=0)
    assert abs(np.mean(dropped == 0) - 0.25) < 0.02
    np.testing.assert_allclose(dropped[dropped != 0].max(), 0.7 / 0.75, rtol=1e-6)


def test_what_has_no_native_form_is_refused():
    class Gamma(keras.layers.Layer):
        def call(self, x):
            return x + random.gamma((3,), 1.0)

    with pytest.raises(NotImplementedError, match=r"random\.gamma has no native form"):
        Gamma()(keras.Input((3,)))
