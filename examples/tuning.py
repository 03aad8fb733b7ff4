"""Hyperparameters by random search, Hyperband and Bayesian optimization, in Keras Tuner's words."""

from pathlib import Path

import dnnfast as keras

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
x_train, x_test = x_train / 255.0, x_test / 255.0
x_valid, y_valid = x_train[:500], y_train[:500]
x_train, y_train = x_train[500:2000], y_train[500:2000]


def build_model(hp):
    n_hidden = hp.Int("n_hidden", min_value=0, max_value=5, default=2)
    n_neurons = hp.Int("n_neurons", min_value=16, max_value=128)
    learning_rate = hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="log")
    optimizer = hp.Choice("optimizer", values=["sgd", "adam"])
    if optimizer == "sgd":
        optimizer = keras.optimizers.SGD(learning_rate=learning_rate)
    else:
        optimizer = keras.optimizers.Adam(learning_rate=learning_rate)
    model = keras.Sequential()
    model.add(keras.layers.Flatten())
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


options = {"objective": "val_accuracy", "seed": 42, "overwrite": True, "directory": "tuned"}
random_search = keras.RandomSearch(build_model, max_trials=5, project_name="random", **options)
# Two trials at a time, each in a process of its own.
random_search.search(
    x_train, y_train, epochs=10, validation_data=(x_valid, y_valid), verbose=0, n_jobs=2
)
best_trial = random_search.oracle.get_best_trials(num_trials=1)[0]
best_trial.summary()
found = best_trial.metrics.get_last_value("val_accuracy")
best_model = random_search.get_best_models(num_models=1)[0]
accuracy = best_model.evaluate(x_valid, y_valid, verbose=0)[1]
print(f"random search: validation {found:.3f}; of the model as it was kept: {accuracy:.3f}")


class MyClassifier(keras.HyperModel):
    """Whether to normalize is tuned, too: it belongs to the training."""

    def build(self, hp):
        return build_model(hp)

    def fit(self, hp, model, x, y, **kwargs):
        if hp.Boolean("normalize"):
            normalization = keras.layers.Normalization()
            normalization.adapt(x)
            x = normalization(x)
            x_new, y_new = kwargs.pop("validation_data")
            kwargs["validation_data"] = (normalization(x_new), y_new)
        return model.fit(x, y, **kwargs)


hyperband = keras.Hyperband(
    MyClassifier(), max_epochs=10, factor=3, project_name="hyperband", **options
)
stop = keras.callbacks.EarlyStopping(patience=2)
board = keras.callbacks.TensorBoard(Path(hyperband.project_dir) / "tensorboard")
hyperband.search(
    x_train, y_train, validation_data=(x_valid, y_valid), verbose=0, callbacks=[stop, board]
)
values = hyperband.get_best_hyperparameters(num_trials=1)[0].values
print(f"Hyperband: {len(hyperband.oracle.trials)} trials; the best came through", end=" ")
print(f"round {values['tuner/round']} of bracket {values['tuner/bracket']}")

bayesian = keras.BayesianOptimization(
    MyClassifier(), max_trials=8, alpha=1e-4, beta=2.6, project_name="bayesian", **options
)
bayesian.search(
    x_train, y_train, epochs=10, validation_data=(x_valid, y_valid), verbose=0, callbacks=[stop]
)
bayesian.results_summary(num_trials=1)
keras.utils.set_random_seed(42)
best = build_model(bayesian.get_best_hyperparameters(num_trials=1)[0])
best.fit(x_train, y_train, epochs=10, verbose=0)
print(f"trained again: test accuracy {best.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
