"""A scikit-learn search whose fits run on the workers of a Dask cluster, here two processes."""

import joblib
from dask.distributed import Client, LocalCluster
from sklearn.model_selection import RandomizedSearchCV

import dnnfast as keras
from dnnfast.sklearn import DNNClassifier


def main():
    (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_excerpt()
    x_train, x_test = x_train.reshape(-1, 784) / 255.0, x_test.reshape(-1, 784) / 255.0
    choices = {"learning_rate": [1e-4, 1e-3, 3e-3], "n_neurons": [20, 50]}
    net = DNNClassifier(max_iter=3, random_state=42)
    search = RandomizedSearchCV(net, choices, n_iter=4, cv=2, random_state=42)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config("dask"):
        search.fit(x_train, y_train)
    print("best:", search.best_params_)
    print(f"test accuracy {search.score(x_test, y_test):.3f}")


if __name__ == "__main__":  # the workers import this file
    main()
