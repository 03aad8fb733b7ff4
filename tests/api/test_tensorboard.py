"""What the TensorBoard callback writes, read back by a reader of the tests and by TensorBoard."""

import json
import types
import warnings
import zlib

import numpy as np
import pytest

import dnnfast as keras
from api.event_files import crc32c, fields, values
from dnnfast.callbacks.callback_list import CallbackList
from dnnfast.distribution import current
from dnnfast.summaries import wire
from dnnfast.summaries.graph import layers_json

L = keras.layers
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 1))


def build():
    layers = [keras.Input((3,)), L.Dense(4, "relu", name="hidden"), L.BatchNormalization(name="bn")]
    model = keras.Sequential([*layers, L.Dense(1, name="out")], name="net")
    model.compile(keras.optimizers.SGD(0.05), "mse", metrics=["mae"])
    return model


def fit(model, callback, **options):
    options = {"epochs": 3, "batch_size": 8, "verbose": 0, "validation_split": 0.2, **options}
    return model.fit(X, Y, callbacks=[callback], **options).history


def test_checksums_and_numbers():
    assert wire.crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    data = bytes(RNG.integers(0, 256, 1000, dtype=np.uint8))
    assert wire.crc32c(data) == crc32c(data)
    for number in (0, 1, 127, 128, 300, 2**63 - 1):
        assert fields(wire.message([(1, number)])) == {1: [number]}
    assert fields(wire.message([(1, -2)])) == {1: [2**64 - 2]}
    assert fields(wire.message([(16, 1.5), (16, "ä")])) == {16: [1.5, "ä".encode()]}


def test_scalars_have_the_names_and_steps_of_keras(tmp_path, device):
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 / (epoch + 1))
    board = keras.callbacks.TensorBoard(tmp_path)
    history = build().fit(
        X, Y, batch_size=8, epochs=3, verbose=0, validation_split=0.2, callbacks=[schedule, board]
    ).history  # fmt: skip
    train, validation = values(tmp_path / "train"), values(tmp_path / "validation")
    expected = {f"epoch_{name}": history[name] for name in ("loss", "mae", "learning_rate")}
    assert set(train) == {"keras", None, *expected}
    for tag, numbers in expected.items():
        steps, plugins, tensors = zip(*train[tag], strict=True)
        assert steps == (0, 1, 2) and set(plugins) == {"scalars"}
        np.testing.assert_allclose(tensors, numbers, rtol=1e-6)
    for name in ("loss", "mae"):
        for tag, wanted in ((f"epoch_{name}", (0, 1, 2)), (f"evaluation_{name}_vs_iterations",
                                                           (4, 8, 12))):  # fmt: skip
            steps, _, tensors = zip(*validation.pop(tag), strict=True)
            assert steps == wanted
            np.testing.assert_allclose(tensors, history[f"val_{name}"], rtol=1e-6)
    assert not validation


def test_epochs_stay_in_native_code_unless_batches_are_asked_for():
    for option, hooks in (("epoch", False), ("batch", True), (5, True)):
        board = keras.callbacks.TensorBoard("unused", update_freq=option)
        assert CallbackList([board]).wants_batches("train") is hooks
        assert not CallbackList([board]).wants_batches("test")


@pytest.mark.parametrize(("freq", "steps"), [("batch", range(1, 13)), (5, (5, 10))])
def test_batches(tmp_path, freq, steps):
    board = keras.callbacks.TensorBoard(tmp_path, update_freq=freq, write_steps_per_second=True)
    means = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: means.append(logs))
    build().fit(X[:32], Y[:32], batch_size=8, epochs=3, verbose=0, callbacks=[watch, board])
    train = values(tmp_path / "train")
    assert [step for step, _, _ in train["batch_loss"]] == list(steps)
    for step, _, tensor in train["batch_loss"]:
        assert tensor == np.float32(means[step - 1]["loss"])
    for tag in ("batch_steps_per_second", "epoch_steps_per_second"):
        assert all(tensor > 0 for _, _, tensor in train[tag])


def test_batches_in_slices(tmp_path):
    model = build()
    model.compile("sgd", "mse", steps_per_execution=3)
    board = keras.callbacks.TensorBoard(tmp_path, update_freq=4)
    fit(model, board, validation_split=0.0)  # slices of 3 and 2 steps: 3 5 8 10 13 15
    found = [step for step, _, _ in values(tmp_path / "train")["batch_loss"]]
    assert found == [5, 8, 13]


