"""Ways to look at a model: plots, TensorBoard, a report in HTML, and an ONNX file for others."""

import tempfile
from pathlib import Path

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0
names = ["T-shirt", "trouser", "pullover", "dress", "coat"]
names += ["sandal", "shirt", "sneaker", "bag", "boot"]
keras.utils.set_random_seed(42)

model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(100, use_bias=False, kernel_initializer="he_normal"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(10, activation="softmax"),
    ],
    name="clothes",
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

folder = Path(tempfile.mkdtemp(prefix="looking-"))
monitor = keras.callbacks.LayerMonitor()
board = keras.callbacks.TensorBoard(folder / "logs", histogram_freq=1)
history = model.fit(
    x_train, y_train, epochs=5, verbose=0, validation_split=0.1, callbacks=[monitor, board]
)

history.plot(path=folder / "history.png")
monitor.plot(path=folder / "layers.png")
keras.utils.plot_model(model, folder / "model.png", show_shapes=True, show_layer_names=True)
predicted = model.predict(x_test, verbose=0)
plots = {
    "weights": keras.plots.weight_histograms(model),
    "confusion": keras.plots.confusion_matrix(y_test, predicted, names).figure,
    "confidence": keras.plots.confidence(model, x_test, y_test, mc_samples=50).figure,
}
for name, figure in plots.items():
    figure.savefig(folder / f"{name}.png")

keras.report(model, folder / "report.html", x_test, y_test, monitor=monitor, class_names=names)

folded = model.fold_batch_normalization()
difference = abs(folded.predict(x_test, verbose=0) - predicted).max()
print(
    f"{len(folded.layers)} layers instead of {len(model.layers)}, probabilities as before: ", end=""
)
print(difference < 1e-5)
try:
    model.export(folder / "model.onnx", fold=True)
except ImportError as error:  # the package onnx is an extra
    print(error)

print(f"{folder}:")
for path in sorted(folder.rglob("*")):
    if path.is_file():
        print(f"  {str(path.relative_to(folder))[:44]:44s} {path.stat().st_size / 1024:7.1f} KB")
