"""With 200 labels and 7,000 images: autoencoders train layers one by one, a classifier reuses them.

Deep nets of sigmoids learn slowly from the top; layers that were trained to describe their inputs
are a better start.
"""

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train.reshape(-1, 784) / 255.0, x_test.reshape(-1, 784) / 255.0
x_few, y_few = x_train[:200], y_train[:200]
keras.utils.set_random_seed(42)


def classifier(hidden):
    out = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((784,)), *hidden, out])
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


plain = classifier([keras.layers.Dense(units, activation="sigmoid") for units in (200, 100, 50)])
plain.fit(x_few, y_few, epochs=30, verbose=0)
print(f"200 labels alone: accuracy {plain.evaluate(x_test, y_test, verbose=0)[1]:.3f}")

pretrained, codes = [], x_train
for units in (200, 100, 50):
    size = codes.shape[1]
    encoder = keras.Sequential([keras.Input((size,)), keras.layers.Dense(units, "sigmoid")])
    autoencoder = keras.Sequential([encoder, keras.layers.Dense(size, "sigmoid")])
    autoencoder.compile("nadam", "mse")
    losses = autoencoder.fit(codes, codes, epochs=8, verbose=0).history["loss"]
    print(f"layer of {units}: the autoencoder's loss went from {losses[0]:.4f} to {losses[-1]:.4f}")
    pretrained.append(encoder.layers[0])
    codes = encoder.predict(codes, verbose=0)

model = classifier(pretrained)
model.fit(x_few, y_few, epochs=30, verbose=0)
print(f"with pretrained layers: accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
