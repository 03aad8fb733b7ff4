"""Graphs of array ops on the native engine and the reference: outputs, gradients, trajectories."""

import numpy as np
import pytest

from dnnfast import reference
from engine.graphs_array import CASES
from engine.test_against_reference import (
    GRADIENT_LIMIT,
    TRAJECTORY_LIMIT,
    datasets,
    native_session,
    sessions,
)
from engine.test_determinism import even_the_smallest_step_on_all_threads, train  # noqa: F401
from tolerance import assert_close, relative_error


def compare(out, exact, scale):
    """Compare what is finite within the limit and the rest exactly."""
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(out[~finite], exact[~finite])
    assert_close(out[finite], exact[finite], GRADIENT_LIMIT, scale=scale[np.isfinite(scale)])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_outputs(name, training):
    case = CASES[name]()
    pair = sessions(case.graph)
    rows, batch = 75, 32
    outputs = []
    for session, dataset in zip(pair, datasets(case.data(rows)), strict=True):
        shapes = [case.graph.tensors[t].shape for t in case.graph.outputs]
        out = [np.full((rows, *shape), -7.0, np.float32) for shape in shapes]
        session.predict(dataset, 0, 3, batch, out, training, 4)
        outputs.append(out)
    for a, b in zip(*outputs, strict=True):
        compare(a, b, b)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("batch", [1, 7, 33])
def test_gradients(name, batch):
    case = CASES[name]()
    native, exact = sessions(case.graph)
    mine, theirs = datasets(case.data(batch))
    native.compute_gradients(mine, 0, batch)
    exact.compute_gradients(theirs, 0, batch)
    wanted = [exact.get_gradient(i) for i in range(len(case.graph.parameters))]
    largest = max(np.linalg.norm(gradient) for gradient in wanted)
    for i, gradient in enumerate(wanted):
        scale = np.full(1, max(np.linalg.norm(gradient), 1e-3 * largest))
        assert_close(native.get_gradient(i), gradient, GRADIENT_LIMIT, scale=scale)


@pytest.mark.parametrize("name", CASES)
def test_trajectory(name):
    case = CASES[name]()
    pair = sessions(case.graph)
    data = datasets(case.data(75))
    for session, dataset in zip(pair, data, strict=True):
        session.reset_totals()
        for _ in range(2):  # five steps, the third with 11 rows
            session.train(dataset, None, 0, 3, 32, np.full(3, 0.01))
    native, exact = pair
    np.testing.assert_allclose(native.totals(), exact.totals(), rtol=2e-4, atol=1e-6)
    for i, parameter in enumerate(case.graph.parameters):
        error = relative_error(native.get_parameter(i), exact.get_parameter(i))
        assert error < TRAJECTORY_LIMIT, f"{parameter.name}: {error:.3g}"
    for session, dataset in zip(pair, data, strict=True):
        session.reset_totals()
        session.evaluate(dataset, 0, 3, 32)
    np.testing.assert_allclose(native.totals(), exact.totals(), rtol=2e-4, atol=1e-6)
    for i in range(len(case.graph.parameters)):  # an evaluation may assign
        error = relative_error(native.get_parameter(i), exact.get_parameter(i))
        assert error < TRAJECTORY_LIMIT


@pytest.mark.parametrize("name", CASES)
def test_predictions_that_sample(name):
    case = CASES[name]()
    results = []
    for session, dataset in zip(sessions(case.graph), datasets(case.data(50)), strict=True):
        shapes = [case.graph.tensors[t].shape for t in case.graph.outputs]
        arrays = [[np.full((50, *shape), -7.0, np.float32) for shape in shapes] for _ in range(2)]
        session.predict_samples(dataset, 0, 3, 20, *arrays, 5, 7, 3)
        results.append(arrays[0] + arrays[1])
    for i in range(len(case.graph.outputs)):
        mean, deviation = i, i + len(case.graph.outputs)
        scale = results[1][mean]
        compare(results[0][mean], scale, scale)
        # What is certain deviates by 0, or, where it is not finite, by no number.
        finite = np.isfinite(scale)
        compare(*(result[deviation][finite] for result in results), scale)


@pytest.mark.parametrize("name", CASES)
def test_same_bits_for_any_number_of_threads(name):
    case = CASES[name]()
    data = case.data(190)
    assert train(case.graph, data, threads=3) == train(case.graph, data, threads=1)


def test_an_output_needs_a_batch_axis():
    case = CASES["lookup"]()
    rows = next(n.output for n in case.graph.nodes if case.extents(n.output)[0] == -7)
    case.graph.outputs.append(rows)
    for session in (native_session, reference.Session):
        with pytest.raises(ValueError, match="an output has no batch axis"):
            session(case.graph)
