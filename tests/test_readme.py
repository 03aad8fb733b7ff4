"""The program in the README runs as printed, here on the excerpt that the package carries."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dnnfast.datasets import fashion_mnist

README = Path(__file__).parents[1] / "README.md"


def test_the_program_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "load_data", fashion_mnist.load_excerpt)
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(program.split("\n\n", 1)[1].splitlines()) <= 20
    names: dict = {}
    exec(program, names)
    loss, accuracy = names["model"].evaluate(names["x_test"] / 255.0, names["y_test"], verbose=0)
    assert np.isfinite(loss)
    assert accuracy > 0.75
    assert "dense_forward" in names["model"].plan().describe()
