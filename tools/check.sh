#!/usr/bin/env bash
# Style and types. `--fix` formats instead of complaining. Needs `pip install '.[dev]'`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python_folders=(python tests benchmarks examples tools docs)
mapfile -t cpp_files < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp')

if [[ "${1:-}" == "--fix" ]]; then
  ruff check --fix "${python_folders[@]}"
  ruff format "${python_folders[@]}"
  clang-format -i "${cpp_files[@]}"
  exit
fi

status=0
ruff check "${python_folders[@]}" || status=1
ruff format --check "${python_folders[@]}" || status=1
mypy || status=1
clang-format --dry-run -Werror "${cpp_files[@]}" || status=1
exit "$status"
