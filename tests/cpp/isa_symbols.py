"""Finds code of one instruction set that could leak into another through the linker.

An object file compiled for AVX-512 may define a weak symbol (a template or an inline function that
was not inlined) that another object file defines too. The linker keeps any one of the copies, and
the one it keeps may hold instructions that the machine lacks. Weak symbols inside the instruction
set's own namespace, and local symbols, are harmless.

    isa_symbols.py NM ISA OBJECT...      exits with 1 and lists the leaks if there are any
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable


def leaks(nm: str, isa: str, objects: Iterable[str]) -> list[str]:
    """Returns "object: symbol" for every weak symbol outside namespace dnnfast::cpu::<isa>."""
    own = f"7dnnfast3cpu{len(isa)}{isa}"  # as the C++ ABI spells the namespace
    found = []
    for path in objects:
        listing = subprocess.run(
            [nm, "--defined-only", path], check=True, capture_output=True, text=True
        ).stdout
        for line in listing.splitlines():
            *_, kind, symbol = line.rsplit(maxsplit=2)
            if kind in "WVu" and own not in symbol and not symbol.startswith("DW.ref."):
                found.append(f"{path}: {symbol}")
    return found


if __name__ == "__main__":
    result = leaks(sys.argv[1], sys.argv[2], sys.argv[3:])
    print("\n".join(result))
    sys.exit(bool(result))
