"""Why deep nets of sigmoids do not learn, and what He initialization and normalization change.

Writes vanishing_gradients.png: the norm of each layer's gradient over the epochs.
"""

import dnnfast as keras

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_excerpt()
x_train = x_train / 255.0


def deep_net(activation, initializer, normalize):
    keras.utils.set_random_seed(42)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])
    for i in range(15):
        dense = keras.layers.Dense(30, kernel_initializer=initializer, name=f"hidden_{i + 1}")
        model.add(dense)
        if normalize:
            model.add(keras.layers.BatchNormalization(name=f"norm_{i + 1}"))
        model.add(keras.layers.Activation(activation))
    model.add(keras.layers.Dense(10, activation="softmax", name="output"))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


nets = {
    "sigmoid, normal(0, 1)": ("sigmoid", keras.initializers.RandomNormal(stddev=1.0), False),
    "ReLU, He": ("relu", "he_normal", False),
    "sigmoid, Glorot, batch norm": ("sigmoid", "glorot_normal", True),
}
monitors = {}
for title, (activation, initializer, normalize) in nets.items():
    monitors[title] = keras.callbacks.LayerMonitor()
    model = deep_net(activation, initializer, normalize)
    history = model.fit(x_train, y_train, epochs=6, verbose=0, callbacks=[monitors[title]])
    gradient = monitors[title].history["gradient"]
    ratio = gradient["hidden_1"][0] / gradient["hidden_15"][0]
    print(f"{title:28} gradient of layer 1 over that of layer 15: {ratio:8.1e}", end="   ")
    print(f"accuracy after 6 epochs: {history.history['accuracy'][-1]:.3f}")

figure = keras.callbacks.LayerMonitor.compare(monitors, path="vanishing_gradients.png")
