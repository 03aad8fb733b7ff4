"""Batches that others make: how many are taken, what happens at their end and when they fail."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier

X, Y = classes(n=64)
BATCH = 8


def batches(count, raises_at=None):
    for i in range(count):
        if i == raises_at:
            raise OSError("the disk is gone")
        begin = i * BATCH % 64
        yield X[begin : begin + BATCH], Y[begin : begin + BATCH]


class Counted:
    """An iterator that counts what is taken from it."""

    def __init__(self, count=10**6):
        self.taken = 0
        self._batches = batches(count)

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return next(self._batches)


class Steps(keras.callbacks.Callback):
    """Counts the steps of each epoch."""

    def on_train_begin(self, logs=None):
        self.counts = []

    def on_epoch_begin(self, epoch, logs=None):
        self.counts.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.counts[-1] += 1


@pytest.fixture(autouse=True)
def _no_thread_stays():
    yield
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("dnnfast-data")]


def test_no_batch_is_taken_in_vain(device):
    source, model = Counted(), classifier()
    model.fit(source, steps_per_epoch=5, epochs=2, verbose=0, validation_data=(X, Y))
    assert source.taken == 10
    model.evaluate(source, steps=3, verbose=0)
    assert source.taken == 13
    model.predict(source, steps=2, verbose=0)
    assert source.taken == 15


ENDS = {
    # batches, epochs, steps_per_epoch: steps of each epoch, warnings
    "pass": (5, 1, None, [5], 0),
    "one pass only": (5, 3, None, [5], 1),
    "goes on": (5, 2, 2, [2, 2], 0),
    "ends in an epoch": (5, 3, 2, [2, 2, 1], 1),
    "ends between epochs": (4, 3, 2, [2, 2], 1),
    "too short": (5, 1, 10, [5], 1),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.filterwarnings("always:The data ran out")
def test_the_end_of_a_generator(name, device, recwarn):
    count, epochs, per_epoch, expected, warned = ENDS[name]
    steps, model = Steps(), classifier()
    history = model.fit(
        batches(count), epochs=epochs, steps_per_epoch=per_epoch, callbacks=steps, verbose=0
    )
    assert steps.counts == expected
    assert len(history.history["loss"]) == len(expected)
    assert int(model.optimizer.iterations) == sum(expected)
    assert len([w for w in recwarn if "ran out" in str(w.message)]) == warned


class Data(keras.utils.PyDataset):
    """Five batches; records the calls."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.calls.append(index)
        return X[:BATCH], Y[:BATCH]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


PASSES = {
    # per epoch: steps of each epoch, warnings
    None: ([5, 5, 5, 5], 0),
    2: ([2, 2, 1, 2], 1),
    5: ([5, 5, 5, 5], 0),
    7: ([5, 5, 5, 5], 4),
}


@pytest.mark.parametrize("per_epoch", PASSES)
@pytest.mark.parametrize("arrays", [True, False], ids=["arrays", "dataset"])
@pytest.mark.filterwarnings("always:The data ran out")
def test_passes_over_data_of_known_length(arrays, per_epoch, device, recwarn):
    expected, warned = PASSES[per_epoch]
    steps, data = Steps(), Data()
    given = {"x": X[:40], "y": Y[:40], "batch_size": BATCH} if arrays else {"x": data}
    options = {"shuffle": False, "verbose": 0, "callbacks": steps}
    classifier().fit(**given, epochs=4, steps_per_epoch=per_epoch, **options)
    assert steps.counts == expected
    assert len([w for w in recwarn if "ran out" in str(w.message)]) == warned
    if arrays:
        return
    # Batch 0 was fetched first to learn shapes; then nothing beyond an epoch before its end.
    wanted, position = [0], 0
    for count in expected:
        numbers = [(position + i) % 5 for i in range(count)]
        wanted += ["begin", *numbers, "end"]
        position += count
    assert data.calls == wanted


