"""Every example runs, from anywhere, and prints what it says it prints."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
SAYS = {
    "activations_and_normalization": "trainable swish  accuracy, batch norm without 0.8",
    "data_parallel": "batches of 32 over 1 process(es): test accuracy 0.8",
    "distributed_search": "test accuracy 0.8",
    "fashion_mnist": "Test accuracy 8",
    "gan": "after 1500 steps: 0.0",
    "gradient_clipping": "SGD(1.0, momentum=0.9, {'global_clipnorm': 0.1}): accuracy 0.8",
    "kernel_and_reference": "the same elements are dropped: True",
    "learning_rate_schedules": "1cycle                       accuracy 0.8",
    "looking": "5 layers instead of 6, probabilities as before: True",
    "losses_and_weights": "class weight 10  accuracy 0.83",
    "monte_carlo_dropout": "one call, nothing stored: 0.8",
    "regularization": "largest column norm 1.00",
    "residual_and_uncertainty": "x =  6.0",
    "self_normalizing": "layer 20 gives mean 0.04, deviation 1.0",
    "sklearn_search": "the best net: test accuracy 0.8",
    "transfer_learning": "all layers, at a lower rate: 0.99",
    "tuning": "random search: validation 0.8",
    "unsupervised_pretraining": "with pretrained layers: accuracy 0.7",
    "vanishing_gradients": "gradient of layer 1 over that of layer 15:  3.6e-03",
    "wide_and_deep": "error of the net 0.2",
}
# Modules of extras.
NEEDS = {"distributed_search": "dask", "sklearn_search": "sklearn", "tuning": "optuna"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])
    run = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert SAYS[path.stem] in run.stdout
