"""Power, exponential, piecewise, performance and 1cycle scheduling, and a search for the rate."""

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0
EPOCHS, STEPS = 8, -(-len(x_train) // 32)
schedules = keras.optimizers.schedules


def trained(rate, callbacks=()):
    keras.utils.set_random_seed(42)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=EPOCHS, verbose=0, callbacks=list(callbacks))
    return model.evaluate(x_test, y_test, verbose=0)[1]


def piecewise(epoch):
    return 0.02 if epoch < 3 else 0.01 if epoch < 6 else 0.003


class OwnOneCycle(keras.callbacks.Callback):
    """The rate rises and falls; it is set before every batch."""

    def on_train_begin(self, logs=None):
        self.step = 0

    def on_train_batch_begin(self, batch, logs=None):
        half = EPOCHS * STEPS / 2
        self.model.optimizer.learning_rate = 0.002 + 0.08 * max(
            0.0, 1 - abs(self.step - half) / half
        )
        self.step += 1


callbacks = keras.callbacks
results = {
    "constant 0.05": trained(0.05),
    "power": trained(schedules.PowerDecay(0.05, s=3 * STEPS)),
    "exponential": trained(schedules.ExponentialDecay(0.05, 3 * STEPS, 0.5)),
    "piecewise, by a callback": trained(0.02, [callbacks.LearningRateScheduler(piecewise)]),
    "performance": trained(0.05, [callbacks.ReduceLROnPlateau("loss", 0.5, patience=1)]),
    "1cycle, one's own callback": trained(0.01, [OwnOneCycle()]),
    "1cycle": trained(schedules.OneCycle(0.08, steps=EPOCHS * STEPS)),
}
for name, accuracy in results.items():
    print(f"{name:28} accuracy {accuracy:.3f}")
