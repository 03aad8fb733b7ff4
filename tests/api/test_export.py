"""ONNX files of models: what another program computes from them is what `predict` gives."""

import sys

import numpy as np
import pytest

import dnnfast as keras
from api.test_layers import made
from dnnfast import symbolic, tree
from layer_rows import ROWS, data
from ops.test_functions import ALL, model_of

onnx = pytest.importorskip("onnx")
L, ops = keras.layers, keras.ops


def reader_of(path):
    """Return a function that runs a file: by ONNX Runtime, or else by onnx itself."""
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        reader = ReferenceEvaluator(str(path))
        return lambda feed: reader.run(None, feed)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return lambda feed: session.run(None, feed)


def check(model, x, path, tolerance=1e-5, **options):
    """Export a model and compare what the file gives with its predictions."""
    assert model.export(path, **options) == path
    proto = onnx.load(path)
    names = [value.name for value in proto.graph.input]
    arrays = tree.flatten(x)
    feed = dict(zip(names, arrays, strict=True))
    expected = tree.flatten(model.predict(x, verbose=0, batch_size=len(arrays[0])))
    found = reader_of(path)(feed)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.float32 and one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    return proto


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "model.onnx"


RANDOM = ("MCDropout", "MCAlphaDropout")


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in RANDOM], ids=str)
def test_layers(row, path):
    layer = made(row)
    inputs = tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=x.dtype.name), row.inputs)
    model = keras.Model(inputs, layer(inputs))
    check(model, row.inputs, path)
    longer = tree.map_structure(lambda x: np.concatenate([x, x[:3]]), row.inputs)
    check(model, longer, path)
    check(model, tree.map_structure(lambda x: x[:1], row.inputs), path)


KINDS = [k for k in keras.activations.__all__ if k not in ("get", "serialize", "deserialize")]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "threshold"])
def test_activations(kind, path):
    model = keras.Sequential([keras.Input((6,)), L.Activation(kind)])
    check(model, 4 * data(9, 6), path)


def test_activations_with_arguments(path):
    x = keras.Input((6,))
    outputs = [
        ops.threshold(x, 0.5, -1.0),
        ops.celu(x, alpha=0.3),
        ops.elu(x, alpha=0.3),
        ops.leaky_relu(x, negative_slope=0.1),
        ops.gelu(x, approximate=True),
        L.ReLU(max_value=1.0, threshold=0.2)(x),
    ]
    check(keras.Model(x, outputs), 4 * data(9, 6), path)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_functions(case, path):
    """Every function of `ops`, in a layer."""
    model, _, arrays = model_of(case)
    check(model, arrays if len(arrays) > 1 else arrays[0], path, 1e-4)


@pytest.mark.parametrize("kind", ["sum", "product", "max", "sort", "arg_sort"])
@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"exclusive": True}], ids=str)
def test_scans(kind, options, path):
    if "exclusive" in options and "sort" in kind:
        options = {"reverse": True}

    class Scan(L.Layer):
        def call(self, x):
            rows = symbolic.scan(x, kind, 0, **options)  # over the batch
            return [rows, symbolic.scan(x, kind, 1, **options)]

    x = keras.Input((3, 4))
    values = np.round(data(5, 3, 4))  # some are equal
    check(keras.Model(x, Scan()(x)), values, path)


def test_names_shapes_and_types(path):
    a = keras.Input((3,), name="numbers")
    b = keras.Input((2,), dtype="int32", name="words")
    joined = L.concatenate([a, L.Flatten()(L.Embedding(5, 4, name="table")(b))])
    model = keras.Model([a, b], {"out": L.Dense(1, name="out")(joined), "numbers": L.ReLU()(a)})
    x = [data(4, 3), np.array([[0, 4], [1, 1], [2, 3], [4, 0]], np.int32)]
    proto = check(model, x, path)
    assert [value.name for value in proto.graph.input] == ["numbers", "words"]
    assert [value.name for value in proto.graph.output] == ["numbers_1", "out"]
    kinds = [value.type.tensor_type.elem_type for value in proto.graph.input]
    assert kinds == [onnx.TensorProto.FLOAT, onnx.TensorProto.INT32]
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    assert dims[0].dim_param == "batch" and dims[1].dim_value == 3
    assert {"out/kernel", "table/embeddings"} <= {array.name for array in proto.graph.initializer}
    assert proto.producer_name == "dnnfast"


def test_a_network(path):
    layers = [keras.Input((8, 8)), L.Rescaling(1 / 255), L.Flatten()]
    for _ in range(3):
        layers += [L.Dense(16, use_bias=False), L.BatchNormalization(), L.ReLU(), L.Dropout(0.2)]
    model = keras.Sequential([*layers, L.GaussianNoise(0.1), L.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).integers(0, 256, (64, 8, 8)).astype("f")
    model.fit(x, np.arange(64) % 10, epochs=2, verbose=0)
    whole = check(model, x, path)
    folded = check(model, x, path, fold=True)
    kinds = [node.op_type for node in folded.graph.node]
    assert kinds.count("Gemm") == 4 and kinds.count("Relu") == 3
    assert len(kinds) == len(whole.graph.node) - 6  # factor and offset of three normalizations


def test_subclasses_choices_and_shared_layers(path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.norm = L.Dense(5), L.BatchNormalization()

        def call(self, inputs, training=False):
            y = self.norm(self.dense(self.dense(inputs)), training=training)
            if training:
                y = keras.random.normal(ops.shape(y)) + y
            return ops.cumsum(y, -1) / ops.norm(y, axis=-1, keepdims=True)

    model = Own()
    x = data(6, 5)
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    check(model, x, path)


def test_a_normalization_in_training_mode(path):
    x = keras.Input((5,))
    for options in ({}, {"center": False, "scale": False}):
        model = keras.Model(x, L.BatchNormalization(**options)(x, training=True))
        check(model, 3 * data(16, 5) + 1, path)


@pytest.mark.parametrize("layer", [L.MCDropout, L.MCAlphaDropout])
def test_what_is_random_when_it_predicts(layer, path):
    model = keras.Sequential([keras.Input((4,)), L.Dense(3), layer(0.5, name="noise"), L.ReLU()])
    with pytest.raises(ValueError, match=r"export: layer 'noise' dr.* when it predicts"):
        model.export(path)
    assert not path.exists()


def test_arguments(path):
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    with pytest.raises(ValueError, match="format must be"):
        model.export(path, format="tf_saved_model")
    with pytest.raises(TypeError, match="unknown argument 'folded'"):
        model.export(path, folded=True)
    with pytest.raises(ValueError, match="not built"):
        keras.Sequential([L.Dense(1)]).export(path)


def test_a_missing_onnx_is_named(path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "onnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    with pytest.raises(ImportError, match=r"pip install 'dnnfast\[onnx\]'"):
        model.export(path)