def test_batch_size_from_steps(device):
    sizes = []

    class Spy(keras.Sequential):
        def train_step(self, data):
            sizes.append(len(data[0]))
            return super().train_step(data)

    model = Spy([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, Y, steps_per_epoch=5, verbose=0)
    assert sizes == [13, 13, 13, 13, 12]


@pytest.mark.parametrize("kind", ["generator", "dataset", "threads"])
def test_a_source_that_raises(kind, device):
    class Failing(Data):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("the disk is gone")
            return super().__getitem__(index)

    def source():
        if kind == "generator":
            return batches(10, raises_at=3)
        return Failing(workers=2 if kind == "threads" else 1)

    model = classifier()
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(source(), epochs=2, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 3
    assert np.isfinite(model.predict(X, verbose=0)).all()
    for call in (model.evaluate, model.predict):
        with pytest.raises(OSError, match="the disk is gone"):
            call(source(), verbose=0)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(X, Y, validation_data=source(), verbose=0)
    model.fit(batches(4), verbose=0)
    assert int(model.optimizer.iterations) == 3 + 2 + 4


def test_the_steps_before_the_failure_are_those_of_plain_training(device):
    model, expected = classifier(), classifier()
    expected.set_weights(model.get_weights())
    with pytest.raises(OSError, match="disk"):
        model.fit(batches(8, raises_at=3), verbose=0)
    expected.fit(X[: 3 * BATCH], Y[: 3 * BATCH], batch_size=BATCH, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_bad_batch_in_the_middle(device):
    model = classifier()
    bad = [(X[:8], Y[:8]), (X[:8], Y[:8]), (X[:8], Y[:7])]
    with pytest.raises(ValueError, match="8 samples but y has 7"):
        model.fit(iter(bad), verbose=0)
    assert int(model.optimizer.iterations) == 2
    bad[2] = (X[:8] * np.nan, Y[:8])
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 3: x holds NaN") as error:
        model.fit(iter(bad), verbose=0)
    assert error.value.step == 2
    assert int(model.optimizer.iterations) == 4


def test_a_callback_stops_a_fit_on_a_generator_without_end(device):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 6

    def forever():
        while True:
            yield X[:BATCH], Y[:BATCH]

    model = classifier()
    model.fit(forever(), callbacks=[Stop()], verbose=0)
    assert int(model.optimizer.iterations) == 7

    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(forever(), callbacks=[Break()], verbose=0)
    assert int(model.optimizer.iterations) == 10


def test_training_that_is_stopped_before_an_epoch_takes_one_step(device):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = classifier()
    history = model.fit(X, Y, batch_size=BATCH, epochs=5, verbose=0, callbacks=[Stop()])
    assert int(model.optimizer.iterations) == 8 + 1
    assert len(history.history["loss"]) == 2


def test_ctrl_c_is_answered_at_once_when_no_batch_comes():
    released = threading.Event()

    def stuck():
        yield X[:BATCH], Y[:BATCH]
        released.wait(30)

    model = classifier()
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        model.fit(stuck(), verbose=0)
    assert time.perf_counter() - begin < 5
    released.set()
    timer.join()
    while any(thread.name.startswith("dnnfast-data") for thread in threading.enumerate()):
        time.sleep(0.01)
    assert int(model.optimizer.iterations) == 1
    model.fit(X, Y, verbose=0)


def test_batches_are_fetched_while_the_model_trains():
    now = threading.current_thread()
    seen = set()

    class Slow(Data):
        def __getitem__(self, index):
            seen.add(threading.current_thread())
            time.sleep(0.01)
            return super().__getitem__(index)

    classifier().fit(Slow(workers=3), verbose=0)
    assert len(seen - {now}) == 3


def test_a_data_set_without_end(device):
    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return X[:BATCH], Y[:BATCH]

    class OldEndless(Endless):
        def __len__(self):
            return None

    for cls in (Endless, OldEndless):
        model = classifier()
        model.fit(cls(), epochs=2, steps_per_epoch=3, verbose=0)
        assert int(model.optimizer.iterations) == 6


def test_a_data_set_that_skips_the_constructor(device):
    class Old(keras.utils.Sequence):
        def __init__(self):
            pass

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[:BATCH], Y[:BATCH]

    with pytest.warns(UserWarning, match="super"):
        classifier().fit(Old(), verbose=0)
    assert len(list(Old())) == 2


def test_validation_data_that_runs_out(device):
    model = classifier()
    with pytest.warns(UserWarning, match="ran out"):
        history = model.fit(X, Y, epochs=3, validation_data=batches(8), verbose=0).history
    assert len(history["val_loss"]) == 1
    assert history["val_loss"][0] > 0
    whole = model.fit(X, Y, epochs=3, validation_data=batches(9), validation_steps=3, verbose=0)
    assert len(whole.history["val_loss"]) == 3


def test_predictions_of_batches(device):
    model = classifier()
    expected = model.predict(X, batch_size=BATCH, verbose=0)
    for wrap in (lambda x, y: x, lambda x, y: (x,), lambda x, y: (x, y), lambda x, y: [x, y, y]):
        found = model.predict((wrap(x, y) for x, y in batches(8)), verbose=0)
        np.testing.assert_array_equal(found, expected)
    two = keras.Model(model.inputs, {"a": model.outputs[0], "b": model.layers[0].output})
    found = two.predict(((x,) for x, _ in batches(8)), verbose=0)
    np.testing.assert_array_equal(found["a"], expected)
    assert found["b"].shape == (64, 16)
    with pytest.raises(ValueError, match="mc_samples"):
        model.predict(batches(2), mc_samples=3)


def test_limits_of_the_configuration(device):
    try:
        keras.config.set_max_epochs(2)
        keras.config.set_max_steps_per_epoch(3)
        steps, model = Steps(), classifier()
        with (
            pytest.warns(UserWarning, match="epochs is limited to 2"),
            pytest.warns(UserWarning, match="steps is limited to 3"),
        ):
            model.fit(batches(100), epochs=5, steps_per_epoch=9, callbacks=steps, verbose=0)
        assert steps.counts == [3, 3]
        with pytest.warns(UserWarning, match="limited to 3"):
            assert len(model.predict(X, batch_size=4, verbose=0)) == 12
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
    with pytest.raises(ValueError, match="positive"):
        keras.config.set_max_epochs(0)
