"""The C++ compiler that tests build programs with."""

from __future__ import annotations

import os
import shlex
import shutil

import pytest


def compiler() -> list[str]:
    """Returns the compiler's command; skips the test where there is none."""
    command = shlex.split(os.environ.get("CXX", "c++"))
    if shutil.which(command[0]) is None:
        pytest.skip(f"no C++ compiler: {command[0]} not found (set CXX)")
    return command
