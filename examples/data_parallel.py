"""Training by several processes: mpirun -n 2 python -m mpi4py data_parallel.py"""

import dnnfast as keras

group = keras.distribution.DataParallel()
keras.distribution.set_distribution(group)

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
keras.utils.set_random_seed(42)
model = keras.Sequential(
    [
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train / 255.0, y_train, batch_size=32 // group.size, epochs=5, verbose=2)
loss, accuracy = model.evaluate(x_test / 255.0, y_test, verbose=0)
if group.rank == 0:
    print(f"batches of 32 over {group.size} process(es): test accuracy {accuracy:.3f}")
