"""What functions do on arrays alone: types, limits, errors, and what models cannot record."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dnnfast as keras
import tolerance
from dnnfast import ops
from ops.test_functions import ALL

# They compute on arrays only, or give no tensors.
ARRAYS_ONLY = {
    "bartlett": (5,),
    "blackman": (5,),
    "cholesky": None,
    "cholesky_inverse": None,
    "custom_gradient": None,
    "det": None,
    "eig": None,
    "eigh": None,
    "gcd": None,
    "hamming": (5,),
    "hanning": (5,),
    "i0": None,
    "inv": None,
    "kaiser": (5, 1.0),
    "lcm": None,
    "logdet": None,
    "lstsq": None,
    "lu_factor": None,
    "matrix_rank": None,
    "nextafter": None,
    "nonzero": None,
    "pinv": None,
    "qr": None,
    "slogdet": None,
    "solve": None,
    "solve_triangular": None,
    "svd": None,
    "unique": None,
    "vectorize": None,
    "view": None,
}
# They describe tensors, or make them from nothing.
NO_TENSOR = "arange convert_to_numpy dtype empty eye identity is_tensor ndim ones shape tri zeros"
WITH_TWO = ("gcd", "lcm", "lstsq", "nextafter", "solve", "solve_triangular")

MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]], np.float32)
LIMIT = tolerance.bound(reduction=100, operations=24)


def test_every_function_is_tested():
    tested = {case.name for case in ALL} | set(ARRAYS_ONLY) | set(NO_TENSOR.split())
    assert tested == set(ops.__all__)


@pytest.mark.parametrize("name", sorted(set(ARRAYS_ONLY) - {"custom_gradient", "vectorize"}))
def test_models_are_told_what_cannot_be_recorded(name):
    x = keras.Input((3, 3), dtype="int32" if name in ("gcd", "lcm") else "float32")
    extra = {"kaiser": [1.0]}.get(name, [x] if name in WITH_TWO else [])
    with pytest.raises(NotImplementedError, match=rf"ops\.{name} .*computes on arrays only"):
        getattr(ops, name)(x, *extra)


def test_functions_made_for_arrays_refuse_symbolic_tensors():
    x = keras.Input((3,))
    plus_one = ops.vectorize(lambda v: v + 1)
    for function in (plus_one, ops.custom_gradient(lambda v: (v, lambda d: d))):
        with pytest.raises(NotImplementedError, match="computes on arrays only"):
            function(x)
    assert plus_one([1, 2]).tolist() == [2, 3]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ((np.int32(1), np.float32(1)), "float32"),
        ((np.ones(2), 1), "float32"),
        ((np.ones(2, int), 1.5), "float32"),
        ((np.ones(2, "uint8"), 1), "uint8"),
        ((np.ones(2, "uint8"), np.ones(2, "int8")), "int16"),
        ((np.ones(2, "float16"), np.ones(2, "int32")), "float16"),
        ((np.ones(2, "float16"), 1.5), "float16"),
        ((True, True), "bool"),
        ((True, 2), "int32"),
        ((np.ones(2, bool), 2.5), "float32"),
        (([1, 2], [1.0, 2.0]), "float32"),
    ],
)
def test_types_of_results(values, dtype):
    assert ops.add(*values).dtype.name == dtype
    tensors = [_as_tensor(v) for v in values]
    if any(isinstance(t, keras.KerasTensor) for t in tensors):
        assert ops.add(*tensors).dtype == dtype


def _as_tensor(value):
    """Return a symbolic tensor of the same type; Python's numbers stay."""
    if type(value) in (bool, int, float):
        return value
    return keras.Input((2,), dtype=ops.convert_to_tensor(value).dtype.name)


def test_64_bits_are_kept_only_where_asked_for():
    assert ops.convert_to_tensor(np.ones(2)).dtype == np.float32
    assert ops.convert_to_tensor(np.ones(2, int)).dtype == np.int32
    assert ops.convert_to_tensor(np.array([2**40])).tolist() == [2**40]
    assert ops.cast([1.5], "float64").dtype == np.float64
    assert ops.sum(np.ones(3, bool)).dtype == np.int32
    assert ops.mean(np.ones(3, int)).dtype == np.float32


def test_long_sums_stay_exact():
    x = np.full(10_000_000, 0.1, np.float32)
    assert float(ops.sum(x)) == pytest.approx(float(np.float32(0.1)) * x.size, rel=1e-7)
    assert float(ops.mean(x)) == np.float32(0.1)


def test_variables_and_lists_count_as_arrays():
    v = keras.Variable([1.0, 4.0])
    assert ops.sqrt(v).tolist() == [1.0, 2.0]
    assert ops.add(v, [1, 2]).tolist() == [2.0, 6.0]
    assert ops.stack([v, v]).shape == (2, 2)
    assert ops.convert_to_numpy(v) is not v.borrow()
    with pytest.raises(TypeError, match="expected numbers"):
        ops.exp(["a"])
    with pytest.raises(TypeError, match="None"):
        ops.exp(None)


