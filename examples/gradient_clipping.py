"""Clipping by value and by norm: what keeps a rate that is too high from blowing a net up."""

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0

for options in ({}, {"clipvalue": 0.01}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}):
    keras.utils.set_random_seed(42)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(200, activation="relu", kernel_initializer="he_normal"),
            keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(learning_rate=1.0, momentum=0.9, **options)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.TerminateOnNaN()
    model.fit(x_train, y_train, epochs=5, verbose=0, callbacks=[stop])
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"SGD(1.0, momentum=0.9, {options}): accuracy {accuracy:.3f}")
