"""Train a small classifier on Fashion-MNIST and look at what the engine made of it.

python examples/fashion_mnist.py
"""

import numpy as np

import dnnfast as keras

# The excerpt inside the package; fashion_mnist.load_data() gives the full set.
(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / np.float32(255), x_test / np.float32(255)

keras.utils.set_random_seed(42)
model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(300, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()
history = model.fit(x_train, y_train, epochs=8, validation_split=0.1)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy {accuracy:.1%} after {len(history.epoch)} epochs")

# What every step of training runs, and why.
print(model.plan().describe())
