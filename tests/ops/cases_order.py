"""Calls of the functions that sort, accumulate, look up, and put values at positions."""

from __future__ import annotations

import numpy as np

from ops.cases import Case


def _one_hot(j: np.ndarray, n: int) -> np.ndarray:
    return (j[..., None] == np.arange(n)).astype(float)


ORDER = [
    Case("sort", lambda k, x: k.sort(x, axis=1)),
    Case("sort", lambda k, x: k.sort(x, axis=0), label="0"),
    Case(
        "sort", lambda k, x: k.sort(x, axis=None), label="all", numpy=lambda x: np.sort(x.ravel())
    ),
    Case("argsort", lambda k, x: k.argsort(x, axis=1), smooth=False),
    Case("argsort", lambda k, x: k.argsort(x, axis=0), smooth=False, label="0"),
    Case(
        "argpartition",
        lambda k, x: k.sort(k.argpartition(x, 2, axis=1)[:, :3], axis=1),
        smooth=False,
    ),
    Case(
        "top_k",
        lambda k, x: list(k.top_k(x, 3)),
        numpy=lambda x: [np.sort(x)[:, :2:-1], np.argsort(-x)[:, :3]],
    ),
    Case(
        "top_k",
        lambda k, i: list(k.top_k(i, 4)),
        "i",
        lambda i: [np.sort(i)[:, :1:-1], np.argsort(-i, kind="stable")[:, :4]],
        False,
    ),
    *(
        Case(
            name, lambda k, x, name=name, axis=axis: getattr(k, name)(x, axis=axis), label=str(axis)
        )
        for name in ("cumsum", "cumprod")
        for axis in (0, 1, None)
    ),
    Case("cumsum", lambda k, b: k.cumsum(b, axis=1), "b", smooth=False),
    Case("cumprod", lambda k, n: k.cumprod(n, axis=1), "n", smooth=False),
    Case("cumsum", lambda k, x: k.cumsum(x, axis=2), "c"),
    Case("nancumsum", lambda k, z: k.nancumsum(z, axis=1), "z", smooth=False),
    Case("nancumprod", lambda k, z: k.nancumprod(z, axis=1), "z", smooth=False),
    Case("diff", lambda k, x: k.diff(x, axis=1)),
    Case("diff", lambda k, x: k.diff(x, n=2), label="2"),
    Case("digitize", lambda k, x: k.digitize(x, np.array([-1.0, 0.0, 1.0], "f")), smooth=False),
    Case(
        "searchsorted",
        lambda k, n: k.searchsorted(np.array([-2, 0, 1, 1, 3]), n),
        "n",
        smooth=False,
    ),
    Case(
        "searchsorted",
        lambda k, n: k.searchsorted(np.array([-2, 0, 1, 1, 3]), n, side="right"),
        "n",
        smooth=False,
        label="right",
    ),
    Case("bincount", lambda k, j: k.bincount(j, minlength=4), "j", smooth=False),
    Case("bincount", lambda k, j, v: k.bincount(j, weights=v, minlength=4), "jv"),
    Case(
        "bincount",
        lambda k, i: k.bincount(i, minlength=6),
        "i",
        lambda i: np.stack([np.bincount(r, minlength=6) for r in i]),
        False,
    ),
    Case(
        "histogram", lambda k, x: k.histogram(k.ravel(x), bins=4, range=(-1.0, 1.5)), smooth=False
    ),
    Case("take", lambda k, x: k.take(x, [1, -1, 0], axis=1), label="1"),
    Case("take", lambda k, x: k.take(x, [[1, 2], [0, 2]], axis=0), label="0"),
    Case("take", lambda k, x: k.take(x, [1, 7, 2]), label="all"),
    Case(
        "take",
        lambda k, i: k.take(np.arange(12, dtype="float32").reshape(6, 2), i, axis=0),
        "i",
        label="table",
        smooth=False,
    ),
    Case("take_along_axis", lambda k, x, i: k.take_along_axis(x, i, axis=1), "xi"),
    Case(
        "take_along_axis",
        lambda k, x: k.take_along_axis(x, np.array([[1, 3]]), axis=1),
        label="one row",
    ),
    Case("unravel_index", lambda k, i: list(k.unravel_index(i, (2, 3))), "i", smooth=False),
    Case(
        "slice",
        lambda k, c: k.slice(c, (0, 1, 1), (k.shape(c)[0], 2, 3)),
        "c",
        lambda c: c[:, 1:3, 1:4],
    ),
    Case(
        "slice",
        lambda k, c, j: k.slice(c, k.stack([0, 0, j[0] - j[0] + 1]), (k.shape(c)[0], 3, 2)),
        "cj",
        lambda c, j: c[:, :, 1:3],
        label="moving",
    ),
    Case(
        "slice_update",
        lambda k, x, y: k.slice_update(x, (0, 2), y[:, :3]),
        "xy",
        lambda x, y: np.concatenate([x[:, :2], y[:, :3], x[:, 5:]], 1),
    ),
    Case(
        "slice_update",
        lambda k, x, y, j: k.slice_update(x, k.stack([0, j[0] - j[0] + 1]), y[:, :3]),
        "xyj",
        lambda x, y, j: np.concatenate([x[:, :1], y[:, :3], x[:, 4:]], 1),
        label="moving",
    ),
    Case("one_hot", lambda k, j: k.one_hot(j, 4), "j", lambda j: _one_hot(j, 4), False),
    Case(
        "one_hot",
        lambda k, i: k.one_hot(i, 6, axis=1),
        "i",
        lambda i: _one_hot(i, 6).swapaxes(1, 2),
        False,
        "axis",
    ),
    Case("multi_hot", lambda k, i: k.multi_hot(i, 7), "i", lambda i: _one_hot(i, 7).max(1), False),
    *(
        Case(
            f"segment_{name}",
            lambda k, x, j, name=name: getattr(k, f"segment_{name}")(x, j, 4),
            "xj",
            None,
        )
        for name in ("sum", "max", "min", "prod")
    ),
    Case(
        "segment_sum",
        lambda k, v, j: k.segment_sum(v, j, 3),
        "vj",
        lambda v, j: _one_hot(j, 3).T @ v,
        label="left out",
    ),
    Case(
        "scatter",
        lambda k, x: k.scatter(
            np.array([[0], [2], [1], [2], [3], [0]]), k.matmul(k.transpose(x), x), (4, 6)
        ),
        numpy=None,
    ),
    Case(
        "scatter",
        lambda k, j, v: k.scatter(k.expand_dims(j, 1), v, (4,)),
        "jv",
        lambda j, v: _one_hot(j, 4).T @ v,
    ),
    *(
        Case(
            "scatter_update",
            lambda k, s, how=how: k.scatter_update(
                k.sum(s, 0),
                np.array([[0, 1], [2, 2], [1, 0]]),
                np.array([5.0, -6.0, 0.5], "f"),
                reduction=how,
            ),
            "s",
            None,
            label=str(how),
        )
        for how in (None, "add", "max", "min", "mul")
    ),
    Case(
        "scatter_update",
        lambda k, s: k.scatter_update(
            k.sum(s, 0),
            np.array([[0], [2], [0], [1], [2]]),
            k.take(k.sum(s, 0), [0, 1, 2, 0, 1], axis=0) * 2,
        ),
        "s",
        None,
        label="rows",
    ),
]
