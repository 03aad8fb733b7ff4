"""L1, L2 and max-norm: what they do to the weights and to the gap between training and test."""

from functools import partial

import numpy as np

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train[:2000] / 255.0, x_test / 255.0
y_train = y_train[:2000]

kinds = {
    "none": {},
    "l1(1e-4)": {"kernel_regularizer": keras.regularizers.l1(1e-4)},
    "l2(1e-3)": {"kernel_regularizer": keras.regularizers.l2(1e-3)},
    "max_norm(1.0)": {"kernel_constraint": keras.constraints.max_norm(1.0)},
    "dropout 0.3": {},
}
for name, options in kinds.items():
    keras.utils.set_random_seed(42)
    RegularizedDense = partial(
        keras.layers.Dense, activation="elu", kernel_initializer="he_normal", **options
    )
    rate = 0.3 if "dropout" in name else 0.0
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dropout(rate),
            RegularizedDense(200),
            keras.layers.Dropout(rate),
            RegularizedDense(100),
            RegularizedDense(10, activation="softmax", kernel_initializer="glorot_uniform"),
        ]
    )
    model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = model.fit(x_train, y_train, epochs=25, verbose=0).history["accuracy"][-1]
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    kernel = model.layers[-2].kernel.numpy()
    print(f"{name:14} training {fitted:.3f}, test {accuracy:.3f};", end=" ")
    print(f"largest column norm {np.linalg.norm(kernel, axis=0).max():.2f},", end=" ")
    print(f"weights below 1e-3: {np.mean(np.abs(kernel) < 1e-3):.0%}")
