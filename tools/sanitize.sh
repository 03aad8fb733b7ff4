#!/usr/bin/env bash
# Runs the suite under the address and undefined-behaviour sanitizers, and the C++ test programs
# under the thread sanitizer. Everything goes to build/sanitize, apart from the normal build.
#
#   tools/sanitize.sh [address|thread] [arguments for pytest]      default: both, whole suite
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what=both
if [[ "${1:-}" =~ ^(address|thread)$ ]]; then
  what=$1
  shift
fi
folder=$PWD/build/sanitize
python=$folder/venv/bin/python

if [[ "$what" != thread ]]; then
  [[ -x "$python" ]] || python3 -m venv "$folder/venv"
  "$python" -m pip install --quiet '.[test]' -C build-dir="$folder/address" -C install.strip=false \
    -C cmake.define.DNNFAST_SANITIZE='address;undefined'
  # Python itself is not instrumented: the runtime must be loaded first, and the interpreter's own
  # allocations that live until exit are not ours to report.
  runtime=$("${CXX:-g++}" -print-file-name=libasan.so)
  stdcpp=$("${CXX:-g++}" -print-file-name=libstdc++.so)
  LD_PRELOAD="$runtime $stdcpp" \
    ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
    DNNFAST_SANITIZED=1 "$python" -m pytest "$@"
fi

if [[ "$what" != address ]]; then
  cmake -S . -B "$folder/thread" -DDNNFAST_BINDINGS=OFF -DDNNFAST_TESTS=ON -DDNNFAST_SANITIZE=thread
  cmake --build "$folder/thread" --parallel "${JOBS:-2}"
  ctest --test-dir "$folder/thread" --output-on-failure
fi
