"""Every program of README, docs/ and its notebooks runs, and prints what its page says."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dnnfast
from dnnfast.datasets import fashion_mnist

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted(p for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".ipynb"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """docs/programs.py, in an empty folder and on the excerpt that the package carries."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(fashion_mnist, "load_data", fashion_mnist.load_excerpt)
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    monkeypatch.chdir(tmp_path)
    dnnfast.utils.set_random_seed(42)
    return importlib.import_module("programs")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_programs_of_a_page(script: ModuleType, page: Path) -> None:
    found = script.programs(page)
    outputs = script.printed(page)
    assert len(outputs) == len(found)
    for (program, said), output in zip(found, outputs, strict=True):
        if said is not None:
            assert script.without_numbers(output) == script.without_numbers(said), program


def test_the_program_of_the_readme(script: ModuleType) -> None:
    ((program, _),) = script.programs(README)
    assert len(program.split("\n\n", 1)[1].splitlines()) <= 20
    names: dict = {}
    exec(program, names)
    loss, accuracy = names["model"].evaluate(names["x_test"] / 255.0, names["y_test"], verbose=0)
    assert np.isfinite(loss)
    assert accuracy > 0.75
    assert "dense_forward" in names["model"].plan().describe()


def test_what_a_page_says_is_compared_and_rewritten(script: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 3\nprint(x, 'a')\n```\n\n```text\n2 b\n```\n")
    assert script.programs(page) == [("x = 3\nprint(x, 'a')\n", "2 b\n")]
    assert script.printed(page) == ["3 a\n"]
    assert script.without_numbers("loss 0.31e-4,  2") == "loss #, #"
    assert script.without_numbers("3 a") != script.without_numbers("2 b")
    page.write_text(script.rewritten(page, ["3 a\n"]))
    assert page.read_text().endswith("```text\n3 a\n```\n")
