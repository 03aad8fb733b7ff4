"""Reusing a net's layers for a task with 50 labels: shirts and sandals.

Net A knows eight kinds of clothing. Its layers are cloned and frozen under a new output layer,
which is trained first; then everything is, at a lower rate.
"""

import numpy as np

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0
SANDAL, SHIRT = 5, 6


def split(x, y):
    two = (y == SANDAL) | (y == SHIRT)
    renumbered = np.where(y > SHIRT, y - 2, y)
    return (x[~two], renumbered[~two]), (x[two], (y[two] == SHIRT).astype(np.float32))


(x_a, y_a), (x_b, y_b) = split(x_train, y_train)
_, (x_test_b, y_test_b) = split(x_test, y_test)
x_b, y_b = x_b[:50], y_b[:50]

keras.utils.set_random_seed(42)


def hidden():
    return [
        keras.layers.Dense(100, activation="selu", kernel_initializer="lecun_normal")
        for _ in range(3)
    ]


model_a = keras.Sequential(
    [keras.Input((28, 28)), keras.layers.Flatten(), *hidden(), keras.layers.Dense(8, "softmax")]
)
model_a.compile(keras.optimizers.SGD(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
model_a.fit(x_a, y_a, epochs=15, verbose=0)


def evaluated(model):
    return model.evaluate(x_test_b, y_test_b, verbose=0)[1]


scratch = keras.Sequential(
    [keras.Input((28, 28)), keras.layers.Flatten(), *hidden(), keras.layers.Dense(1, "sigmoid")]
)
scratch.compile(keras.optimizers.SGD(2e-3), "binary_crossentropy", metrics=["accuracy"])
scratch.fit(x_b, y_b, epochs=20, verbose=0)
print(f"from scratch: {evaluated(scratch):.3f}")

clone_of_a = keras.models.clone_model(model_a)
clone_of_a.set_weights(model_a.get_weights())
model_b = keras.Sequential(clone_of_a.layers[:-1])
model_b.add(keras.layers.Dense(1, activation="sigmoid"))

for layer in model_b.layers[:-1]:
    layer.trainable = False
model_b.compile(keras.optimizers.SGD(2e-2), "binary_crossentropy", metrics=["accuracy"])
model_b.fit(x_b, y_b, epochs=10, verbose=0)
print(f"new output layer: {evaluated(model_b):.3f}")

for layer in model_b.layers[:-1]:
    layer.trainable = True
model_b.compile(keras.optimizers.SGD(2e-3), "binary_crossentropy", metrics=["accuracy"])
model_b.fit(x_b, y_b, epochs=10, verbose=0)
print(f"all layers, at a lower rate: {evaluated(model_b):.3f}")
