"""A page of HTML in one file: everything that is text is escaped, pictures are inside."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1080px;
       margin: 2em auto; padding: 0 1em; }
h1 { margin-bottom: 0; } h2 { margin-top: 2em; border-bottom: 1px solid #ccc; }
p.under { color: #666; margin-top: 0.2em; }
table { border-collapse: collapse; margin: 1em 0; } td, th { padding: 0.25em 0.9em 0.25em 0; }
th { text-align: left; border-bottom: 1px solid #888; } td { border-bottom: 1px solid #eee; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; vertical-align: top; }
pre { font: 12px/1.25 "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-x: auto; }
figure { margin: 1em 0; overflow-x: auto; } img { max-width: 100%; height: auto; }
figcaption { color: #666; }
li.finding { margin-bottom: 0.5em; } code { background: #f3f3f3; padding: 0 0.25em; }
nav a { margin-right: 1.2em; }
"""


class Page:
    """HTML in the making.

    Args:
        title: of the page.
        under: a line below it.
    """

    def __init__(self, title: str, under: str) -> None:
        self._title, self._under = title, under
        self._parts: list[str] = []
        self._sections: list[str] = []

    def section(self, title: str) -> None:
        """Begin a section."""
        number = len(self._sections)
        self._sections.append(f'<a href="#s{number}">{html.escape(title)}</a>')
        self._parts.append(f'<h2 id="s{number}">{html.escape(title)}</h2>')

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{html.escape(text)}</p>")

    def preformatted(self, text: str) -> None:
        """Add text whose columns stay aligned."""
        self._parts.append(f"<pre>{html.escape(text)}</pre>")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add a table; columns of numbers are aligned to the right."""
        rows = [list(row) for row in rows]
        right = [
            bool(rows) and all(isinstance(row[i], (int, float)) for row in rows)
            for i in range(len(head))
        ]
        lines = [_row("th", head, right)] + [_row("td", row, right) for row in rows]
        self._parts.append("<table>\n" + "\n".join(lines) + "\n</table>")

    def findings(self, items: Iterable[str]) -> None:
        """Add a list."""
        lines = [f'<li class="finding">{html.escape(item)}</li>' for item in items]
        self._parts.append("<ul>\n" + "\n".join(lines) + "\n</ul>")

    def picture(self, figure: Any, caption: str) -> None:
        """Add a figure of matplotlib as a picture of lines, and close it."""
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close(figure)
        width = figure.get_size_inches()[0] * 96
        # In an image of its own: the names inside of several drawings may be the same.
        data = base64.b64encode(file.getvalue()).decode()
        escaped = html.escape(caption)
        self._parts.append(
            f'<figure><img width="{width:.0f}" alt="{escaped}" '
            f'src="data:image/svg+xml;base64,{data}"><figcaption>{escaped}</figcaption></figure>'
        )

    def render(self) -> str:
        """Return the page."""
        title = html.escape(self._title)
        return "\n".join(
            [
                "<!DOCTYPE html>",
                '<html lang="en"><head><meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{title}</title><style>{_STYLE}</style></head><body>",
                f'<h1>{title}</h1><p class="under">{html.escape(self._under)}</p>',
                f"<nav>{' '.join(self._sections)}</nav>",
                *self._parts,
                "</body></html>",
                "",
            ]
        )


def _row(tag: str, cells: Sequence[Any], right: Sequence[bool]) -> str:
    texts = []
    for cell, number in zip(cells, right, strict=True):
        kind = ' class="number"' if number else ""
        texts.append(f"<{tag}{kind}>{html.escape(shown(cell))}</{tag}>")
    return f"<tr>{''.join(texts)}</tr>"


def shown(value: Any) -> str:
    """Return a value as a reader wants it: numbers of few digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
