"""Every example runs, from anywhere, and prints what it says it prints."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
SAYS = {
    "fashion_mnist": "Test accuracy 8",
    "kernel_and_reference": "the same elements are dropped: True",
    "residual_and_uncertainty": "x =  6.0",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    run = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert SAYS[path.stem] in run.stdout