@pytest.mark.parametrize("lower", [False, True])
def test_decompositions(lower):
    a = MATRIX
    close = lambda x, y: tolerance.assert_close(np.asarray(x), np.asarray(y), LIMIT)  # noqa: E731
    factor = ops.cholesky(a, upper=not lower)
    close(factor @ factor.T if lower else factor.T @ factor, a)
    close(ops.cholesky_inverse(factor, upper=not lower), np.linalg.inv(a))
    close(ops.solve_triangular(factor, a, lower=lower), np.linalg.solve(factor, a))
    close(ops.det(a), np.linalg.det(a.astype(float)))
    close(ops.logdet(a), np.log(np.linalg.det(a.astype(float))))
    sign, logarithm = ops.slogdet(-a)
    assert float(sign) == -1.0
    close(logarithm, np.log(np.linalg.det(a.astype(float))))
    close(ops.inv(a) @ a, np.eye(3))
    close(ops.pinv(a[:, :2]) @ a[:, :2], np.eye(2))
    close(ops.solve(a, a[0]), np.linalg.solve(a.astype(float), a[0]))
    close(a @ ops.solve(np.stack([a, a]), np.stack([a[0], a[1]]))[1], a[1])
    close(ops.lstsq(a[:, :2], a[0]), np.linalg.lstsq(a[:, :2].astype(float), a[0], rcond=None)[0])
    assert int(ops.matrix_rank(a[:, [0, 0, 1]])) == 2
    values, vectors = ops.eigh(a)
    close(vectors * values @ vectors.T, a)
    values, vectors = ops.eig(a)
    close((vectors * values @ np.linalg.inv(vectors)).real, a)
    q, r = ops.qr(a)
    close(q @ r, a)
    u, s, v = ops.svd(a[:, :2], full_matrices=False)
    close(u * s @ v, a[:, :2])
    close(ops.svd(a, compute_uv=False), np.linalg.svd(a.astype(float))[1])


def test_lu_factors_of_several_matrices():
    draw = np.random.default_rng(3)
    a = draw.normal(size=(2, 4, 4)).astype(np.float32)
    factors, pivots = ops.lu_factor(a)
    for matrix, lu, rows in zip(a, factors, pivots, strict=True):
        order = np.arange(4)
        for i, j in enumerate(rows):
            order[[i, j]] = order[[j, i]]
        lower = np.tril(lu, -1) + np.eye(4)
        assert np.abs(lower).max() <= 1.0  # of each column the largest was taken
        tolerance.assert_close(lower @ np.triu(lu), matrix[order], LIMIT)


def test_errors_of_linear_algebra_are_those_of_keras():
    with pytest.raises(ValueError, match="Cholesky decomposition failed"):
        ops.cholesky(-MATRIX)
    with pytest.raises(ValueError, match="square"):
        ops.inv(MATRIX[:2])
    with pytest.raises(ValueError, match="rank >= 2"):
        ops.svd([1.0, 2.0])
    with pytest.raises(ValueError, match="mode"):
        ops.qr(MATRIX, mode="full")
    for order, axis in (("fro", 0), ("nuc", 0), (5, (0, 1)), ("other", (0, 1))):
        with pytest.raises(ValueError, match="norm"):
            ops.norm(MATRIX, ord=order, axis=axis)
    assert float(ops.norm(MATRIX, ord="nuc")) == pytest.approx(9.0, rel=1e-6)  # trace
    assert float(ops.norm(MATRIX, ord=2)) == pytest.approx(np.linalg.norm(MATRIX, 2), rel=1e-6)


def test_windows_and_numbers_of_integers():
    for name, arguments in ARRAYS_ONLY.items():
        if arguments is not None:
            found = getattr(ops, name)(*arguments)
            assert found.dtype == np.float32
            tolerance.assert_close(found, getattr(np, name)(*arguments), LIMIT)
    assert ops.gcd([12, 18], 8).tolist() == [4, 2]
    assert ops.lcm([4, 6], 10).tolist() == [20, 30]
    tolerance.assert_close(ops.i0([0.0, 1.0, 3.0]), np.i0([0.0, 1.0, 3.0]), LIMIT)
    assert ops.nextafter(1.0, 2.0) == np.nextafter(np.float32(1), np.float32(2))
    assert ops.view(np.float32(1.0), "int32") == 0x3F800000


def test_erfinv_inverts_erf_into_the_tails():
    x = np.concatenate([np.linspace(-0.999, 0.999, 101), [1 - 1e-7, -1 + 1e-12, 1e-30, 0.0]])
    from dnnfast.ops import special

    back = special.erf(special.erfinv(x))
    assert np.abs(back - x).max() < 1e-15
    assert special.erfinv([1.0, -1.0]).tolist() == [math.inf, -math.inf]
    assert np.isnan(special.erfinv(1.5))