def test_histograms_and_pictures_of_weights(tmp_path):
    model = build()
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True)
    fit(model, board)
    train = values(tmp_path / "train")
    for variable in model.weights:
        rows = train[f"{variable.path}/histogram"]
        assert [row[:2] for row in rows] == [(0, "histograms"), (2, "histograms")]
        left, right, counts = rows[-1][2].T
        numbers = variable.numpy().astype(np.float64)
        np.testing.assert_array_equal(counts, np.histogram(numbers, 30)[0])
        assert counts.sum() == numbers.size and (left < right).all()
        if numbers.size > 1 and np.ptp(numbers):
            assert (left[0], right[-1]) == (numbers.min(), numbers.max())
        assert f"{variable.path}/image" in train
    step, plugin, (width, height, png) = train["hidden/kernel/image"][-1]
    assert (step, plugin, width, height) == (2, "images", b"4", b"3")
    start = png.index(b"IDAT")
    size = int.from_bytes(png[start - 4 : start], "big")
    rows = np.frombuffer(zlib.decompress(png[start + 4 : start + 4 + size]), np.uint8).reshape(3, 5)
    kernel = model.get_layer("hidden").kernel.numpy()
    expected = 127.5 + 127.5 * kernel / np.abs(kernel).max()
    assert np.abs(rows[:, 1:] - expected).max() <= 0.5 and not rows[:, 0].any()


def test_weights_that_are_not_finite_do_not_stop_the_training(tmp_path):
    model = build()
    model.get_layer("out").set_weights([np.array([[np.nan], [np.inf], [1.0], [1.0]]), np.ones(1)])
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    board.set_model(model)
    board._write_weights(0)
    board.on_train_end()
    ((_, _, rows),) = values(tmp_path / "train")["out/kernel/histogram"]
    assert rows[:, 2].sum() == 2


def nodes_of(graph):
    found = {}
    for node in fields(graph)[1]:
        node = fields(node)
        inputs = [name.decode() for name in node.get(3, [])]
        found[node[1][0].decode()] = (node[2][0].decode(), inputs)
    return found


def test_graphs(tmp_path):
    model = build()
    fit(model, keras.callbacks.TensorBoard(tmp_path / "a"))
    train = values(tmp_path / "a/train")
    ((step, plugin, (text,)),) = train["keras"]
    assert (step, plugin) == (0, "graph_keras_model")
    layers = json.loads(text)["config"]["layers"]
    names = [layer["config"]["name"] for layer in layers]
    assert names == [model.inputs[0].name, "hidden", "bn", "out"]
    (graph,) = train[None]
    nodes = nodes_of(graph)
    assert nodes["hidden/dense"][1] == [model.inputs[0].name, "hidden/kernel", "hidden/bias"]
    assert nodes["hidden/activation"] == ("activation", ["hidden/dense"])
    assert nodes["bn/batchnorm"][1][0] == "hidden/activation"
    fit(build(), keras.callbacks.TensorBoard(tmp_path / "b", write_graph=False))
    assert not {"keras", None} & set(values(tmp_path / "b/train"))


