"""Data in every form trains, evaluates and predicts as plain arrays do."""

import itertools
import threading

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes

X, Y = classes(n=70)
W = np.linspace(0.5, 2.0, 70).astype(np.float32)
BATCH = 16


class Tensor:
    """Something that NumPy can only ask for an array, as tensors of other packages."""

    def __init__(self, array):
        self._array = array
        self.shape = array.shape

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._array, dtype)


class Exchanged:
    """Something that offers DLPack only."""

    def __init__(self, array):
        self._array = np.array(array)

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class Batches(keras.utils.PyDataset):
    """The data set in batches by number."""

    def __init__(self, weights=False, **options):
        super().__init__(**options)
        self.parts = (X, Y, W) if weights else (X, Y)

    def __len__(self):
        return -(-len(X) // BATCH)

    def __getitem__(self, index):
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return tuple(part[rows] for part in self.parts)


class Loader:
    """A loader of lists of batches that can be gone through again, as PyTorch's."""

    def __init__(self, wrap=np.asarray):
        self.wrap = wrap

    def __len__(self):
        return -(-len(X) // BATCH)

    def __iter__(self):
        return ([self.wrap(part) for part in batch] for batch in Batches())


class Stream:
    """Batches that do not know their number, as a tf.data.Dataset."""

    def __iter__(self):
        return iter(Batches())

    def __len__(self):
        raise TypeError("the length is not known")


ARRAYS = {
    "lists": lambda x, y, w: (x.tolist(), y.tolist(), w.tolist()),
    "tuples": lambda x, y, w: (tuple(map(tuple, x)), tuple(y), tuple(w)),
    "lists of arrays": lambda x, y, w: ([x], [y], w),
    "dict": lambda x, y, w: ({"samples": x}, y, w),
    "column": lambda x, y, w: (x, y[:, None], w[:, None]),
    "float64": lambda x, y, w: (x.astype("d"), y.astype("d"), w.astype("d")),
    "tensors": lambda x, y, w: (Tensor(x), Tensor(y), Tensor(w)),
    "dlpack": lambda x, y, w: (Exchanged(x), Exchanged(y), Exchanged(w)),
    "read-only": lambda x, y, w: (np.broadcast_to(x, x.shape), y, w),
    "not contiguous": lambda x, y, w: (np.repeat(x, 2, 1)[:, ::2], np.repeat(y, 2)[::2], w),
}


def named_classifier():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6,), name="samples")
    hidden = keras.layers.Dense(8, "relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return model


def results(*data, weights=None, **options):
    """Train, evaluate and predict, and return all numbers."""
    model = named_classifier()
    extra = {} if weights is None else {"sample_weight": weights}
    options = {"batch_size": BATCH, "epochs": 2, "verbose": 0, **options}
    history = model.fit(*data, **extra, **options).history
    found = [history[key] for key in sorted(history)]
    found.append(model.evaluate(*data, batch_size=BATCH, verbose=0, **extra))
    return [*found, *model.get_weights(), model.predict(data[0], batch_size=BATCH, verbose=0)]


def check_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays(form, device):
    x, y, w = ARRAYS[form](X, Y, W)
    expected = results(X, Y, weights=W, validation_split=0.25)
    check_same(results(x, y, weights=w, validation_split=0.25), expected)


def test_pandas(device):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"), index=np.arange(70)[::-1])
    series = [pandas.Series(part, index=np.arange(70)[::-1]) for part in (Y, W)]
    expected = results(X, Y, weights=W, validation_split=0.25)
    check_same(results(frame, series[0], weights=series[1], validation_split=0.25), expected)
    check_same(results(frame, series[0].to_frame(), weights=W, validation_split=0.25), expected)
    mixed = frame.assign(a=np.arange(70) % 2 == 0, b=np.arange(70))
    values = np.column_stack([np.arange(70) % 2 == 0, np.arange(70), X[:, 2:]]).astype("f")
    check_same(results(mixed, series[0]), results(values, Y))
    with pytest.raises(TypeError, match="encode text"):
        named_classifier().fit(frame.assign(a="text"), series[0], verbose=0)


def forms_of_batches():
    yield "dataset", Batches
    yield "dataset of 3 threads", lambda: Batches(workers=3, max_queue_size=2)
    yield "dataset without threads", lambda: Batches(workers=0)
    yield "loader", Loader
    yield "loader of tensors", lambda: Loader(Tensor)
    yield "stream", Stream
    yield "generator", lambda: (batch for _ in range(3) for batch in Batches())
    yield "iterator", lambda: iter(list(Batches()) * 3)


BATCHES = dict(forms_of_batches())


@pytest.mark.parametrize("form", BATCHES)
def test_batches(form, device):
    make, steps = BATCHES[form], len(Batches())
    once = {"steps_per_epoch": steps} if hasattr(make(), "__next__") else {}
    expected = named_classifier()
    reference = expected.fit(X, Y, BATCH, 3, verbose=0, shuffle=False, validation_data=(X, Y))
    model = named_classifier()
    options = {"validation_steps": steps} if once else {}
    history = model.fit(
        make(), epochs=3, verbose=0, shuffle=False, validation_data=make(), **once, **options
    )
    check_same(model.get_weights(), expected.get_weights())
    for key, values in reference.history.items():
        np.testing.assert_allclose(history.history[key], values, rtol=1e-6)
    limit = {"steps": steps} if once else {}
    np.testing.assert_allclose(
        model.evaluate(make(), verbose=0, **limit), model.evaluate(X, Y, verbose=0), rtol=1e-6
    )
    np.testing.assert_array_equal(
        model.predict(make(), verbose=0, **limit), model.predict(X, batch_size=BATCH, verbose=0)
    )
    assert not threads()


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("dnnfast-data")]