def test_unique_and_nonzero():
    x = np.array([[3, 1], [3, 2]])
    values, index, inverse, counts = ops.unique(
        x, return_index=True, return_inverse=True, return_counts=True
    )
    assert (values.tolist(), index.tolist(), counts.tolist()) == ([1, 2, 3], [1, 3, 0], [1, 1, 2])
    assert np.array_equal(values[inverse], x)
    assert ops.unique(x, size=5, fill_value=9).tolist() == [1, 2, 3, 9, 9]
    assert ops.unique(x, size=2).tolist() == [1, 2]
    assert ops.unique(np.array([[1, 2], [1, 2]]), axis=0).tolist() == [[1, 2]]
    assert [part.tolist() for part in ops.nonzero(x > 2)] == [[0, 1], [0, 0]]
    assert [part.tolist() for part in ops.where(x > 2)] == [[0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.sum([1.0], axis=1), ValueError, "axis 1 is out of bounds"),
        (lambda: ops.sum([[1.0]], axis=(0, 0)), ValueError, "twice"),
        (lambda: ops.mean([1.0], axis=0.5), TypeError, "integer"),
        (lambda: ops.max(np.zeros((0, 2)), axis=0), ValueError, "empty"),
        (lambda: ops.reshape([1, 2, 3], (2, -1)), ValueError, "number of elements"),
        (lambda: ops.reshape([1, 2, 3, 4], (-1, -1)), ValueError, "only one size"),
        (lambda: ops.transpose([[1]], (0, 0)), ValueError, "each of the 2 axes"),
        (lambda: ops.squeeze([[1, 2]], 1), ValueError, "size other than 1"),
        (lambda: ops.concatenate([]), ValueError, "nothing to join"),
        (lambda: ops.stack([[1], [1, 2]]), ValueError, "must be equal"),
        (lambda: ops.split([1, 2, 3], 2), ValueError, "equal parts"),
        (lambda: ops.pad([1], 1, mode="edge", constant_values=1), ValueError, "constant_values"),
        (lambda: ops.where([True], 1), ValueError, "both be given"),
        (lambda: ops.select([], []), ValueError, "at least one"),
        (lambda: ops.cast([1], "float31"), ValueError, "float31"),
        (lambda: ops.einsum("ij,jk", [[1]]), ValueError, "einsum|operands"),
        (lambda: ops.bitwise_and([1.0], [1]), TypeError, "integers"),
        (lambda: ops.ldexp([1.0], [1.0]), TypeError, "integers"),
        (lambda: ops.take([1.0], [0.5]), TypeError, "integers"),
        (lambda: ops.one_hot([1], 2, sparse=True), ValueError, "sparse"),
        (lambda: ops.multi_hot([1]), ValueError, "num_classes"),
        (lambda: ops.quantile([1.0], 0.5, method="other"), ValueError, "other"),
        (lambda: ops.top_k([1.0], 2), ValueError, "k=2"),
        (lambda: ops.normalize([1.0], order=0), ValueError, "order"),
        (lambda: ops.moments([1.0], 0, synchronized=True), NotImplementedError, "synchronized"),
        (lambda: ops.categorical_crossentropy([1.0], [[1.0]]), ValueError, "same shape"),
        (lambda: ops.scatter([[0]], [1.0, 2.0], (3,)), ValueError, "do not fit"),
        (lambda: ops.scatter_update([1.0], [[0]], [1.0], "mean"), ValueError, "mean"),
        (lambda: ops.segment_sum([1.0, 2.0], [0]), ValueError, "one number a row"),
        (lambda: ops.searchsorted([[1]], 1), ValueError, "1-D"),
        (lambda: ops.histogram([1.0], bins=0), ValueError, "bins"),
        (lambda: ops.scan(lambda c, x: (c, x), 0), ValueError, "length"),
        (lambda: ops.convert_to_tensor([1], sparse=True), ValueError, "sparse"),
        (lambda: ops.rot90([1]), ValueError, "at least 2"),
        (lambda: ops.slice([1, 2], (0,), (3,)), ValueError, "block of 3"),
        (lambda: ops.rearrange([[1, 2]], "a b -> a c"), ValueError, "same names"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_slices_move_so_far_that_they_fit():
    assert ops.slice([1, 2, 3, 4], (3,), (2,)).tolist() == [3, 4]
    assert ops.slice_update([1, 2, 3, 4], (3,), [8, 9]).tolist() == [1, 2, 8, 9]


def test_functions_leave_their_inputs_alone():
    for case in ALL:
        before = [a.copy() for a in case.arrays()]
        case.call(ops, *case.arrays())
        for a, b in zip(case.arrays(), before, strict=True):
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
