"""Runs the programs of the documentation, and writes what they print below them.

    python docs/programs.py docs/index.md ...

A block marked `python` runs, all those of a page one after the other in one namespace and on the
excerpt of Fashion-MNIST; a block marked `text` that follows shows what it prints. Programs of other
packages are marked `py` and do not run. Of a notebook the code cells run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*\.?(?:e[-+]?\d+)?")


def programs(page: Path) -> list[tuple[str, str | None]]:
    """The programs of a page, each with what it is said to print."""
    if page.suffix == ".ipynb":
        cells = json.loads(page.read_text())["cells"]
        return [("".join(c["source"]), None) for c in cells if c["cell_type"] == "code"]
    return [(found[1], found[2]) for found in BLOCK.finditer(page.read_text())]


def printed(page: Path) -> list[str]:
    """Run the programs of a page in order and return what each prints."""
    names: dict = {"__name__": "__main__"}
    outputs = []
    for number, (program, _) in enumerate(programs(page), 1):
        out = io.StringIO()
        code = compile(program, f"{page.name}, program {number}", "exec")
        with contextlib.redirect_stdout(out):
            exec(code, names)
        outputs.append(out.getvalue())
    return outputs


def without_numbers(text: str) -> str:
    """What is compared of an output: numbers depend on the machine, and widths on numbers."""
    return " ".join(NUMBER.sub("#", text).split())


def rewritten(page: Path, outputs: list[str]) -> str:
    """The text of a page with what its programs printed in the blocks that show it."""
    remaining = iter(outputs)

    def block(found: re.Match[str]) -> str:
        program = f"```python\n{found[1]}```\n"
        output = next(remaining)
        return program if found[2] is None else f"{program}\n```text\n{output}```\n"

    return BLOCK.sub(block, page.read_text())


def main() -> None:
    """Rewrite the outputs of the pages that are named on the command line."""
    from dnnfast import backend, utils
    from dnnfast.datasets import fashion_mnist

    fashion_mnist.load_data = fashion_mnist.load_excerpt
    for page in [Path(name).resolve() for name in sys.argv[1:]]:
        backend.clear_session()
        utils.set_random_seed(42)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            outputs = printed(page)
        if page.suffix == ".md":
            page.write_text(rewritten(page, outputs))


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    main()
