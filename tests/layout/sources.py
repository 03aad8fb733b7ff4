"""Reads the source tree for the layout test: files, includes, and how long functions are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
FOLDERS = ["csrc", "python", "tests", "benchmarks", "examples", "tools", "docs", ".ci"]
SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".py", ".pyi", ".md", ".toml", ".txt", ".cmake", ".sh", ""}


@dataclass(frozen=True)
class Function:
    """A function definition; `lines` counts its body, without signature and docstring."""

    name: str
    line: int
    lines: int
    parameters: int


def files(*suffixes: str) -> list[Path]:
    """Returns the text files of the project with one of the suffixes, or all of them."""
    found = [p for p in ROOT.iterdir() if p.is_file()]
    for folder in FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.is_file()]
    wanted = set(suffixes) or SUFFIXES
    return sorted(p for p in found if p.suffix in wanted and "__pycache__" not in p.parts)


def name(path: Path) -> str:
    """Returns the path as it is written from the root of the project."""
    return path.relative_to(ROOT).as_posix()


def cmake_list(variable: str) -> list[str]:
    """Returns a list of sources of CMakeLists.txt."""
    text = (ROOT / "CMakeLists.txt").read_text()
    found = re.search(rf"set\({variable}\s+(.*?)\)", text, re.DOTALL)
    assert found, f"CMakeLists.txt has no list {variable}"
    return found.group(1).split()


def includes(path: Path) -> list[str]:
    """Returns what a C++ file includes, in order: "<vector>", "core/tensor.h"."""
    found = re.findall(r'^\s*#\s*include\s+(<[^>]+>|"[^"]+")', path.read_text(), re.MULTILINE)
    return [include.strip('"') for include in found]


def python_functions(path: Path) -> Iterator[Function]:
    """Yields the functions of a Python file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            if ast.get_docstring(node) is not None and len(body) > 1:
                body = body[1:]
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            arguments = node.args
            count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
            yield Function(node.name, node.lineno, lines, count)


def cpp_functions(path: Path) -> Iterator[Function]:
    """Yields the functions of a C++ file: braces that open after a parameter list, outermost only.

    This is a measure, not a parser; it relies on the formatting that clang-format gives.
    """
    text = _without_comments_and_strings(path.read_text())
    depth_of_function = depth = 0
    head_begin = open_line = 0
    name_and_count = ("", 0)
    for match in re.finditer(r"[{};]", text):
        token = match.group()
        if token == "{":
            depth += 1
            head = text[head_begin : match.start()]
            if not depth_of_function and _is_function_head(head):
                depth_of_function = depth
                open_line = text.count("\n", 0, match.start()) + 1
                name_and_count = _name_and_parameters(head)
        elif token == "}":
            if depth == depth_of_function:
                close_line = text.count("\n", 0, match.start()) + 1
                body = max(close_line - open_line - 1, 1)
                yield Function(name_and_count[0], open_line, body, name_and_count[1])
                depth_of_function = 0
            depth -= 1
        head_begin = match.end()


def _without_comments_and_strings(text: str) -> str:
    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    literals = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
    text = re.sub(literals, blank, text, flags=re.DOTALL)
    directives = r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*"
    return re.sub(directives, blank, text, flags=re.MULTILINE)


def _is_function_head(head: str) -> bool:
    head = head.strip()
    if re.match(r"(?:inline\s+)?namespace\b|extern\b", head):
        return False
    if re.search(r"(?:=|,|\(|\[|return)$", head):
        return False
    without_template = re.sub(r"^template\s*<[^{]*?>\s*(?=\w)", "", head)
    if re.match(r"(?:class|struct|union|enum)\b", without_template):
        return False
    return ")" in head


def _name_and_parameters(head: str) -> tuple[str, int]:
    found = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
    if not found:
        return "", 0
    depth = 0
    commas = 0
    inside = ""
    for character in head[found.end() - 1 :]:
        if character in "(<[{":
            depth += 1
        elif character in ")>]}":
            depth -= 1
            if depth == 0:
                break
        elif character == "," and depth == 1:
            commas += 1
        inside += character
    return found.group(1), commas + 1 if inside.strip("( \n") else 0