def branched():
    """A model with names for inputs and outputs, numbers as arguments, and a model inside."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    inner = keras.Model([x, y], [L.Dense(2, name="p")(x), L.Dense(2, name="q")(y)], name="inner")
    p, q = inner([a, b])
    scaled = keras.ops.multiply(p, 2.0)
    return keras.Model({"a": a, "b": b}, {"sum": L.Add(name="sum")([scaled, q])}, name="net")


def test_the_graph_of_the_layers_has_only_tensors_as_arguments(tmp_path):
    config = json.loads(layers_json(branched()))["config"]
    assert config["input_layers"] == ["a", "b"] and config["output_layers"] == [["sum", 0, 0]]
    reads = {
        layer["config"]["name"]: [
            tensor["config"]["keras_history"]
            for call in layer["inbound_nodes"]
            for tensor in call["args"]
        ]
        for layer in config["layers"]
    }
    assert reads["inner"] == [["a", 0, 0], ["b", 0, 0]]
    assert reads["multiply"] == [["inner", 0, 0]]
    assert reads["sum"] == [["multiply", 0, 0], ["inner", 0, 1]]


def test_the_first_of_several_processes_writes(tmp_path, monkeypatch):
    model = build()
    model.fit(X, Y, verbose=0)
    board = keras.callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1, embeddings_freq=1)
    board.set_model(model)
    for rank in (1, 0):
        monkeypatch.setattr(current, "_current", types.SimpleNamespace(rank=rank))
        board.on_train_begin()
        board.on_epoch_begin(0)
        board.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
        board.on_train_end()
        assert (tmp_path / "logs").exists() is (rank == 0)


def test_a_model_that_is_no_graph_of_layers(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = L.Dense(1, name="inner")

        def call(self, inputs):
            return self.inner(keras.ops.exp(inputs))

    model = Own()
    model.compile("sgd", "mse")
    fit(model, keras.callbacks.TensorBoard(tmp_path))
    train = values(tmp_path / "train")
    assert "keras" not in train and "inner/dense" in nodes_of(train[None][0])


def test_a_later_fit_and_an_evaluation_add_files(tmp_path):
    model, board = build(), keras.callbacks.TensorBoard(tmp_path)
    fit(model, board)
    fit(model, board, initial_epoch=3, epochs=5)
    model.evaluate(X, Y, verbose=0, callbacks=[board])
    assert [row[0] for row in values(tmp_path / "train")["epoch_loss"]] == [0, 1, 2, 3, 4]
    steps = [row[0] for row in values(tmp_path / "validation")["evaluation_loss_vs_iterations"]]
    assert steps == [4, 8, 12, 16, 20, 20]


def test_embeddings(tmp_path):
    layers = [keras.Input((2,)), L.Embedding(5, 3, name="words"), L.Flatten(), L.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    options = {"embeddings_freq": 1, "embeddings_metadata": {"words": 'a "b".tsv'}}
    board = keras.callbacks.TensorBoard(tmp_path, **options)
    model.fit(RNG.integers(0, 5, (8, 2)), np.ones(8), verbose=0, callbacks=[board])
    table = np.loadtxt(tmp_path / "train/words.tsv", delimiter="\t")
    np.testing.assert_allclose(table, model.get_layer("words").get_weights()[0], rtol=1e-6)
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "train/words.tsv"' in config
    assert 'metadata_path: "a \\"b\\".tsv"' in config
    options["embeddings_metadata"] = {"word": "words.tsv"}
    board = keras.callbacks.TensorBoard(tmp_path, **options)
    with pytest.raises(ValueError, match=r"names 'word', .* it has words"):
        model.fit(np.ones((8, 2)), np.ones(8), verbose=0, callbacks=[board])


def test_arguments():
    board = keras.callbacks.TensorBoard
    for options in (
        {"update_freq": 0},
        {"update_freq": "epochs"},
        {"histogram_freq": -1},
        {"embeddings_freq": 0.5},
    ):
        with pytest.raises(ValueError, match=f"TensorBoard: {next(iter(options))}"):
            board(**options)
    with pytest.warns(UserWarning, match="profile_batch is ignored"):
        board(profile_batch=(10, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert board().log_dir == "logs"


@pytest.mark.parity
def test_tensorboard_reads_the_files(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.graph import keras_util
    from tensorboard.plugins.image import metadata as image
    from tensorboard.util.tensor_util import make_ndarray

    model = build()
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    history = fit(model, board)
    reader = EventAccumulator(str(tmp_path / "train"))
    reader.Reload()
    read = {tag: reader.Tensors(tag) for tag in reader.Tags()["tensors"]}
    losses = [float(make_ndarray(event.tensor_proto)) for event in read["epoch_loss"]]
    np.testing.assert_allclose(losses, history["loss"], rtol=1e-6)
    assert make_ndarray(read["hidden/kernel/histogram"][-1].tensor_proto)[:, 2].sum() == 12
    tags = {"scalars": "epoch_loss", "images": "hidden/kernel/image", "graph_keras_model": "keras"}
    for plugin, tag in {**tags, "histograms": "hidden/kernel/histogram"}.items():
        assert tag in reader.PluginTagToContent(plugin)
    content = reader.PluginTagToContent("images")["hidden/kernel/image"]
    assert image.parse_plugin_metadata(content).version == image.PROTO_VERSION
    nodes = {node.name: list(node.input) for node in reader.Graph().node}
    assert nodes["out/dense"] == ["bn/batchnorm", "out/kernel", "out/bias"]
    (text,) = make_ndarray(read["keras"][0].tensor_proto).reshape(-1)
    layers = keras_util.keras_model_to_graph_def(json.loads(text)).node
    assert {"net/hidden", "net/bn", "net/out"} <= {node.name for node in layers}
    layers = keras_util.keras_model_to_graph_def(json.loads(layers_json(branched()))).node
    reads = {node.name: list(node.input) for node in layers}
    assert reads["net/inner/x"] == ["net/a"] and reads["net/inner/y"] == ["net/b"]
    assert reads["net/multiply"] == ["net/inner/p"]
    assert reads["net/sum"] == ["net/multiply", "net/inner/q"]