def test_sample_weights_in_batches(device):
    expected = named_classifier()
    expected.fit(X, Y, BATCH, sample_weight=W, shuffle=False, verbose=0, validation_data=(X, Y, W))
    model = named_classifier()
    history = model.fit(
        Batches(weights=True), shuffle=False, verbose=0, validation_data=Batches(weights=True)
    )
    check_same(model.get_weights(), expected.get_weights())
    found, wanted = history.history["val_loss"], expected.history.history["val_loss"]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    model.fit(((x, y) for x, y in Batches()), class_weight={1: 2.0}, verbose=0)


def test_a_data_set_is_shuffled_by_the_seed(device):
    class Numbered(Batches):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    orders = []
    for _ in range(2):
        seen = []
        named_classifier().fit(Numbered(), epochs=2, verbose=0)
        orders.append(seen[1:])  # the first was to learn shapes
    count = len(Batches())
    assert orders[0] == orders[1]
    assert sorted(orders[0][:count]) == sorted(orders[0][count:]) == list(range(count))
    assert orders[0][:count] != orders[0][count:]


def test_processes():
    model, expected = named_classifier(), named_classifier()
    dataset = Batches(workers=2, use_multiprocessing=True)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    expected.fit(X, Y, BATCH, 2, shuffle=False, verbose=0)
    check_same(model.get_weights(), expected.get_weights())


def test_several_inputs_and_outputs(device):
    def build():
        keras.utils.set_random_seed(5)
        a, b = keras.Input((6,), name="a"), keras.Input((1,), name="b")
        both = keras.layers.concatenate([a, b])
        outputs = [keras.layers.Dense(3, "softmax", name="kind")(both)]
        outputs.append(keras.layers.Dense(1, name="value")(both))
        model = keras.Model([a, b], outputs)
        losses = ["sparse_categorical_crossentropy", "mse"]
        model.compile(keras.optimizers.SGD(0.1), losses)
        return model

    x, y = [X, W], [Y, W]
    forms = [
        (x, y, [W, W]),
        (tuple(x), tuple(y), (W, W)),
        ({"b": W, "a": X}, {"value": W, "kind": Y}, {"value": W, "kind": W}),
        ([part.tolist() for part in x], [part.tolist() for part in y], [W.tolist(), W.tolist()]),
        ([X, W[:, None]], [Y[:, None], W[:, None]], W),
    ]
    found = []
    for inputs, targets, weights in forms:
        model = build()
        options = {"validation_split": 0.2, "batch_size": BATCH, "epochs": 2, "verbose": 0}
        history = model.fit(inputs, targets, sample_weight=weights, **options)
        found.append([*model.get_weights(), *model.predict(inputs, verbose=0)])
        found[-1].append(history.history["val_loss"])
    for other in found[1:]:
        check_same(other, found[0])

    def batches():
        for begin in range(0, len(X), BATCH):
            rows = slice(begin, begin + BATCH)
            yield {"a": X[rows], "b": W[rows]}, {"kind": Y[rows], "value": W[rows]}

    model, expected = build(), build()
    model.fit(batches(), verbose=0)
    expected.fit(x, y, BATCH, shuffle=False, verbose=0)
    check_same(model.get_weights(), expected.get_weights())


def test_targets_of_some_outputs_only(device):
    def build():
        keras.utils.set_random_seed(5)
        inputs = keras.Input((6,))
        outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")]
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.1), "mse", metrics=[["mae"], ["mae"]])
        return model

    model = build()
    before = model.get_weights()
    history = model.fit(X, [W, None], verbose=0, validation_split=0.2)
    assert list(history.history) == ["loss", "a_mae", "val_loss", "val_a_mae"]
    after = model.get_weights()
    assert (after[0] != before[0]).any()
    check_same(after[2:], before[2:])
    again = build()
    again.fit(X, {"a": W}, verbose=0, validation_split=0.2)
    check_same(again.get_weights(), after)
    assert len(model.fit(X, [W, W], verbose=0).history) == 5
    with pytest.raises(ValueError, match="is None"):
        model.fit(X, [None, None], verbose=0)


