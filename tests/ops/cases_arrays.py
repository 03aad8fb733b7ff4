"""Calls of the functions that reduce, shape, join, sort and multiply tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cases import Case, plain

AXES = [None, 0, 1, -1, (0, 2), (1, 2)]


def _reductions(name: str, axes: Any, inputs: str = "c", smooth: bool = True) -> list[Case]:
    return [
        Case(
            name,
            lambda k, x, axis=axis, keep=keep: getattr(k, name)(x, axis=axis, keepdims=keep),
            inputs,
            smooth=smooth,
            label=f"{inputs} {axis}{' kept' if keep else ''}",
        )
        for axis in axes
        for keep in (False, True)
    ]


REDUCTIONS = [
    *(case for name in ["sum", "mean", "prod", "max", "min"] for case in _reductions(name, AXES)),
    *(
        case
        for name in ["var", "std", "amax", "amin", "ptp"]
        for case in _reductions(name, [None, 0, (1, 2)])
    ),
    *(case for name in ["all", "any"] for case in _reductions(name, [None, 0, 1], "b", False)),
    *(
        case
        for name in ["argmax", "argmin"]
        for case in _reductions(name, [None, 0, 1], "c", False)
    ),
    *(
        case
        for name in ["sum", "prod", "mean", "max", "var"]
        for case in _reductions(name, [1], "k", False)
    ),
    *(case for name in ["sum", "mean", "max"] for case in _reductions(name, [0], "b", False)),
    *(
        case
        for name in ["nansum", "nanmean", "nanmax", "nanmin", "nanprod"]
        for case in _reductions(name, [0, 1], "z", False)
    ),
    *(
        case
        for name in ["nanvar", "nanstd", "nanargmax", "nanargmin", "nanmedian"]
        for case in _reductions(name, [1], "z", False)
    ),
    *(case for name in ["median"] for case in _reductions(name, [None, 0, 1, (0, 2)])),
    Case("count_nonzero", lambda k, x: k.count_nonzero(x, axis=1), "n", smooth=False),
    Case("max", lambda k, x: k.max(x, axis=1, initial=0.5), label="initial"),
    Case("average", lambda k, x, p: k.average(x, axis=1, weights=p), "xp"),
    Case("average", lambda k, x: k.average(x, axis=1, weights=np.arange(1, 7.0)), label="vector"),
    Case("average", lambda k, x: k.average(x, axis=0), label="plain"),
    *(
        Case(
            "quantile",
            lambda k, x, axis=axis, method=method: k.quantile(
                x, [0.2, 0.5, 0.9], axis=axis, method=method
            ),
            "c",
            label=f"{axis} {method}",
        )
        for axis, method in [
            (0, "linear"),
            (1, "lower"),
            ((1, 2), "higher"),
            (None, "midpoint"),
            (2, "nearest"),
        ]
    ),
    Case("quantile", lambda k, x: k.quantile(x, 0.3, axis=1, keepdims=True), label="kept"),
    Case("percentile", lambda k, x: k.percentile(x, 30.0, axis=1)),
    Case("nanquantile", lambda k, x: k.nanquantile(x, [0.2, 0.7], axis=1), "z", smooth=False),
    Case("nanpercentile", lambda k, x: k.nanpercentile(x, 20.0, axis=0), "z", smooth=False),
    Case(
        "logsumexp", lambda k, x: k.logsumexp(x, axis=1), numpy=lambda x: np.log(np.exp(x).sum(1))
    ),
    Case(
        "logsumexp",
        lambda k, x: k.logsumexp(x),
        numpy=lambda x: np.log(np.exp(x).sum()),
        label="all",
    ),
    Case("corrcoef", lambda k, x: k.corrcoef(x)),
    Case(
        "psnr",
        lambda k, x, y: k.psnr(x, y, 2.0),
        "xy",
        lambda x, y: 20 * np.log10(2) - 10 * np.log10(np.mean((x - y) ** 2)),
    ),
    Case(
        "trapezoid",
        lambda k, x: k.trapezoid(x, dx=0.5),
        numpy=lambda x: (x[:, 1:] + x[:, :-1]).sum(1) * 0.25,
    ),
    Case(
        "trapezoid",
        lambda k, x, p: k.trapezoid(x, p, axis=1),
        "xp",
        numpy=lambda x, p: ((x[:, 1:] + x[:, :-1]) * np.diff(p, axis=1) / 2).sum(1),
    ),
]

SHAPES = [
    Case("reshape", lambda k, x: k.reshape(x, (-1, 2, 6)), "c"),
    Case("reshape", lambda k, x: k.reshape(x, (-1, 2)), "c", label="longer"),
    Case("ravel", lambda k, x: k.ravel(x), "c"),
    Case("transpose", lambda k, x: k.transpose(x), "c"),
    Case("transpose", lambda k, x: k.transpose(x, (0, 2, 1)), "c", label="021"),
    Case("swapaxes", lambda k, x: k.swapaxes(x, 1, -1), "c"),
    Case("moveaxis", lambda k, x: k.moveaxis(x, 0, -1), "c"),
    Case("moveaxis", lambda k, x: k.moveaxis(x, (0, 2), (2, 0)), "c", label="two"),
    Case("expand_dims", lambda k, x: k.expand_dims(x, 1)),
    Case("expand_dims", lambda k, x: k.expand_dims(x, (0, -1)), label="two"),
    Case("squeeze", lambda k, x: k.squeeze(k.expand_dims(x, (1, 3)))),
    Case("squeeze", lambda k, x: k.squeeze(k.expand_dims(x, (1, 3)), 1), label="1"),
    Case("broadcast_to", lambda k, x: k.broadcast_to(x, (2, *k.shape(x)))),
    Case("diagonal", lambda k, x: k.diagonal(x, 1, 1, 2), "c"),
    Case("diagonal", lambda k, x: k.diagonal(x, -1, 2, 1), "c", label="-1"),
    Case("diag", lambda k, x: k.diag(k.sum(x, 0), 1)),
    Case("diag", lambda k, x: k.diag(k.sum(x, 0), -2), label="-2"),
    Case("diag", lambda k, x: k.diag(k.sum(x, 0)), "s", label="matrix"),
    Case("diagflat", lambda k, x: k.diagflat(k.sum(x, 0)), "s"),
    Case("trace", lambda k, x: k.trace(x, 0, 1, 2), "s"),
    Case("tril", lambda k, x: k.tril(x), "c"),
    Case("triu", lambda k, x: k.triu(x, 1), "c"),
    Case(
        "get_item",
        lambda k, x: k.get_item(x, (slice(None), 1, slice(3, 0, -1))),
        "c",
        lambda x: x[:, 1, 3:0:-1],
    ),
    Case(
        "get_item",
        lambda k, x: k.get_item(x, (Ellipsis, None, -1)),
        "c",
        lambda x: x[..., None, -1],
        label="new",
    ),
    Case("concatenate", lambda k, x, y: k.concatenate([x, y], axis=1), "xy"),
    Case("concatenate", lambda k, x, y: k.concatenate([x, y], axis=0), "xy", label="0"),
    Case("concatenate", lambda k, x, n: k.concatenate([x, n], axis=-1), "xn", smooth=False),
    Case("stack", lambda k, x, y: k.stack([x, y], axis=1), "xy"),
    Case("stack", lambda k, x, y: k.stack([x, y]), "xy", label="0"),
    Case("append", lambda k, x, y: k.append(x, y), "xy"),
    Case("append", lambda k, x, y: k.append(x, y, axis=1), "xy", label="1"),
    Case("hstack", lambda k, x, y: k.hstack([x, y]), "xy"),
    Case("vstack", lambda k, x, y: k.vstack([x, y]), "xy"),
    Case("dstack", lambda k, x, y: k.dstack([x, y]), "xy"),
    Case("split", lambda k, x: k.split(x, 3, axis=1)),
    Case("split", lambda k, x: k.split(x, [1, 4], axis=1), label="cuts"),
    Case("array_split", lambda k, x: k.array_split(x, 4, axis=1)),
    Case("hsplit", lambda k, x: k.hsplit(x, 2)),
    Case("dsplit", lambda k, x: k.dsplit(x, 2), "c"),
    Case("vsplit", lambda k, x: k.vsplit(k.transpose(x), 2)),
    Case("unstack", lambda k, x: k.unstack(x, axis=1), numpy=lambda x: list(x.T)),
    Case("repeat", lambda k, x: k.repeat(x, 2, axis=1)),
    Case("repeat", lambda k, x: k.repeat(x, 3, axis=0), label="0"),
    Case("repeat", lambda k, x: k.repeat(x, 2), label="all"),
    Case("repeat", lambda k, x: k.repeat(x, np.array([1, 2, 0, 1, 1, 3]), axis=1), label="each"),
    Case("tile", lambda k, x: k.tile(x, (2, 3))),
    Case("tile", lambda k, x: k.tile(x, (2, 1, 2)), label="more"),
    Case("pad", lambda k, x: k.pad(x, ((0, 0), (1, 2)))),
    Case("pad", lambda k, x: k.pad(x, ((0, 0), (2, 1)), constant_values=3.0), label="3"),
    *(
        Case(
            "pad",
            lambda k, x, mode=mode: k.pad(x, ((0, 0), (1, 2), (0, 1)), mode=mode),
            "c",
            label=mode,
        )
        for mode in ("reflect", "symmetric")
    ),
    Case("roll", lambda k, x: k.roll(x, 2, axis=1)),
    Case("roll", lambda k, x: k.roll(x, -2, axis=0), label="0"),
    Case("roll", lambda k, x: k.roll(x, 7), label="all"),
    Case("roll", lambda k, x: k.roll(x, (1, 2), axis=(0, 1)), label="two"),
    Case("flip", lambda k, x: k.flip(x), "c"),
    Case("flip", lambda k, x: k.flip(x, axis=0), label="0"),
    plain("fliplr"),
    plain("flipud"),
    *(
        Case("rot90", lambda k, x, n=n: k.rot90(x, n, axes=(1, 2)), "c", label=str(n))
        for n in range(4)
    ),
    Case(
        "rearrange",
        lambda k, x: k.rearrange(x, "b (h w) -> b w h", h=2),
        numpy=lambda x: x.reshape(5, 2, 3).transpose(0, 2, 1),
    ),
    Case(
        "rearrange",
        lambda k, x: k.rearrange(x, "b h w -> (h b) w"),
        "c",
        lambda x: x.transpose(1, 0, 2).reshape(15, 4),
        label="join",
    ),
    Case("full_like", lambda k, x: k.full_like(x, 2.0), smooth=False),
    Case("full", lambda k, x: k.full((5, 3), 2.0) * k.sum(x)),
    *(plain(name, smooth=False) for name in ["zeros_like", "ones_like"]),
    Case("empty_like", lambda k, x: k.empty_like(x) * 0, smooth=False),
    Case("meshgrid", lambda k, x, y: k.meshgrid(k.sum(x, 0), k.sum(y, 0)), "xt"),
    Case(
        "meshgrid",
        lambda k, x, y: k.meshgrid(k.sum(x, 0), k.sum(y, 0), indexing="ij"),
        "xt",
        label="ij",
    ),
    Case("linspace", lambda k, x, y: k.linspace(x, y, 4), "xy"),
    Case(
        "linspace", lambda k, x, y: k.linspace(x, y, 4, endpoint=False, axis=1), "xy", label="open"
    ),
    Case("logspace", lambda k, x, y: k.logspace(x, y, 3), "xy"),
    Case("geomspace", lambda k, x, y: k.geomspace(x, y, 3), "pg"),
    Case("vander", lambda k, x: k.vander(k.sum(x, 0), 3), "t"),
    Case("size", lambda k, x: k.size(x) * x, numpy=lambda x: x.size * x),
]

PRODUCTS = [
    Case("matmul", lambda k, c, d: k.matmul(c, d), "cd"),
    Case("matmul", lambda k, x: k.matmul(x, k.transpose(x)), label="batch"),
    Case("matmul", lambda k, x: k.matmul(k.transpose(x), x), label="inner"),
    Case("matmul", lambda k, x: k.matmul(x, np.ones((6, 2), "float32")), label="matrix"),
    Case("matmul", lambda k, x: k.matmul(x, np.arange(6, dtype="float32")), label="vector"),
    Case("matmul", lambda k, c: k.matmul(np.ones((2, 3), "float32"), c), "c", label="left"),
    Case("matmul", lambda k, n: k.matmul(n, np.ones((6, 2), "int32")), "n", smooth=False),
    Case("dot", lambda k, x: k.dot(x, np.ones((6, 2), "float32"))),
    Case("dot", lambda k, x, c: k.dot(k.sum(x, 0), k.transpose(c, (2, 1, 0))), "tc"),
    Case("inner", lambda k, x, y: k.inner(x, y), "xy"),
    Case("outer", lambda k, x, y: k.outer(k.sum(x, 0), k.sum(y, 0)), "xt"),
    Case("vdot", lambda k, x, y: k.vdot(x, y), "xy"),
    Case("tensordot", lambda k, c, d: k.tensordot(c, d, ((1, 2), (2, 1))), "cd"),
    Case("tensordot", lambda k, x: k.tensordot(x, np.ones((6, 2, 3), "float32"), 1), label="1"),
    Case("cross", lambda k, t, s: k.cross(k.expand_dims(t, 1), s), "ts"),
    Case("cross", lambda k, c, s: k.cross(c[:, :2], s[:, :, :2], axisa=1), "ds", label="two"),
    Case("kron", lambda k, x, y: k.kron(k.sum(x, 0), k.sum(y, 0)), "xt"),
    Case("kron", lambda k, c: k.kron(k.sum(c, 0), np.ones((2, 2), "float32")), "c", label="matrix"),
    Case(
        "cdist",
        lambda k, c, s: k.cdist(k.swapaxes(c, 1, 2), s),
        "cs",
        lambda c, s: np.sqrt(((np.swapaxes(c, 1, 2)[:, :, None] - s[:, None]) ** 2).sum(-1)),
    ),
    *(
        Case("einsum", lambda k, *x, text=text: k.einsum(text, *x), inputs, label=text)
        for text, inputs in [
            ("bij,bjk->bik", "cd"),
            ("bij,bjk", "cd"),
            ("bij->bji", "c"),
            ("bii->bi", "s"),
            ("bij->b", "c"),
            ("bi,bi->", "xy"),
            ("bi,bj->bij", "xt"),
            ("bi,cj->ij", "xy"),
            ("...ij,...jk->...ik", "cd"),
            ("bij,bkj->bik", "cc"),
            ("bij,bi->bj", "ct"),
            ("b,bij,bjk->ik", "vcd"),
        ]
    ),
    Case("correlate", lambda k, x, y: k.correlate(k.sum(x, 0), k.sum(y, 0)), "xt"),
    *(
        Case(
            "correlate",
            lambda k, x, y, mode=mode: k.correlate(k.sum(x, 0), k.sum(y, 0), mode),
            "xt",
            label=mode,
        )
        for mode in ("same", "full")
    ),
    *(
        Case(
            "norm",
            lambda k, x, order=order: k.norm(x, ord=order, axis=1),
            numpy=lambda x, order=order: np.linalg.norm(x, order, 1),
            label=str(order),
        )
        for order in (None, 1, 2, 3, np.inf, -np.inf)
    ),
    *(
        Case(
            "norm",
            lambda k, x, order=order: k.norm(x, ord=order, axis=(1, 2)),
            "c",
            lambda x, order=order: np.linalg.norm(x, order, (1, 2)),
            label=f"matrix {order}",
        )
        for order in (None, "fro", 1, -1, np.inf, -np.inf)
    ),
    Case("norm", lambda k, x: k.norm(x), "c", np.linalg.norm, label="all"),
]
