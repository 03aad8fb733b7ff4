"""Every example runs, from anywhere, and prints what it says it prints."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
SAYS = {
    "fashion_mnist": "Test accuracy 8",
    "gan": "after 1500 steps: 0.0",
    "gradient_clipping": "SGD(1.0, momentum=0.9, {'global_clipnorm': 0.1}): accuracy 0.8",
    "kernel_and_reference": "the same elements are dropped: True",
    "monte_carlo_dropout": "one call, nothing stored: accuracy 0.8",
    "residual_and_uncertainty": "x =  6.0",
    "transfer_learning": "all layers, at a lower rate: 0.99",
    "vanishing_gradients": "gradient of layer 1 over that of layer 15:  3.6e-03",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    run = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert SAYS[path.stem] in run.stdout
