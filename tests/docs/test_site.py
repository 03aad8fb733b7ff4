"""The site is built from docs/ without a warning, and has what the pages promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dnnfast

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings_handlers.python")
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = dict(os.environ, NO_MKDOCS_2_WARNING="1")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_public_names_have_an_entry(site: Path) -> None:
    missing = [
        f"{space}.{name}"
        for space in ("layers", "optimizers", "losses", "metrics", "callbacks", "initializers")
        for name in vars(dnnfast)[space].__all__
        if getattr(vars(vars(dnnfast)[space])[name], "__name__", "") == name  # no alias
        and f'id="dnnfast.{space}.{name}"' not in (site / "api" / space / "index.html").read_text()
    ]
    assert not missing


def test_examples_have_pages(site: Path) -> None:
    for path in (ROOT / "examples").glob("*.py"):
        assert (site / "examples" / path.stem / "index.html").is_file(), path.stem


def test_links_lead_to_the_pages_of_examples(site: Path) -> None:
    assert 'href="../examples/gan/"' in (site / "techniques" / "index.html").read_text()


def test_pages_can_be_searched(site: Path) -> None:
    entries = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    assert any("max_norm" in entry["text"] for entry in entries)
