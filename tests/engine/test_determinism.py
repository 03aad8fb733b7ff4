"""The same bits for any number of threads, any slicing of an epoch, and any repetition."""

import threading

import numpy as np
import pytest

from dnnfast import _core, reference
from dnnfast.graph import Optimizer
from engine.graphs import GRAPHS, make_data


@pytest.fixture(autouse=True)
def even_the_smallest_step_on_all_threads():
    before, work = _core.threads(), _core.work_worth_threads()
    _core.set_work_worth_threads(0)
    yield
    _core.set_threads(before)
    _core.set_work_worth_threads(work)


def train(graph, data, threads=1, slices=(1, 2, 3), seed=9):
    """Return every float of a session after two epochs, as bytes."""
    _core.set_threads(threads)
    session = _core.Session(graph)
    session.seed = seed
    rng = np.random.default_rng(0)
    for i, parameter in enumerate(graph.parameters):
        value = rng.standard_normal(parameter.shape).astype(np.float32) * 0.3
        session.set_parameter(i, np.abs(value) if "variance" in parameter.name else value)
    dataset = _core.Dataset(*data)
    rows = dataset.rows
    for epoch in range(2):
        begin = 0
        for count in slices:
            order = _core.shuffle(rows, 4, epoch)
            session.train(dataset, order, begin, count, 33, np.full(count, 0.02))
            begin += count
    arrays = [session.get_parameter(i) for i in range(len(graph.parameters))]
    for i in range(len(graph.parameters)):
        arrays += [session.get_slot(slot, i) for slot, _ in session.slots(i)]
    session.evaluate(dataset, 0, sum(slices), 33)
    return b"".join(a.tobytes() for a in arrays) + repr(session.totals()).encode()


@pytest.mark.parametrize("name", GRAPHS)
def test_threads_slices_and_repetition(name):
    graph = GRAPHS[name]()
    data = make_data(graph, rows=190)
    once = train(graph, data)
    assert train(graph, data) == once
    for threads in (2, 3, 4):
        assert train(graph, data, threads=threads) == once
    assert train(graph, data, slices=(6,)) == once


@pytest.mark.parametrize("kind", reference.OPTIMIZERS)
def test_optimizers(kind):
    graph = GRAPHS["mlp"]()
    options = {"use_ema": 1, "global_clipnorm": 0.5, "weight_decay": 0.1}
    data = make_data(graph, rows=190)
    for extra in ({}, {**options, "gradient_accumulation_steps": 2}):
        graph.optimizer = Optimizer(kind, extra)
        for parameter in graph.parameters:
            parameter.orthogonal = True
        once = train(graph, data)
        for threads in (2, 3):
            assert train(graph, data, threads=threads) == once
        assert train(graph, data, slices=(6,)) == once


def test_wide_layers_with_large_batches():
    graph = GRAPHS["mlp"]()
    rng = np.random.default_rng(0)
    data = [rng.standard_normal((1000, 33)).astype(np.float32)], [rng.integers(0, 10, 1000)], [None]
    results = set()
    for threads in (1, 2, 4):
        _core.set_threads(threads)
        session = _core.Session(graph)
        for i, parameter in enumerate(graph.parameters):
            value = np.random.default_rng(i).standard_normal(parameter.shape)
            session.set_parameter(i, value.astype(np.float32))
        session.train(_core.Dataset(*data), None, 0, 2, 600, np.full(2, 0.1))
        results.add(b"".join(session.get_parameter(i).tobytes() for i in range(6)))
    assert len(results) == 1


def test_another_seed_gives_other_bits():
    graph = GRAPHS["normalized"]()
    data = make_data(graph, rows=190)
    assert train(graph, data, seed=1) != train(graph, data, seed=2)


def test_sessions_in_several_python_threads():
    graph = GRAPHS["normalized"]()
    data = make_data(graph, rows=190)
    expected = train(graph, data, threads=2)
    results = []
    workers = [
        threading.Thread(target=lambda: results.append(train(graph, data, threads=2)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [expected] * 4
