"""The shape of the tree: who may include whom, how long things may be, what never enters it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layout.sources import (
    CSRC,
    ROOT,
    cmake_list,
    cpp_functions,
    files,
    includes,
    name,
    python_functions,
)

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

# Room -> the rooms whose headers it may include.
ROOMS = {
    "core": {"core"},
    "math": {"core", "math"},
    "ops": {"core", "math", "ops"},
    "cpu": {"core", "math", "ops", "cpu"},
    "cuda": {"core", "math", "ops", "cuda"},
    "engine": {"core", "math", "ops", "engine"},
    "bindings": {"core", "math", "ops", "cpu", "engine", "bindings"},
}
# What the bindings may see of csrc/cpu; the rest belongs to one instruction set.
PUBLIC_CPU_HEADERS = {
    "cpu/backend.h",
    "cpu/dispatch.h",
    "cpu/kernel.h",
    "cpu/thread_pool.h",
}
PYTHON_HEADERS = re.compile(r"<(pybind11/|Python\.h|numpy/)")
CUDA_HEADERS = re.compile(r"<(cuda|cublas|cooperative_groups|cub/|nvrtc|mma\.h)")

# Headers without templates and inline functions that the linker could mix up.
PLAIN_HEADERS = {"<cstdint>", "<cstddef>", "<stdint.h>", "<stddef.h>", "<immintrin.h>", "<float.h>"}

FAMILIES = [
    "activation",
    "batchnorm",
    "dense",
    "dropout",
    "gather",
    "loss",
    "merge",
    "metric",
    "optimizer",
    "samples",
    "softmax",
]

# Where a family has no file of its own, and the file that does its work.
MERGED_FAMILIES = {
    ("csrc/cpu", "dropout"): "activation",
    ("csrc/cuda", "dropout"): "activation",  # part of the pointwise chain
    ("python/dnnfast/reference", "gather"): "dataset",  # rows of NumPy arrays
}


def cpp_files() -> list[Path]:
    return [p for p in files(".h", ".cpp", ".cu", ".cuh") if CSRC in p.parents]


def per_isa_closure() -> list[Path]:
    """The files compiled per instruction set and their own headers in csrc/cpu and csrc/math."""
    seen: set[Path] = set()
    todo = [ROOT / source for source in cmake_list("PER_ISA_SOURCES")]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            own = [i for i in includes(path) if i not in PUBLIC_CPU_HEADERS]
            todo += [CSRC / i for i in own if i.startswith(("cpu/", "math/"))]
    return sorted(seen)


def test_rooms_include_only_the_rooms_below() -> None:
    wrong = []
    for path in cpp_files():
        room = path.relative_to(CSRC).parts[0]
        for include in includes(path):
            if include.startswith("<"):
                continue
            target = include.split("/")[0]
            if target not in ROOMS[room]:
                wrong.append(f"{name(path)} includes {include}")
            elif room == "bindings" and target == "cpu" and include not in PUBLIC_CPU_HEADERS:
                wrong.append(f"{name(path)} includes {include}, which is private to csrc/cpu")
            elif not (CSRC / include).is_file():
                wrong.append(f"{name(path)} includes {include}: write it as seen from csrc/")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("room", "headers"), [("bindings", PYTHON_HEADERS), ("cuda", CUDA_HEADERS)], ids=str
)
def test_foreign_headers_stay_in_their_room(room: str, headers: re.Pattern[str]) -> None:
    wrong = [
        f"{name(path)} includes {include}"
        for path in cpp_files()
        for include in includes(path)
        if headers.match(include) and path.relative_to(CSRC).parts[0] != room
    ]
    assert not wrong, "\n".join(wrong)


def test_per_isa_code_includes_no_library_templates() -> None:
    wrong = [
        f"{name(path)} includes {include}"
        for path in per_isa_closure()
        for include in includes(path)
        if include.startswith("<") and include not in PLAIN_HEADERS
    ]
    assert not wrong, "\n".join(wrong)


def test_per_isa_sources_live_in_their_own_namespace() -> None:
    missing = [
        source
        for source in cmake_list("PER_ISA_SOURCES")
        if "namespace dnnfast::cpu::DNNFAST_ISA {" not in (ROOT / source).read_text()
    ]
    assert not missing


def test_cmake_lists_every_source_once() -> None:
    rooms = ["PER_ISA", "CPU", "CUDA", "CUDA_SIM", "ENGINE", "BINDING"]
    listed = sorted(source for room in rooms for source in cmake_list(f"{room}_SOURCES"))
    assert listed == [name(p) for p in cpp_files() if p.suffix in (".cpp", ".cu")]


def test_headers_are_included_once() -> None:
    headers = files(".h", ".cuh")
    assert not [name(p) for p in headers if not p.read_text().startswith("#pragma once")]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("room", ["csrc/ops", "csrc/cpu", "csrc/cuda", "python/dnnfast/reference"])
def test_a_family_has_its_name_in_every_room(room: str, family: str) -> None:
    home = MERGED_FAMILIES.get((room, family), family)
    stems = [p.stem for p in (ROOT / room).iterdir() if p.is_file()]
    named = [s for s in stems if s == home or s.startswith(home + "_")]
    assert named, f"{room} has no file named {home}"


def test_files_stay_within_their_budget() -> None:
    code = files(".h", ".cpp", ".cu", ".cuh", ".py", ".sh", ".txt", ".toml")
    lengths = {name(p): len(p.read_text().splitlines()) for p in code}
    assert not {path: lines for path, lines in lengths.items() if lines > MAX_FILE_LINES}


def test_functions_stay_within_their_budget() -> None:
    found = {p: list(cpp_functions(p)) for p in files(".h", ".cpp", ".cu", ".cuh")}
    found |= {p: list(python_functions(p)) for p in files(".py")}
    long = [
        f"{name(path)}:{function.line} {function.name}: {function.lines} lines"
        for path, functions in found.items()
        for function in functions
        if function.lines > MAX_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_cpp_functions_take_few_parameters() -> None:
    """The bindings are exempt: they repeat the signatures of Python."""
    many = [
        f"{name(path)}:{function.line} {function.name}: {function.parameters} parameters"
        for path in cpp_files()
        if "bindings" not in path.parts
        for function in cpp_functions(path)
        if function.parameters > MAX_PARAMETERS
    ]
    assert not many, "\n".join(many)


def test_no_machine_paths_and_no_unfinished_marks() -> None:
    folders = "|".join(["work", "root", "opt", "tmp", "home", "mnt", "Users"])
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
    pattern = re.compile(rf"(?<![\w.)/}}])/(?:{folders})/|\b(?:{marks})\b")
    wrong = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_reference_knows_nothing_of_the_native_module() -> None:
    wrong = [
        name(p)
        for p in (ROOT / "python/dnnfast/reference").rglob("*.py")
        if re.search(r"^\s*(?:from|import)\s.*\b_core\b", p.read_text(), re.MULTILINE)
    ]
    assert not wrong


def test_ci_runs_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    script = (ROOT / ".ci/run").read_text()
    commands = re.findall(r'^  "(.*)"$', script, re.MULTILINE)
    assert len(commands) == 2
    assert not [command for command in commands if command not in readme]


def test_the_map_names_files_that_exist_and_its_walk_names_each_once() -> None:
    text = (CSRC / "README.md").read_text()
    paths = re.findall(r"`((?:csrc|python|tests)/[\w./]+\.\w+)`", text)
    assert paths
    assert not [path for path in paths if not (ROOT / path).is_file()]
    walk = text.split("## The walk")[1].split("\n## ")[0]
    walked = re.findall(r"`([\w./]+\.(?:py|h|cpp))`", walk)
    assert len(walked) == len(set(walked))


def test_documents_link_to_files_that_exist() -> None:
    wrong = []
    for path in files(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                wrong.append(f"{name(path)} links to {target}")
    assert not wrong, "\n".join(wrong)
