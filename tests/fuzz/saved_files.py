"""Loads very many damaged and hostile files: each loads, or is refused by a clear error.

    python tests/fuzz/saved_files.py --count 100000

A worker process loads them one by one; it is watched: what takes too long, too much memory, or
ends the worker is reported with its number, and so are errors of other kinds than Keras's, and
models that a refused file has changed. ``--only NUMBER`` runs one of them, for a debugger.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import dnnfast as keras

sys.path.insert(0, str(Path(__file__).parents[1]))
from fuzz.mutations import mutated

ERRORS = (OSError, ValueError, TypeError)  # what Keras raises for bad files
SECONDS, MEGABYTES = 10.0, 512.0


def _model(kind):
    keras.utils.set_random_seed(kind)
    x = keras.Input((4,), name="x")
    h = keras.layers.Normalization(mean=[0.0] * 4, variance=[1.0] * 4)(x)
    h = keras.layers.Dense(5, "relu", kernel_regularizer="l2", name="hidden")(h)
    h = keras.layers.BatchNormalization(name="norm")(h)
    h = keras.layers.Dropout(0.2)(h)
    if kind:
        inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "tanh")], name="inner")
        h = keras.layers.Concatenate()([inner(h), keras.ops.tanh(h)])
        h = keras.layers.Discretization([0.0], output_mode="int")(h)
        h = keras.layers.Embedding(4, 2)(h)
        h = keras.layers.Flatten()(h)
    model = keras.Model(x, keras.layers.Dense(2, "sigmoid", name="out")(h))
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10) if kind else 0.1
    metrics = ["mae", keras.metrics.AUC(num_thresholds=5)]
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=metrics)
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    return model


def good_files(folder):
    """Return models, and contents of good files by ending."""
    models = [_model(0), _model(1)]
    found = {".keras": [], ".h5": [], ".weights.h5": []}
    for i, model in enumerate(models):
        for ending, contents in found.items():
            path = Path(folder, f"good{i}{ending}")
            (model.save_weights if ending == ".weights.h5" else model.save)(path)
            contents.append(path.read_bytes())
    return models, found


class Loader:
    """Loads mutations into new models, or their weights into models that are there."""

    def __init__(self, folder, seed):
        self.models, self.good = good_files(folder)
        self.seed, self.folder = seed, folder
        self.weights = [self._state(model) for model in self.models]

    @staticmethod
    def _state(model):
        return [*model.get_weights(), *model.optimizer.get_weights()]

    def run(self, number):
        """Load one and return what came of it; raises what is wrong."""
        ending, content = mutated(self.seed, number, self.good)
        path = os.path.join(self.folder, f"mutated{ending}")
        Path(path).write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if ending == ".weights.h5":
                return self._into_model(path, number)
            try:
                keras.models.load_model(path)
            except ERRORS as error:
                return f"{ending} {type(error).__name__}"
        return f"{ending} loaded"

    def _into_model(self, path, number):
        place = number // 3 % 2
        model = self.models[place]
        try:
            model.load_weights(path)
        except ERRORS as error:
            now = self._state(model)
            for a, b in zip(self.weights[place], now, strict=True):
                if not np.array_equal(a, b, equal_nan=True):
                    raise AssertionError("a refused file has changed the model") from error
            return f".weights.h5 {type(error).__name__}"
        self.weights[place] = self._state(model)
        return ".weights.h5 loaded"


def _memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _work(pipe, seed, begin, end, limit):
    with tempfile.TemporaryDirectory() as folder:
        loader = Loader(folder, seed)
        os.chdir(folder)
        # Beyond this the worker gets a MemoryError instead of the machine's memory.
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, most))
        for number in range(begin, end):
            pipe.send(("begins", number, None))
            before = _memory()
            try:
                outcome = loader.run(number)
            except BaseException:
                outcome = "WRONG " + traceback.format_exc()
            if _memory() - before > limit:
                outcome = f"WRONG memory grew by {_memory() - before:.0f} MB ({outcome})"
            pipe.send(("done", number, outcome))
    pipe.send(("end", end, None))


def fuzz(count, seed, begin=0, report=print):
    """Load ``count`` mutations; returns outcomes with their numbers, and what was wrong."""
    outcomes, wrong = Counter(), []
    context = multiprocessing.get_context("fork")
    while begin < count:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs, seed, begin, count, MEGABYTES))
        worker.start()
        theirs.close()
        number = begin
        while True:
            try:
                alive = ours.poll(60.0 if number == begin else SECONDS)
                kind, number, outcome = ours.recv() if alive else ("late", number, None)
            except EOFError:
                kind = "died"
            if kind == "done":
                trouble = outcome.startswith("WRONG")
                outcomes["wrong" if trouble else outcome] += 1
                if trouble:
                    wrong.append((number, outcome))
                    report(f"{number}: {outcome}")
            elif kind in ("late", "died"):
                worker.kill()
                worker.join()
                wrong.append((number, f"the worker {kind} (exit code {worker.exitcode})"))
                report(f"{number}: {wrong[-1][1]}")
                break
            elif kind == "end":
                number = count - 1
                break
        worker.join()
        begin = number + 1
    return outcomes, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    if given.only is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(Loader(folder, given.seed).run(given.only))
        return 0
    start = time.perf_counter()
    outcomes, wrong = fuzz(given.count, given.seed, given.begin)
    for outcome, times in sorted(outcomes.items()):
        print(f"{times:8d}  {outcome}")
    seconds = time.perf_counter() - start
    print(f"{given.count - given.begin} files in {seconds:.0f} s, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
