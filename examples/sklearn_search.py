"""Searches of scikit-learn: over a function that builds nets, and over a net in a pipeline."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

import dnnfast as keras
from dnnfast.sklearn import DNNClassifier, KerasClassifier

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train[:2500] / 255.0, x_test / 255.0
names = ["top", "trouser", "pullover", "dress", "coat"]
names = np.array([*names, "sandal", "shirt", "sneaker", "bag", "boot"])
y_train, y_test = names[y_train[:2500]], names[y_test]
x_valid, y_valid, x_train, y_train = x_train[:500], y_train[:500], x_train[500:], y_train[500:]


def build_model(n_hidden=1, n_neurons=30, learning_rate=3e-3, input_shape=(28, 28)):
    model = keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(learning_rate=learning_rate, momentum=0.9)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# The labels are strings; a function that builds a compiled model is all that the wrapper needs.
search = RandomizedSearchCV(
    KerasClassifier(build_model, verbose=0, random_state=42),
    {
        "n_hidden": [0, 1, 2, 3],
        "n_neurons": np.arange(10, 100).tolist(),
        "learning_rate": np.geomspace(3e-4, 3e-2, 1000).tolist(),
    },
    n_iter=4,
    cv=2,
    random_state=42,
)
search.fit(
    x_train,
    y_train,
    epochs=12,
    validation_data=(x_valid, y_valid),
    callbacks=[keras.callbacks.EarlyStopping(patience=3)],
)
best = {name: round(value, 4) for name, value in search.best_params_.items()}
print(f"randomized search: {best}, in cross-validation {search.best_score_:.3f}")
print(f"the best net: test accuracy {search.score(x_test, y_test):.3f}", end=" ")
print(f"with {search.best_estimator_.model_.count_params():,} parameters")

# A net that needs no function: the defaults train well, with early stopping.
net = make_pipeline(PCA(40, svd_solver="randomized"), DNNClassifier(random_state=42))
grid = {"dnnclassifier__configuration": ["default", "self_normalizing"]}
pipeline = GridSearchCV(net, grid, cv=2).fit(x_train.reshape(-1, 784), y_train)
print(f"pipeline: {pipeline.best_params_},", end=" ")
print(f"test accuracy {pipeline.score(x_test.reshape(-1, 784), y_test):.3f}", end=" ")
print(f"after {pipeline.best_estimator_[-1].n_iter_} epochs")
