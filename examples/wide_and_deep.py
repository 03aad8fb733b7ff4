"""A wide and deep net with two inputs and an auxiliary output, on housing-like data."""

import numpy as np

import dnnfast as keras

random = np.random.default_rng(42)
x = random.normal(size=(6000, 8)).astype(np.float32)
price = x[:, 0] + 0.5 * np.sin(3 * x[:, 2]) * x[:, 3] + 0.3 * x[:, 5] ** 2
y = (price + 0.1 * random.normal(size=len(x))).astype(np.float32)[:, None]
wide, deep = x[:, :5], x[:, 2:]
split = 5000

keras.utils.set_random_seed(42)
input_wide = keras.Input((5,), name="wide")
input_deep = keras.Input((6,), name="deep")
normalize = keras.layers.Normalization()
normalize.adapt(deep[:split])
hidden = keras.layers.Dense(64, activation="relu")(normalize(input_deep))
hidden = keras.layers.Dense(64, activation="relu")(hidden)
joined = keras.layers.concatenate([input_wide, hidden])
main = keras.layers.Dense(1, name="price")(joined)
auxiliary = keras.layers.Dense(1, name="deep_alone")(hidden)
model = keras.Model([input_wide, input_deep], [main, auxiliary])
model.compile(
    "nadam",
    loss={"price": "mse", "deep_alone": keras.losses.Huber()},
    loss_weights={"price": 0.9, "deep_alone": 0.1},
    metrics={"price": [keras.metrics.RootMeanSquaredError(name="rmse"), "mae"]},
)
train = {"wide": wide[:split], "deep": deep[:split]}
test = {"wide": wide[split:], "deep": deep[split:]}
model.fit(train, [y[:split], y[:split]], epochs=30, verbose=0)
results = model.evaluate(test, [y[split:], y[split:]], verbose=0, return_dict=True)
print(f"spread of the prices {y[split:].std():.2f}; ", end="")
print(f"error of the net {results['price_rmse']:.2f} (the noise alone is 0.10)")
