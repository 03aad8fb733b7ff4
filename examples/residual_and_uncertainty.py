"""A network with a shortcut, and Monte Carlo dropout: how sure is a prediction?

python examples/residual_and_uncertainty.py
"""

import numpy as np

import dnnfast as keras

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, (2000, 1)).astype(np.float32)
y = np.sin(3 * x) + 0.1 * rng.standard_normal(x.shape)

inputs = keras.Input((1,))
hidden = keras.layers.Dense(64, activation="elu")(inputs)
inner = keras.layers.Dropout(0.05)(keras.layers.Dense(64, activation="elu")(hidden))
joined = keras.layers.Add()([hidden, inner])
outputs = keras.layers.Dense(1)(keras.layers.Concatenate()([joined, inputs]))
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse")
model.fit(x, y, epochs=150, batch_size=64, verbose=0)

# Inside the training range, and far outside of it.
points = np.array([[0.5], [1.5], [6.0]], np.float32)
samples = np.stack([model(points, training=True) for _ in range(200)])
for point, mean, deviation in zip(points[:, 0], samples.mean(0), samples.std(0), strict=True):
    truth = np.sin(3 * point)
    print(f"x = {point:4.1f}: {mean[0]:6.2f} +- {deviation[0]:.2f} (true {truth:5.2f})")
