"""Monte Carlo dropout in three spellings: how sure a net is of a picture."""

import numpy as np

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0
keras.utils.set_random_seed(42)

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(300, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, verbose=0)


def accuracy(probabilities):
    return np.mean(probabilities.argmax(axis=1) == y_test)


print(f"dropout off: accuracy {accuracy(model.predict(x_test, verbose=0)):.3f}")

stacked = np.stack([model(x_test, training=True) for _ in range(100)])
print(f"100 calls with training=True: {accuracy(stacked.mean(axis=0)):.3f}")


class MCDropout(keras.layers.Dropout):
    def call(self, inputs):
        return super().call(inputs, training=True)


layers = [
    MCDropout(layer.rate) if isinstance(layer, keras.layers.Dropout) else layer
    for layer in model.layers
]
always = keras.Sequential(layers)
stacked = np.stack([always.predict(x_test, verbose=0) for _ in range(100)])
print(f"a subclass that always drops: {accuracy(stacked.mean(axis=0)):.3f}")

mean, deviation = model.predict(x_test, mc_samples=100, verbose=0)
print(f"one call, nothing stored: {accuracy(mean):.3f}")
wrong = mean.argmax(axis=1) != y_test
top = np.take_along_axis(deviation, mean.argmax(axis=1)[:, None], axis=1)[:, 0]
print(f"deviation of the chosen class: {top[~wrong].mean():.3f} where right, ", end="")
print(f"{top[wrong].mean():.3f} where wrong")
