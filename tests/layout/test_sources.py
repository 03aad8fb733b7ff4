"""The layout test's own measures: what counts as a function, and how long it is."""

from __future__ import annotations

from pathlib import Path

from layout.sources import Function, cpp_functions, includes, python_functions

CPP = """
#include <vector>
#include "core/tensor.h"
#define LOOP(n) \\
  for (int i = 0; i < n; ++i) {
namespace a::b {
struct Pair {
  int first() const { return "}"[0]; }
};
const Pair kPairs[] = {{1}, {2}};
template <int Rows, class Type>
inline void long_one(int x, Pair<int, 2> y,
                     int z) {
  auto inner = [](int i) {
    return i;
  };
  // }
}
Pair::Pair(int x) : first_(x) {}
}  // namespace a::b
"""

PYTHON = '''
class Layer:
    def call(self, x, *, training=False):
        """One sentence.

        More.
        """
        y = x
        return y
'''


def test_cpp_functions(tmp_path: Path) -> None:
    path = tmp_path / "example.cpp"
    path.write_text(CPP)
    assert list(cpp_functions(path)) == [
        Function("first", 8, 1, 0),
        Function("long_one", 13, 4, 3),
        Function("Pair::Pair", 19, 1, 1),
    ]


def test_python_functions(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(PYTHON)
    assert list(python_functions(path)) == [Function("call", 3, 2, 3)]


def test_includes(tmp_path: Path) -> None:
    path = tmp_path / "example.cpp"
    path.write_text(CPP)
    assert includes(path) == ["<vector>", "core/tensor.h"]
