#!/usr/bin/env bash
# Everything that needs a GPU, in one command that ends within ten minutes: build, tests, sanitizers, equality of all
# forms of launch, boundary costs, timings beside the peers. Results: JSON in $OUT; the end of the output is a summary.
#
#   bash benchmarks/gpu/run_all.sh               on a machine with a GPU; python3 needs cmake, ninja, pybind11, numpy,
#                                                h5py, pytest and hypothesis; torch and jax are peers; no network
#   SIMULATED=1 bash benchmarks/gpu/run_all.sh   anywhere: the same steps on the simulated GPU, at reduced sizes
set -u
cd "$(dirname "$0")/../.."
OUT=${OUT:-benchmarks/results/gpu}
WORK=${WORK:-$(mktemp -d)}
PYTHON=${PYTHON:-python3}
SIMULATED=${SIMULATED:-}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
SUMMARY=$OUT/summary.txt
: >"$SUMMARY"
failures=0

# step NAME SECONDS COMMAND...: runs it with a limit, keeps its output, notes the result.
step() {
  local name=$1 limit=$2 begin=$SECONDS result=ok
  shift 2
  timeout "$limit" "$@" >"$OUT/$name.log" 2>&1 || result="FAILED ($?)"
  [ "$result" = ok ] || { failures=$((failures + 1)); tail -n 25 "$OUT/$name.log"; }
  printf '%-28s %-12s %4d s\n' "$name" "$result" $((SECONDS - begin)) | tee -a "$SUMMARY"
}

build() {
  local options=(-DDNNFAST_WERROR=ON -DPython_EXECUTABLE="$(command -v "$PYTHON")"
    -Dpybind11_DIR="$("$PYTHON" -m pybind11 --cmakedir)")
  if [ -n "$SIMULATED" ]; then
    options+=(-DDNNFAST_CUDA_SIM=ON)
  else
    options+=(-DDNNFAST_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=90a-real)
  fi
  command -v ninja >/dev/null && options+=(-G Ninja)
  cmake -S . -B "$WORK/build" "${options[@]}" && cmake --build "$WORK/build" -j "$(nproc)" &&
    mkdir -p "$WORK/site" && cp -r python/dnnfast "$WORK/site/" &&
    rm -f "$WORK"/site/dnnfast/*.so &&
    cp "$WORK"/build/_core*.so "$WORK"/build/libdnnfast_cuda*.so "$WORK/site/dnnfast/"
}

# The weights after some steps, of every graph of the engine's tests: the same in every form of launch.
forms() {
  set -o pipefail
  local graph form sum first
  for graph in $("$PYTHON" -c 'from engine.graphs import GRAPHS; print(*GRAPHS)'); do
    first=
    for form in FORM=graphs DNNFAST_CUDA_FUSED=0 DNNFAST_CUDA_PLAIN=1 DNNFAST_CUDA_RESIDENT=1; do
      sum=$(env "$form" "$PYTHON" -c "from gpu.scenarios import *; print_trained_weights('$graph')" |
        md5sum) || return 1
      echo "$graph $form $sum"
      [ -n "$first" ] || first=$sum
      [ "$first" = "$sum" ] || return 1
    done
  done
}

boundary() {
  nvcc -O3 -std=c++17 -gencode arch=compute_90a,code=sm_90a -o "$WORK/boundary" benchmarks/gpu/boundary.cu &&
    "$WORK/boundary" >"$OUT/boundary.json" && cat "$OUT/boundary.json"
}
ceilings() {
  "$PYTHON" benchmarks/gpu/ceilings.py >"$WORK/ceilings.json" && cp "$WORK/ceilings.json" "$OUT/" &&
    cat "$OUT/ceilings.json"
}

export PYTHONPATH=$WORK/site:$PWD/tests DNNFAST_TEST_DEVICE=cuda:0 OUT WORK PYTHON SIMULATED
export -f build forms boundary ceilings
step build 240 bash -c build
[ "$failures" = 0 ] || exit 1
library=$(ls "$WORK"/site/dnnfast/libdnnfast_cuda*.so 2>/dev/null)
export DNNFAST_CUDA_LIBRARY=$library

tests=("$PYTHON" -m pytest -q -p no:cacheprovider)
step tests-engine 120 "${tests[@]}" tests/engine/test_against_reference.py tests/engine/test_samples.py
step tests-models 90 "${tests[@]}" tests/api -k cuda
step forms-of-launch 90 bash -c forms

# Without graphs: the sanitizers then see every launch. racecheck knows shared memory only; what blocks share is
# covered by the equality of the forms.
scenario=("$PYTHON" -c "from gpu.scenarios import *; print_trained_weights('normalized')")
for tool in memcheck racecheck initcheck synccheck; do
  if [ -n "$SIMULATED" ] || ! command -v compute-sanitizer >/dev/null; then
    echo "$tool: no compute-sanitizer here" | tee -a "$SUMMARY"
  else
    step "sanitizer-$tool" 60 env DNNFAST_CUDA_PLAIN=1 compute-sanitizer --tool $tool --error-exitcode 9 "${scenario[@]}"
  fi
done

if [ -n "$SIMULATED" ]; then
  echo '{"gpu": "simulated", "gflops": 1.0, "bandwidth": 1.0}' >"$WORK/ceilings.json"
  step timings 200 "$PYTHON" benchmarks/gpu/measure.py --ceilings "$WORK/ceilings.json" --out "$OUT" --reduced
else
  step boundary 60 bash -c boundary
  step ceilings 60 bash -c ceilings
  step timings 400 "$PYTHON" benchmarks/gpu/measure.py --ceilings "$WORK/ceilings.json" --out "$OUT" --seconds $((540 - SECONDS))
fi
grep -v '"ready"' "$OUT/timings.log" 2>/dev/null | tail -n 70
cat "$SUMMARY"
echo "$failures steps failed, $SECONDS s"
exit $((failures > 0))
