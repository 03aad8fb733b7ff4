"""scikit-learn's MLPClassifier, where it can say the workload (ReLU networks with SGD or Adam)."""

from __future__ import annotations

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from peers.protocol import Job, NotExpressible, serve
from workloads import CLASSES, Workload


def classifier(work: Workload) -> MLPClassifier:
    if work.batchnorm or work.dropout:
        raise NotExpressible("MLPClassifier has no batch normalization and no dropout")
    if work.optimizer not in ("sgd", "adam", ""):
        raise NotExpressible(f"MLPClassifier has no {work.optimizer} optimizer")
    return MLPClassifier(
        work.hidden,
        activation="relu",
        solver=work.optimizer or "adam",
        alpha=0.0,
        batch_size=work.batch if work.optimizer else 32,
        learning_rate_init=work.learning_rate if work.optimizer else 0.001,
        momentum=0.0,
        nesterovs_momentum=False,
    )


def build(job: Job):
    warnings.simplefilter("ignore")
    work = job.workload
    model = classifier(work)
    # One call of partial_fit is one shuffled epoch.
    if work.kind == "train":

        def run() -> float:
            model.partial_fit(job.x, job.y, classes=np.arange(CLASSES))
            return model.loss_
    else:
        rng = np.random.default_rng(0)
        few = rng.random((64, job.x.shape[1]), dtype=np.float32)
        model.partial_fit(few, rng.integers(0, CLASSES, 64), classes=np.arange(CLASSES))

        def run() -> float:
            for _ in range(work.calls):
                out = model.predict_proba(job.x)
            return float(out.sum())

    return run, {"scikit-learn": sklearn.__version__, "numpy": np.__version__}


if __name__ == "__main__":
    serve(build)
