"""Predictions that sample: against passes one by one, the reference, other numbers of threads."""

import numpy as np
import pytest

from dnnfast import _core
from engine.graphs import GRAPHS, Builder, make_data
from engine.test_against_reference import TRAJECTORY_LIMIT, datasets, sessions
from tolerance import EPSILON, assert_close

ROWS, BATCH, SAMPLES, CLOCK = 50, 20, 9, (1 << 62) + 5
STEPS = -(-ROWS // BATCH)


def always(graph):
    """Make every dropout drop in every program, which leaves batch normalization as it is."""
    for node in graph.nodes:
        if node.op == "dropout":
            node.attrs["mode"] = "train"
    return graph


def branches():
    """Random and certain parts that meet, and outputs of both kinds, one of them twice."""
    b = Builder((9,), (4,))
    x = b.dense(b.inputs[0], 33, activation="relu")
    certain = b.dense(x, 5, activation="tanh")
    left = b.dropout(x, 0.4)
    right = b.dropout(b.dense(b.batchnorm(b.dense(x, 33)), 33, activation="elu", alpha=1.0), 0.2)
    both = b.join("add", left, right, x)
    y = b.dense(b.dropout(b.dense(both, 40, activation="relu"), 0.5), 6)
    z = b.dense(b.join("concatenate", y, certain, b.inputs[1]), 300, activation="softplus")
    graph = b.finish(z, certain, y, loss="mean_squared_error")
    graph.outputs = [z, certain, y, z]
    return graph


ALL = {**GRAPHS, "branches": branches}


def empty(graph, rows=ROWS):
    return [np.full((rows, *graph.tensors[i].shape), np.nan, np.float32) for i in graph.outputs]


def sampled(session, graph, dataset, slices=((0, STEPS),)):
    means, deviations = empty(graph), empty(graph)
    for begin, count in slices:
        session.predict_samples(
            dataset, begin, count, BATCH, means, deviations, SAMPLES, CLOCK + begin, STEPS
        )
    return means, deviations


@pytest.mark.parametrize("name", ALL)
def test_equals_passes_one_by_one(name):
    graph = ALL[name]()
    session = sessions(graph)[0]
    dataset = _core.Dataset(*make_data(graph, ROWS))
    means, deviations = sampled(session, graph, dataset)
    single = sessions(always(ALL[name]()))[0]
    passes = []
    for s in range(SAMPLES):
        passes.append(empty(graph))
        single.predict(dataset, 0, STEPS, BATCH, passes[-1], False, CLOCK + s * STEPS)
    for i, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
        outputs = np.stack([p[i] for p in passes]).astype(np.float64)
        np.testing.assert_allclose(mean, outputs.mean(0), rtol=EPSILON)
        np.testing.assert_allclose(deviation, outputs.std(0), rtol=4 * EPSILON, atol=1e-12)
        if not np.ptp(outputs, axis=0).any():
            assert not deviation.any()


@pytest.mark.parametrize("name", ALL)
def test_reference(name):
    graph = ALL[name]()
    native, exact = sessions(graph)
    mine, theirs = datasets(make_data(graph, ROWS))
    for a, b in zip(sampled(native, graph, mine), sampled(exact, graph, theirs), strict=True):
        for x, y in zip(a, b, strict=True):
            assert_close(x, y, TRAJECTORY_LIMIT)


@pytest.mark.parametrize("name", ["normalized", "branches"])
def test_threads_slices_and_repetition(name):
    graph = ALL[name]()
    dataset = _core.Dataset(*make_data(graph, ROWS))
    session = sessions(graph)[0]
    threads, work = _core.threads(), _core.work_worth_threads()
    results = set()
    try:
        _core.set_work_worth_threads(0)
        for count in (1, 2, 3, 4):
            _core.set_threads(count)
            for slices in ([(0, STEPS)], [(0, 1), (1, STEPS - 1)]):
                means, deviations = sampled(session, graph, dataset, slices)
                results.add(b"".join(a.tobytes() for a in [*means, *deviations]))
    finally:
        _core.set_threads(threads)
        _core.set_work_worth_threads(work)
    assert len(results) == 1


def test_the_plan_repeats_no_product_before_the_first_dropout():
    session = _core.Session(GRAPHS["normalized"]())
    text = session.describe(32, "predict_samples")
    once, rest = text.split("for every pass")
    repeated, end = rest.split("then, once")
    assert "dropout" not in once.replace("the dropout after it is repeated", "")
    assert "dense_forward" in once and "batchnorm_inference" in once and "elu" in once
    first = repeated.splitlines()[1]
    assert "pointwise_forward" in first and "dropout 0.2" in first and "elu" not in first
    assert "-> selu" in repeated and "-> gelu -> dropout 0.3" in repeated
    assert repeated.splitlines()[-2].split()[2] == "accumulate_samples"
    assert "scatter_samples" in end and "accumulate_samples" not in end


def test_errors():
    graph = GRAPHS["normalized"]()
    data = make_data(graph, ROWS)
    for session, dataset in zip(sessions(graph), datasets(data), strict=True):
        with pytest.raises(ValueError, match="samples must be at least 1; got 0"):
            session.predict_samples(dataset, 0, 1, BATCH, empty(graph), empty(graph), 0)
    native, dataset = sessions(graph)[0], datasets(data)[0]
    with pytest.raises(ValueError, match="1 arrays for means and 0 for deviations"):
        native.predict_samples(dataset, 0, 1, BATCH, empty(graph), [], 2)
    with pytest.raises(ValueError, match="got 0 arrays"):
        native.predict_samples(dataset, 0, 1, BATCH, [], [], 2)
    with pytest.raises(ValueError, match="output array 0 is too small"):
        native.predict_samples(dataset, 0, 1, BATCH, empty(graph), empty(graph, 3), 2)
