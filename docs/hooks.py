"""What mkdocs does beyond its settings: pages from files outside of docs/, links to them.

Links in docs/*.md are those of the repository ("../examples/gan.py"); on the site they lead to
pages made of those files.
"""

from __future__ import annotations

import posixpath
import re
import textwrap
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "csrc/README.md": "engine/map.md",
    "benchmarks/README.md": "engine/benchmarks.md",
    "CONTRIBUTING.md": "engine/contributing.md",
    "CHANGELOG.md": "changelog.md",
}
PAGES |= {
    f"examples/{path.name}": f"examples/{path.stem}.md"
    for path in sorted((ROOT / "examples").glob("*.py"))
}
PICTURES = {"benchmarks/results/scaling.svg": "images/scaling.svg"}
LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?(\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made of other files of the repository."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text()
        if source.endswith(".py"):
            text = f"# {Path(source).stem}\n\n`python {source}`\n\n```python\n{text}```\n"
        else:
            text = relinked(text, source, page)
        files.append(File.generated(config, page, content=text))
    for source, target in PICTURES.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the repository into links to their pages."""
    uri = page.file.src_uri
    return markdown if uri in PAGES.values() else relinked(markdown, f"docs/{uri}", uri)


def relinked(text: str, source: str, page: str) -> str:
    """The text of a file of the repository with links that hold on its page of the site."""

    def replaced(match: re.Match[str]) -> str:
        target = match[2]
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path.startswith("docs/"):
            new = path.removeprefix("docs/")
        elif path in PAGES or path in PICTURES:
            new = PAGES.get(path) or PICTURES[path]
        else:
            return match[0]
        relative = posixpath.relpath(new, posixpath.dirname(page) or ".")
        return f"{match[1]}{relative}{match[3] or ''}{match[4]}"

    return LINK.sub(replaced, text)


class ExamplesSection(griffe.Extension):
    """Shows the section "Example:" of a docstring as a program, indented or not."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring and "Example:\n" in obj.docstring.value:
            text, example = obj.docstring.value.split("Example:\n", 1)
            example = example.lstrip("\n")
            if not example.startswith(" "):
                example = textwrap.indent(example, "    ")
            obj.docstring.value = f"{text}Examples:\n{example}"
