"""The C++ test programs, and what the compiled kernels may not contain."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from dnnfast import _core
from toolchain import compiler

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-pthread", "-Icsrc"]
ISA_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"],
}


def compile_and_run(program: Path, *arguments: str) -> None:
    subprocess.run([*compiler(), *FLAGS, *arguments, "-o", str(program)], cwd=ROOT, check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_thread_pool(tmp_path: Path) -> None:
    compile_and_run(
        tmp_path / "thread_pool_test", "tests/cpp/thread_pool_test.cpp", "csrc/cpu/thread_pool.cpp"
    )


def test_thread_choice(tmp_path: Path) -> None:
    compile_and_run(
        tmp_path / "thread_choice_test",
        "tests/cpp/thread_choice_test.cpp",
        "csrc/cpu/thread_choice.cpp",
    )


@pytest.mark.parametrize("isa", _core.info()["isa_available"])
def test_math_accuracy(isa: str, tmp_path: Path) -> None:
    flags = [*ISA_FLAGS[isa], f"-DDNNFAST_ISA={isa}", "-ffp-contract=fast"]
    compile_and_run(tmp_path / "math_accuracy", "tests/cpp/math_accuracy.cpp", *flags)


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_no_code_leaks_between_instruction_sets(isa: str) -> None:
    """Reads the object files that `pip install .` left in build/."""
    objects = sorted(ROOT.glob(f"build/cp*/CMakeFiles/dnnfast_{isa}.dir/**/*.o"))
    if not objects:
        pytest.skip(f"no {isa} object files in build/: the package was not built in this folder")
    if shutil.which("nm") is None:
        pytest.skip("nm (binutils) not found")
    path = ROOT / "tests/cpp/isa_symbols.py"
    spec = importlib.util.spec_from_file_location("isa_symbols", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.leaks("nm", isa, map(str, objects)) == []
