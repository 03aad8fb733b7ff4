"""Helpers give Keras's results."""

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import keras3

pytestmark = pytest.mark.parity

OPTIONS = [
    {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": -1}
    for maxlen in (None, 2, 5)
    for padding in ("pre", "post")
    for truncating in ("pre", "post")
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_padding(options):
    sequences = [[1, 2, 3], [4], [5, 6], []]
    ours, theirs = (
        package.utils.pad_sequences(sequences, **options) for package in (keras, keras3)
    )
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_one_hot_and_norms():
    rng = np.random.default_rng(0)
    for labels in ([0, 2, 1], [[1], [3]], [[0, 1], [2, 2]], 3):
        for count in (None, 5):
            ours, theirs = (
                package.utils.to_categorical(labels, count) for package in (keras, keras3)
            )
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    x = rng.normal(size=(3, 4)).astype(np.float32)
    for order in (1, 2, 3):
        ours, theirs = (package.utils.normalize(x, order=order) for package in (keras, keras3))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("data", [1, (1,), [1, 2], (1, 2, 3), {"a": 1}], ids=str)
def test_parts_of_a_batch(data):
    ours, theirs = (package.utils.unpack_x_y_sample_weight(data) for package in (keras, keras3))
    assert ours == theirs
    ours, theirs = (
        package.utils.pack_x_y_sample_weight(*package.utils.unpack_x_y_sample_weight(data))
        for package in (keras, keras3)
    )
    assert ours == theirs
