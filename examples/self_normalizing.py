"""A self-normalizing net: SELU, LeCun initialization, alpha dropout, standardized inputs."""

import numpy as np

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0) + 1e-7
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation


def net(activation, initializer):
    keras.utils.set_random_seed(42)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])
    for i in range(20):
        dense = keras.layers.Dense(100, activation, kernel_initializer=initializer, name=f"h{i}")
        model.add(dense)
    model.add(keras.layers.AlphaDropout(0.1))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(1e-2, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


for activation, initializer in (("selu", "lecun_normal"), ("tanh", "random_normal")):
    model = net(activation, initializer)
    last = keras.Model(model.inputs, model.get_layer("h19").output)
    outputs = last.predict(x_train[:500], verbose=0)
    print(f"{activation}, {initializer}: before training, layer 20 gives", end=" ")
    print(f"mean {outputs.mean():.2f}, deviation {np.std(outputs):.2f};", end=" ")
    model.fit(x_train, y_train, epochs=8, verbose=0)
    print(f"accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
