"""Layers with the same weights give Keras's outputs, gradients, state, shapes and plain data."""

import json

import numpy as np
import pytest

import dnnfast as keras
import gradients
from dnnfast import tree
from layer_rows import ROWS
from parity.oracle import keras3

pytestmark = pytest.mark.parity

jax = pytest.importorskip("jax")
SHARED = [row for row in ROWS if row.keras]
SMOOTH = [row for row in SHARED if row.gradients and not row.random]


def pair(row):
    """Return our layer and Keras's, built alike and with the same weights."""
    layers = [getattr(package.layers, row.name)(**row.options) for package in (keras, keras3)]
    for layer in layers:
        layer.build(tree.map_structure(lambda x: (None, *x.shape[1:]), row.inputs))
    rng = np.random.default_rng(5)
    values = [rng.uniform(0.5, 1.5, w.shape) for w in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights([v.astype(np.float32) for v in values])
    if row.name == "Normalization":
        layers[1].finalize_state()
    return layers


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("row", SHARED, ids=str)
def test_outputs_and_state(row, training, device):
    ours, theirs = pair(row)
    if training and row.random:
        pytest.skip("random")
    found = ours(row.inputs, training=training)
    options = {"training": True} if training and row.differs_in_training else {}
    wanted = theirs(row.inputs, **options)
    np.testing.assert_allclose(found, np.asarray(wanted), rtol=1e-5, atol=2e-6)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert len(ours.losses) == len(theirs.losses)
    for a, b in zip(ours.losses, theirs.losses, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("row", SMOOTH, ids=str)
def test_gradients(row, training, device):
    ours, theirs = pair(row)
    outputs = tree.flatten(ours(row.inputs))
    rng = np.random.default_rng(9)
    factors = [rng.normal(size=output.shape[1:]).astype(np.float32) for output in outputs]
    of_inputs, of_weights = gradients.of_layer(ours, row.inputs, factors, training)
    options = {"training": True} if training and row.differs_in_training else {}
    arrays = tree.flatten(row.inputs)

    def loss(scales, weights):
        scaled = [x * s if x.dtype.kind == "f" else x for x, s in zip(arrays, scales, strict=True)]
        rest = [v.value for v in theirs.non_trainable_variables]
        inputs = tree.pack_sequence_as(row.inputs, scaled)
        y, _ = theirs.stateless_call(weights, rest, inputs, **options)
        values = gradients.weighted(y, factors, jax.numpy.sum, jax.numpy.multiply)
        return values.mean()

    scales = [jax.numpy.ones(x.shape[1:]) for x in arrays]
    weights = [v.value for v in theirs.trainable_variables]
    wanted_inputs, wanted_weights = jax.grad(loss, (0, 1))(scales, weights)
    if all(x.dtype.kind == "f" for x in arrays):
        for found, wanted in zip(of_inputs, wanted_inputs, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    for found, wanted in zip(of_weights, wanted_weights, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", SHARED, ids=str)
def test_configurations_and_weights(row):
    ours, theirs = pair(row)
    configs = []
    for package, layer in ((keras, ours), (keras3, theirs)):
        data = json.loads(json.dumps(package.saving.serialize_keras_object(layer)))
        data["config"]["name"] = "same"
        configs.append(data)
    assert configs[0] == configs[1]
    for kind in ("trainable_variables", "non_trainable_variables", "weights"):
        of_ours, of_theirs = getattr(ours, kind), getattr(theirs, kind)
        assert [(v.name, v.shape) for v in of_ours] == [(v.name, v.shape) for v in of_theirs]
    assert ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize("row", SHARED, ids=str)
def test_shapes(row):
    if row.options.get("activation") == "glu":
        pytest.skip("Keras takes the input's shape for that of any activation")
    ours, theirs = pair(row)
    shapes = tree.map_structure(lambda x: (None, *x.shape[1:]), row.inputs)
    found, wanted = ours.compute_output_shape(shapes), theirs.compute_output_shape(shapes)
    assert len(found) == len(wanted)
    # We know some sizes that Keras does not.
    assert all(n in (m, None) for m, n in zip(found, wanted, strict=True))


MASKED = np.array([[[0.0, 0], [1, 2], [0, 0], [3, -4]], [[5.0, 6], [0, 0], [0, 0], [-7, 8]]])
OTHER = np.array([[[0.0, 0], [0, 0], [1, 2], [3, 4]], [[0, 0], [0, 0], [9, -10], [11, 12]]])


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Add", {}),
        ("Subtract", {}),
        ("Multiply", {}),
        ("Average", {}),
        ("Maximum", {}),
        ("Minimum", {}),
        ("Concatenate", {"axis": 1}),
        ("Concatenate", {}),
    ],
)
def test_masks_of_merged_tensors(name, options, both, device):
    results = []
    for package in (keras, keras3):
        a, b = package.Input((4, 2)), package.Input((4, 2))
        masked = package.layers.Masking()
        y = getattr(package.layers, name)(**options)([masked(a), masked(b) if both else b])
        mask = getattr(y, "_keras_mask", None)
        inner = getattr(package.layers, name)(**options)
        of_arrays = inner([masked(MASKED), masked(OTHER) if both else OTHER])
        found = getattr(of_arrays, "_keras_mask", None)
        assert (mask is None) == (found is None)
        model = package.Model([a, b], y)
        results.append((model([MASKED, OTHER]), of_arrays, found))
    ours, theirs = results
    np.testing.assert_allclose(ours[0], np.asarray(theirs[0]), rtol=1e-6)
    np.testing.assert_allclose(ours[1], np.asarray(theirs[1]), rtol=1e-6)
    assert (ours[2] is None) == (theirs[2] is None)
    if ours[2] is not None:
        np.testing.assert_array_equal(ours[2], np.asarray(theirs[2]))


def test_batch_normalization_of_masked_steps(device):
    results = []
    for package in (keras, keras3):
        norm = package.layers.BatchNormalization(momentum=0.5)
        y = norm(package.layers.Masking()(MASKED.astype(np.float32)), training=True)
        results.append((np.asarray(y), norm.get_weights()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
