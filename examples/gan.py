"""A generative adversarial net in two phases a batch, on points of a ring."""

import numpy as np

import dnnfast as keras

keras.utils.set_random_seed(42)
random = np.random.default_rng(42)
CODE, BATCH = 8, 64


def real_points(count):
    angle = random.uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.02 * random.normal(size=(count, 2))


generator = keras.Sequential(
    [
        keras.Input((CODE,)),
        keras.layers.Dense(64, "selu"),
        keras.layers.Dense(64, "selu"),
        keras.layers.Dense(2),
    ]
)
discriminator = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(64),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Dense(64),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Dense(1, "sigmoid"),
    ]
)
discriminator.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), "binary_crossentropy")
discriminator.trainable = False
gan = keras.Sequential([generator, discriminator])
gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), "binary_crossentropy")


def distance():
    points = generator.predict(random.normal(size=(500, CODE)), verbose=0)
    return float(np.abs(np.linalg.norm(points, axis=1) - 1).mean())


print(f"distance of generated points from the ring before: {distance():.2f}")
for _ in range(1500):
    fakes = generator.predict_on_batch(random.normal(size=(BATCH, CODE)))
    points = np.concatenate([fakes, real_points(BATCH)])
    labels = np.concatenate([np.zeros((BATCH, 1)), np.ones((BATCH, 1))])
    discriminator.train_on_batch(points, labels)
    gan.train_on_batch(random.normal(size=(BATCH, CODE)), np.ones((BATCH, 1)))
print(f"after 1500 steps: {distance():.2f}")
