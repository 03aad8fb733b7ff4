"""Leaky, randomized and parametric ReLU, trainable swish, and batch norm before or after them."""

import dnnfast as keras
from dnnfast import ops

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0


class TrainableSwish(keras.layers.Layer):
    """x * sigmoid(beta * x), with a beta that is learned."""

    def build(self, shape):
        self.beta = self.add_weight(shape=(), initializer="ones", name="beta")

    def call(self, x):
        return x * ops.sigmoid(self.beta * x)


kinds = {
    "relu": keras.layers.ReLU,
    "leaky relu": lambda: keras.layers.LeakyReLU(negative_slope=0.1),
    "rrelu": keras.layers.RReLU,
    "prelu": keras.layers.PReLU,
    "trainable swish": TrainableSwish,
}


def trained(make, norm):
    keras.utils.set_random_seed(42)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])
    for units in (150, 75):
        bias = norm != "before"
        model.add(keras.layers.Dense(units, use_bias=bias, kernel_initializer="he_normal"))
        if norm == "before":
            model.add(keras.layers.BatchNormalization())
        model.add(make())
        if norm == "after":
            model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=6, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0)[1]


for name, make in kinds.items():
    found = [f"{norm or 'without'} {trained(make, norm):.3f}" for norm in ("", "before", "after")]
    print(f"{name:16} accuracy, batch norm {', '.join(found)}")