def test_nested_targets(device):
    inputs = keras.Input((6,))
    a, b, c = (keras.layers.Dense(1, name=name)(inputs) for name in "abc")
    model = keras.Model(inputs, [[a, b], c])
    model.compile("sgd", "mse")
    loss = model.evaluate(X, [[W, 2 * W], 3 * W], verbose=0)
    assert loss == pytest.approx(model.evaluate(X, [W, 2 * W, 3 * W], verbose=0))
    assert [len(part) for part in model.predict(X)[0]] == [70, 70]


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    rows, columns = 1 << 20, 64  # 256 MiB, of which no byte is written
    samples = np.memmap(tmp_path / "samples", np.float32, "w+", shape=(rows, columns))
    targets = np.memmap(tmp_path / "targets", np.float32, "w+", shape=(rows, 1))
    model = keras.Sequential([keras.Input((columns,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(samples[:64], targets[:64], verbose=0)

    def private():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

    import tracemalloc

    tracemalloc.start()
    try:
        before = private()
        for options in ({"steps_per_epoch": 20, "batch_size": 32}, {"validation_split": 0.5}):
            model.fit(samples, targets, verbose=0, **{"batch_size": 4096, **options})
        model.evaluate(samples, targets, 4096, verbose=0, steps=4)
        peak, grown = tracemalloc.get_traced_memory()[1], private() - before
    finally:
        tracemalloc.stop()
    order = rows * 8  # the shuffled row numbers
    assert peak < 3 * order
    assert grown * 1024 < 4 * order


MISTAKES = {
    "y": (lambda m: m.fit(Batches(), Y), ValueError, "y must be part of them"),
    "weight": (lambda m: m.fit(Batches(), sample_weight=W), ValueError, "sample_weight must be"),
    "split": (lambda m: m.fit(Batches(), validation_split=0.1), ValueError, "validation_data"),
    "empty": (lambda m: m.fit(iter(())), ValueError, "no batch"),
    "parts": (lambda m: m.fit(iter([(X, Y, W, W)])), ValueError, "4 parts"),
    "no targets": (lambda m: m.fit(iter([X])), ValueError, "y is None"),
    "generator as y": (lambda m: m.fit(X, (y for y in Y)), TypeError, "as x alone"),
    "class names": (lambda m: m.fit(X, Y, class_weight={"0": 1.0}), ValueError, "class numbers"),
    "class factor": (lambda m: m.fit(X, Y, class_weight={0: "a"}), ValueError, "class 0"),
    "steps": (lambda m: m.fit(X, Y, sample_weight=np.ones((70, 3))), ValueError, "one weight"),
    "shuffle": (lambda m: m.fit(X, Y, shuffle="rows"), ValueError, "shuffle"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name, device):
    call, error, words = MISTAKES[name]
    model = named_classifier()
    before = model.get_weights()
    with pytest.raises(error, match=words):
        call(model)
    check_same(model.get_weights(), before)
    model.fit(X, Y, verbose=0)
    assert not threads()


def test_class_weights(device):
    expected = named_classifier()
    expected.fit(X, Y, sample_weight=np.where(Y == 1, 3.0, 1.0), verbose=0)
    model = named_classifier()
    model.fit(X, Y, class_weight={1: 3, 7: 100.0}, verbose=0)
    check_same(model.get_weights(), expected.get_weights())


def test_an_unbuilt_model_is_built_by_a_batch(device):
    model = keras.Sequential([keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(itertools.islice(Batches(), 2), verbose=0)
    assert model.built
    assert model.input_shape == (None, 6)


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_shuffle(shuffle, device):
    seen = []

    class Spy(keras.Sequential):
        def train_step(self, data):
            seen.append(data[0][:, 0].astype(int))
            return super().train_step(data)

    rows = np.arange(70, dtype=np.float32)[:, None]
    model = Spy([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    model.fit(rows, 0 * rows, batch_size=16, shuffle=shuffle, verbose=0)
    assert sorted(np.concatenate(seen)) == list(range(70))
    in_order = [np.array_equal(np.sort(part), part) for part in seen]
    in_place = [set(part) == set(range(16 * i, 16 * i + len(part))) for i, part in enumerate(seen)]
    assert all(in_order) == (shuffle is False)
    assert all(in_place) == (shuffle is not True)
