"""The functions of `dnnfast.ops` have the signatures of Keras's, and give its numbers and types."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops, tree
from ops.test_functional import described, names_once, predicted
from ops.test_functions import ALL, check
from parity.oracle import keras3

pytestmark = pytest.mark.parity

# Keras's sparsemax adds up cumulative sums: its results are no probabilities. With JAX halves of
# positions go down, not to the even one as NumPy and TensorFlow have it.
OTHERS = ("sparsemax-x", "sparsemax-c", "quantile-2 nearest")


# Keras cannot: axes and repeats that were lists in JSON, tensors among numbers.
REFUSED = ("quantile-kept", "trapezoid-xp", "repeat-each", "rot90-3", "slice-moving")
REFUSED += ("slice_update-moving", "switch-xj")


@pytest.mark.parametrize("name", ops.__all__)
def test_signatures(name):
    ours = inspect.signature(getattr(ops, name)).parameters.values()
    theirs = inspect.signature(getattr(keras3.ops, name)).parameters.values()
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a.default == b.default


@pytest.mark.parametrize("case", [c for c in ALL if str(c) not in OTHERS], ids=str)
def test_numbers_and_types(case):
    ours = tree.flatten(case.call(ops, *case.arrays()))
    theirs = tree.flatten(case.call(keras3.ops, *(keras3.ops.array(a) for a in case.arrays())))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert np.asarray(a).dtype.name == np.asarray(b).dtype.name
        check(a, b)


@pytest.mark.parametrize("case", names_once(), ids=str)
def test_functional_models_are_exchanged(case):
    """Keras builds what we describe, and we what Keras describes; both give the same."""
    ours = described(case)
    if ours is None or str(case) in (*OTHERS, *REFUSED):
        pytest.skip("not one row a sample")
    expected = predicted(ours, case)
    theirs = keras3.models.model_from_json(ours.to_json())
    kinds = [sorted(type(o).__name__ for o in model.operations) for model in (ours, theirs)]
    assert kinds[0] == kinds[1]
    for a, b in zip(expected, tree.flatten(theirs(case.arrays())), strict=True):
        check(a, b)
    again = keras.models.model_from_json(theirs.to_json())
    for a, b in zip(expected, predicted(again, case), strict=True):
        np.testing.assert_array_equal(a, b)
