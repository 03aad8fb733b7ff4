"""A run of every method with hooks, recorded: the same for us and for Keras."""

import numpy as np

X = np.linspace(-1.0, 1.0, 50 * 4).reshape(50, 4).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)

HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "test", "predict", "epoch", "train_batch", "test_batch", "predict_batch")
    for when in ("begin", "end")
]
PLAIN = ["on_batch_begin", "on_batch_end"]  # the old names, called by the new hooks


def spy(keras, record):
    """Return a callback that records every hook with its number and the names in its logs."""

    class Spy(keras.callbacks.Callback):
        pass

    def recorder(name):
        numbered = "batch" in name or "epoch" in name

        def hook(self, *args, **options):
            logs = options.get("logs", args[-1] if len(args) > numbered else None)
            number = f" {args[0]}" if numbered else ""
            record.append(f"{name[3:]}{number} {' '.join(sorted(logs or ()))}".rstrip())
            if name in ("on_train_batch_begin", "on_train_batch_end"):
                super(Spy, self).__getattribute__(name.replace("train_", ""))(*args, **options)

        return hook

    for name in [*HOOKS, *PLAIN]:
        setattr(Spy, name, recorder(name))
    return Spy()


def recorded(keras, **compile_options):
    """Fit with validation, evaluate and predict, and return what was recorded."""
    record = []
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], **compile_options)
    callback = spy(keras, record)
    quiet = {"batch_size": 20, "verbose": 0, "callbacks": [callback]}
    model.fit(X, Y, epochs=3, validation_split=0.4, validation_freq=2, **quiet)
    model.evaluate(X, Y, **quiet)
    model.predict(X, **quiet)
    model.fit(X, Y, epochs=3, initial_epoch=2, steps_per_epoch=2, **quiet)
    return record


def expected():
    """Return what Keras 3.15 records; tests/parity compares it with Keras itself."""
    names, val = "loss mae", "loss mae val_loss val_mae"

    def batches(what, count, ends=names):
        found = []
        for i in range(count):
            found += [f"{what}_batch_begin {i}"]
            found += [f"batch_begin {i}"] if what == "train" else []
            found += [f"{what}_batch_end {i} {ends}"]
            found += [f"batch_end {i} {ends}"] if what == "train" else []
        return found

    def tests(count):
        return ["test_begin", *batches("test", count), f"test_end {names}"]

    return [
        "train_begin",
        *["epoch_begin 0", *batches("train", 2), f"epoch_end 0 {names}"],
        *["epoch_begin 1", *batches("train", 2), *tests(1), f"epoch_end 1 {val}"],
        *["epoch_begin 2", *batches("train", 2), f"epoch_end 2 {names}"],
        f"train_end {names}",
        *tests(3),
        *["predict_begin", *batches("predict", 3, "outputs"), "predict_end"],
        *["train_begin", "epoch_begin 2", *batches("train", 2), f"epoch_end 2 {names}"],
        f"train_end {names}",
    ]
