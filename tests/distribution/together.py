"""What the processes of test_data_parallel.py run; rank 0 keeps the numbers.

python together.py FILE DEVICE [alone]
"""

import sys
from pathlib import Path

import numpy as np
import pytest

import dnnfast as keras

BATCH = 20  # of all processes together
ROWS = 101  # the last step has a single row: with several processes, not one for each


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 8)).astype("float32")
    return x, rng.integers(0, 3, ROWS), rng.random(ROWS).astype("float32")


def net(optimizer, **options):
    keras.utils.set_random_seed(3)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((8,)), dense(16, "relu", kernel_regularizer="l2")])
    model.add(dense(12, "tanh", kernel_constraint=keras.constraints.MaxNorm(1.0)))
    model.add(dense(3, "softmax"))
    metrics = ["accuracy", keras.metrics.MeanIoU(3, sparse_y_pred=False)]
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=metrics, **options)
    return model


def training(batch, optimizer):
    """Weights, optimizer state and logs after some epochs."""
    x, y, weight = data()
    model = net(optimizer)
    held_out = (x[:31], y[:31], weight[:31])
    history = model.fit(
        x, y, batch, epochs=3, sample_weight=weight, validation_data=held_out, verbose=2
    )
    again = model.fit(x, y, batch, epochs=1, shuffle=False, verbose=0)  # goes on
    logs = [value for h in (history, again) for values in h.history.values() for value in values]
    logs += model.evaluate(x, y, verbose=0)
    return [*model.get_weights(), *model.optimizer.get_weights(), np.asarray(logs)]


def normalization(batch):
    """The moving statistics are the same everywhere, and the mean of those of the processes."""
    x, y, _ = data()
    keras.utils.set_random_seed(5)
    layers = [keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((8,)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x[:80], y[:80], batch, epochs=1, shuffle=False, verbose=0)
    mean = model.layers[0].moving_mean.numpy()
    # Means over processes of means of parts are those of the whole.
    moving = np.zeros(8)
    for part in x[:80].reshape(-1, BATCH, 8):
        moving = 0.5 * moving + 0.5 * part.mean(axis=0)
    np.testing.assert_allclose(mean, moving, rtol=1e-4, atol=1e-6)


def failure(group, batch):
    """Where one process's loss is not finite, all stop before that step, and can go on."""
    x, y, _ = data()
    model = net("adam")
    model.fit(x, y, batch, epochs=1, verbose=0)
    before = model.get_weights()
    broken = x.copy()
    broken[BATCH - 1] = np.nan  # of the last process, in the first step
    with pytest.raises(FloatingPointError):
        model.fit(broken, y, batch, epochs=1, verbose=0, shuffle=False)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(model.fit(x, y, batch, epochs=1, verbose=0).history["loss"]).all()
    layers = [keras.Input((8,)), keras.layers.BatchNormalization(synchronized=True)]
    synchronized = keras.Sequential([*layers, keras.layers.Dense(3)])
    synchronized.compile("sgd", "mse")
    with pytest.raises(ValueError, match="synchronized=True is not supported"):
        synchronized.fit(x, x[:, :3], verbose=0)
    with pytest.raises(ValueError, match="not enough"):
        model.fit(x[: group.size - 1], y[: group.size - 1], verbose=0)


def files(group, batch, folder):
    """The first process writes, all go on from a backup."""
    x, y, _ = data()
    rank, callbacks = group.rank, keras.callbacks
    kinds = ("log.csv", "board", "best.keras", "backup")
    names = {kind: folder / f"{rank}{kind}" for kind in kinds}
    written = [
        callbacks.CSVLogger(names["log.csv"]),
        callbacks.TensorBoard(names["board"]),
        callbacks.ModelCheckpoint(names["best.keras"], monitor="loss"),
        callbacks.BackupAndRestore(names["backup"], delete_checkpoint=False),
    ]
    model = net("adam")
    model.fit(x, y, batch, epochs=2, verbose=0, callbacks=written)
    assert [path.exists() for path in names.values()] == [rank == 0] * len(names)
    group.any(False)  # all have looked
    again = net("adam")
    backup = callbacks.BackupAndRestore(folder / "0backup")
    history = again.fit(x, y, batch, epochs=3, verbose=0, callbacks=[backup])
    assert len(history.history["loss"]) == 3
    model.fit(x, y, batch, epochs=3, initial_epoch=2, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def equal_everywhere(group, arrays):
    for array in arrays:
        for other in group._communicator.allgather(array):
            np.testing.assert_array_equal(array, other)


def main():
    path, device, *alone = sys.argv[1:]
    keras.config.set_device(device)
    keras.config.set_threads(1)
    group = None if alone else keras.distribution.DataParallel()
    keras.distribution.set_distribution(group)
    batch = BATCH // (1 if group is None else group.size)
    optimizers = keras.optimizers
    found = []
    for optimizer in (
        optimizers.SGD(0.1, momentum=0.9),
        optimizers.Adam(0.01, global_clipnorm=0.5, use_ema=True),
        optimizers.LossScaleOptimizer(optimizers.RMSprop(0.01), initial_scale=8.0),
    ):
        arrays = training(batch, optimizer)
        if group is not None:
            equal_everywhere(group, arrays)
        found += arrays
    normalization(batch)
    if group is not None:
        failure(group, batch)
        files(group, batch, Path(path).parent)
    if keras.distribution.is_writer():
        np.savez(path, *found)


if __name__ == "__main__":
    main()
