"""Graphs of array ops: each op forward and backward, alone and between layers' own ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from array_graphs import ArrayBuilder, uniform
from dnnfast.expressions import Expression, apply
from dnnfast.graph import Loss, Metric

Make = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def integers(low: int, high: int) -> Make:
    return lambda rng, shape: rng.integers(low, high, shape)


class Case(ArrayBuilder):
    """A graph, and how its data is drawn."""

    def __init__(self, optimizer: str = "adam") -> None:
        super().__init__(optimizer, epsilon=1e-3)
        self.inputs: list[tuple[tuple[int, ...], Make]] = []
        self.targets: list[tuple[tuple[int, ...], Make]] = []

    def drawn(self, *shape: int, make: Make = normal) -> int:
        self.inputs.append((shape, make))
        return self.input(*shape)

    def target(self, *shape: int, make: Make = normal) -> int:
        self.targets.append((shape, make))
        return self.graph.add_target(len(self.targets) - 1, shape)

    def affine(self, x: int, units: int) -> int:
        w, b = self.parameter(self.extents(x)[-1], units), self.parameter(units)
        return self.map(lambda y, b: y + b, self.product(x, w), b)

    def compare(self, y: int, target: int = 0) -> int:
        """Add the squared distance of an output from target number ``target`` to the loss."""
        t = self.target(*self.extents(y)[1:])
        self.loss(self.map(lambda y, t: (y - t) * (y - t), y, t), target=target)
        return y

    def data(self, rows: int, seed: int = 1) -> tuple[list[Any], list[Any], list[Any]]:
        """Return inputs, targets and sample weights (of target 0)."""
        rng = np.random.default_rng(seed)
        inputs = [make(rng, (rows, *shape)) for shape, make in self.inputs]
        targets = [make(rng, (rows, *shape)) for shape, make in self.targets]
        weights: list[Any] = [None] * len(targets)
        if weights:
            weights[0] = rng.uniform(0.5, 1.5, rows).astype(np.float32)
        return inputs, targets, weights


def position(axis: int) -> Expression:
    return Expression("coordinate", (), axis)


def classifier() -> Case:
    """Layers, a softmax and a cross-entropy of array ops; accuracy as a metric."""
    c = Case()
    h = c.map(lambda x: apply("tanh", x), c.affine(c.drawn(33), 31))
    z = c.affine(h, 7)
    m = c.reduce("max", z, [1], keepdims=True)
    s = c.map(lambda z, m: z - m, z, m)
    total = c.reduce("sum", s, [1], keepdims=True, build=lambda s: apply("exp", s))
    log_p = c.map(lambda s, t: s - apply("log", t), s, total)
    label = c.regroup(c.target(make=integers(0, 7)), -1, 1)
    hit = c.map(lambda label: apply("equal", label, position(1)), label, extents=(-1, 7))
    c.loss(c.reduce("sum", [log_p, hit], [1], build=lambda a, b: -(a * b)), target=0)
    first = c.reduce("arg_max", z, [1], keepdims=True)
    right = c.map(lambda a, b: apply("equal", a, b), first, label)
    c.metric(right, target=0, weighted=True)
    c.metric(c.regroup(right, -1))
    c.finish(c.map(lambda a: apply("exp", a), log_p), log_p)
    return c


def layer_norm() -> Case:
    c = Case("rmsprop")
    x = c.affine(c.drawn(100), 100)
    mean = c.reduce("mean", x, [1], keepdims=True)
    centered = c.map(lambda x, m: x - m, x, mean)
    variance = c.reduce("mean", centered, [1], keepdims=True, build=lambda x: x * x)
    gamma, beta = c.parameter(100), c.parameter(1, 100)
    y = c.map(
        lambda x, v, g, b: x / apply("sqrt", v + 1e-3) * (g + 1.0) + b,
        *(centered, variance, gamma, beta),
    )
    c.finish(c.compare(y))
    return c


def attention() -> Case:
    """Products of four axes (two heads), of transposed operands, of a weight on the left."""
    c = Case()
    x = c.drawn(7, 12)

    def heads() -> int:
        z = c.regroup(c.product(x, c.parameter(12, 10)), -1, 7, 2, 5)
        return c.transpose(z, 0, 2, 1, 3)

    q, k, v = heads(), heads(), heads()
    scores = c.product(q, c.transpose(k, 0, 1, 3, 2))
    e = c.map(lambda s: apply("exp", s * 0.4), scores)
    total = c.reduce("sum", e, [3], keepdims=True)
    y = c.product(c.map(lambda e, t: e / t, e, total), v)
    y = c.regroup(c.transpose(y, 0, 2, 1, 3), -1, 7, 10)
    mixed = c.product(c.parameter(3, 7), y)  # (-1, 3, 10)
    c.finish(c.compare(mixed), y)
    return c


def views() -> Case:
    """Slices, flips, transposes, repeated axes and windows, of values and of parameters."""
    c = Case()
    x, w = c.affine(c.drawn(6, 7), 31), c.parameter(31, 6)
    a = c.view(x, (-1, 3, 5), [0, 1, 2], [0, 1, 2], [1, 2, 6])
    b = c.view(x, (-1, 3, 5), [0, 1, 2], [0, -1, -1], [1, -2, -7])
    one = c.view(x, (-1, 1, 5), [0, -1, 2], [0, 4, 3], [1, 0, 1])
    rows = c.view(w, (1, 3, 5), [-1, 1, 0], [-1, 1], [0, 2, -3])
    repeated = c.view(w, (-1, 3, 5), [-1, 1, 0], [4, 0], [0, 1, 1])
    kernel = c.transpose(w, 1, 0)  # (6, 31)
    y = c.map(lambda a, b, o, r, p: a * o + b * r + p, a, b, one, rows, repeated)
    c.compare(y)
    low = c.view(c.product(x, w), (-1, 6), [0, 2], [0, 5, 0])
    backwards = c.view(c.regroup(x, -6, 31), (-6, 2, 7), [0, -1, 1], [-1, 3], [-1, 0, 4])
    c.compare(c.transpose(c.regroup(backwards, -1, 6, 14), 0, 2, 1))
    low = c.map(lambda a: apply("sigmoid", a), c.product(low, kernel))  # (-1, 31)
    c.finish(c.compare(low), y)
    return c


def lookup() -> Case:
    """A table read by labels, positions of values, and sums by position; some are outside."""
    c = Case()
    labels = c.drawn(7, make=integers(-33, 33))
    table = c.parameter(33, 5)
    x = c.gather(table, labels, 0)  # (-1, 7, 5)
    place = c.drawn(7, 5, make=integers(-7, 7))
    y = c.gather(x, place, 1, along=True)
    c.compare(y)
    columns = c.drawn(4, make=integers(0, 5))
    picked = c.gather(c.map(lambda t: apply("tanh", t), table), columns, 1)  # (33, -1, 4)
    c.compare(c.transpose(picked, 1, 2, 0), target=0)
    sums = c.scatter(c.regroup(x, -7, 5), c.regroup(labels, -7), 0, 31)  # outside: 31 and 32
    spread = c.scatter(x, c.view(place, (7, 5), [1, 2], [0, 0, 0]), 1, 100)  # the first row's
    square = c.reduce("mean", sums, [0, 1], build=lambda s: s * s)
    c.loss(c.view(square, (-1,), [-1]), weight=0.3)
    c.loss(c.map(lambda s: s * s, spread), target=0)
    outside = c.gather(x, c.map(lambda p: p + 2.0, place), 1, along=True)
    c.finish(y, spread, outside)
    return c


def scans() -> Case:
    c = Case()
    x = c.affine(c.drawn(31), 31)
    sums = [
        c.scan(x, "sum", 1, reverse=reverse, exclusive=exclusive)
        for reverse in (0, 1)
        for exclusive in (0, 1)
    ]
    y = c.map(lambda a, b, d, e: (a + b * 0.5 - d * e * 0.1) * 0.1, *sums)
    c.compare(y)
    planes = c.regroup(c.map(lambda a: apply("tanh", a), x), -31, 1)
    down = c.regroup(c.scan(planes, "sum", 0), -1, 31)  # over all rows of the batch
    c.compare(c.map(lambda a: apply("tanh", a), down))
    kinds = ("max", "sort", "arg_sort")
    others = [c.scan(x, kind, 1, reverse) for kind in kinds for reverse in (0, 1)]
    others += [c.scan(x, "product", 1, 1, 1), c.scan(x, "max", 1, 0, 1), c.scan(x, "sort", 0)]
    c.finish(y, down, *others)
    return c


def reductions() -> Case:
    """All kinds over outer, inner and several axes, with ties and zeros."""
    c = Case()
    x = c.regroup(c.affine(c.drawn(7), 33), -1, 11, 3)
    ties = c.map(lambda x: apply("max", x, 0.0), x)  # many elements are 0
    parts = []
    for kind in ("sum", "mean", "max", "min"):
        parts.append(c.regroup(c.reduce(kind, ties, [1]), -1, 3))
        parts.append(c.regroup(c.reduce(kind, x, [1, 2], keepdims=True), -1, 1))
        parts.append(c.view(c.reduce(kind, x, [0, 1]), (-1, 3), [-1, 0]))
    parts.append(c.reduce("product", ties, [2]))
    parts.append(c.reduce("product", c.map(lambda x: x * 0.3 + 1.0, x), [1]))
    y = c.join(parts, 1)
    c.compare(y)
    # Of a function of several arrays, along an axis that some of them lack.
    w = c.parameter(11, 1)
    z = c.reduce("sum", [x, w, ties], [1], build=lambda a, b, t: apply("sin", a * b) + t * b)
    c.compare(z)
    c.finish(y, z, c.reduce("arg_max", ties, [1]), c.reduce("arg_min", x, [1, 2], keepdims=True))
    return c


def joins() -> Case:
    c = Case("nadam")
    x = c.affine(c.drawn(4, 5), 6)
    once = c.view(x, (-1, 1, 6), [0, 1, 2], [0, 3, 0])
    w = c.view(c.parameter(1, 6), (-1, 2, 6), [-1, -1, 1])
    middle = c.join([x, once, w, x], 1)  # (-1, 11, 6)
    last = c.join([middle, c.map(lambda a: a * a, middle)], 2)
    c.compare(last)
    rows = c.join([c.regroup(x, -4, 6), c.regroup(once, -1, 6)], 0)  # (-5, 6)
    table = c.join([c.parameter(7, 3), c.parameter(1, 3)], 0)
    rows = c.product(rows, c.view(table, (6, 3), [0, 1], [2, 0]))
    c.compare(c.regroup(rows, -1, 15))
    c.finish(last, c.regroup(c.map(lambda a: apply("tanh", a), rows), -1, 5, 3))
    return c


def noise() -> Case:
    """Dropout and Gaussian noise of array ops; streams and words of their own."""
    c = Case()
    x = c.affine(c.drawn(20), 33)

    def gaussian(x: Expression) -> Expression:
        radius = apply("sqrt", apply("log", 1.0 - uniform(5, 0)) * -2.0)
        return x + radius * apply("cos", uniform(5, 1) * (2.0 * np.pi)) * 0.1

    noisy = c.switch(c.map(gaussian, x), x)
    kept = c.map(lambda x: x * apply("less", 0.25, uniform(6, 3)) / 0.75, noisy)
    h = c.switch(kept, noisy, samples=1)
    scaled = c.map(lambda h, w: h * w * (uniform(2, 2) + 0.5), h, c.parameter(33))  # always random
    y = c.affine(c.map(lambda h: apply("softplus", h), scaled), 3)
    c.finish(c.compare(y))
    return c


def statistics() -> Case:
    """A normalization by the batch that remembers averages, and a running count."""
    c = Case()
    x = c.product(c.drawn(9), c.parameter(9, 17))
    mean = c.reduce("mean", x, [0])
    centered = c.map(lambda x, m: x - m, x, mean)
    variance = c.reduce("mean", centered, [0], build=lambda x: x * x)
    moving = [c.parameter(17, trainable=False) for _ in range(2)]
    for variable, new in zip(moving, (mean, variance), strict=True):
        c.assign(variable, c.map(lambda m, v: m * 0.9 + v * 0.1, variable, new), "train")
    seen = c.parameter(trainable=False)
    count = c.reduce("sum", c.map(lambda: apply("abs", 1.0), extents=(-1,)), [0])
    c.assign(seen, c.map(lambda s, n: s + n, seen, count), "always")
    now = c.map(lambda x, v: x / apply("sqrt", v + 0.1), centered, variance)
    then = c.map(lambda x, m, v: (x - m) / apply("sqrt", apply("abs", v) + 0.1), x, *moving)
    y = c.affine(c.switch(now, then), 4)
    c.finish(c.compare(y))
    return c


def constrained() -> Case:
    """Weights brought back to length 1, or to at least 0, after each update."""
    c = Case("sgd")
    w, gain = c.parameter(14, 31), c.parameter(31)
    y = c.map(lambda a, g: apply("max", a * g, 0.0), c.product(c.drawn(14), w), gain)
    length = c.reduce("sum", w, [0], keepdims=True, build=lambda w: w * w)
    c.assign(w, c.map(lambda w, s: w / apply("sqrt", s + 1e-7), w, length), "update")
    c.assign(gain, c.map(lambda g: apply("max", g, 0.0), gain), "update")
    c.finish(c.compare(y))
    return c


def mixed() -> Case:
    """Array ops among layers' own ops; kernels that both read; losses and metrics of both."""
    c = Case()
    x = c.drawn(33)
    kernel, bias = c.parameter(33, 33), c.parameter(33)
    h = c.graph.add_node("dense", [x, kernel, bias], {}, (33,))
    h = c.graph.add_node("activation", [h], {"kind": "relu"}, (33,))
    h = c.map(lambda h, b: h * apply("sigmoid", b) + h * h * 0.1, h, bias)
    h = c.graph.add_node("dense", [h, kernel], {}, (33,))
    gate = c.product(h, c.map(lambda k: k * 0.5, kernel))
    h = c.graph.add_node("add", [h, gate], {}, (33,))
    h = c.graph.add_node("dropout", [h], {"rate": 0.2, "stream": 9}, (33,))
    last = c.parameter(33, 10, l2=0.01)
    y = c.graph.add_node("dense", [h, last], {}, (10,))
    y = c.graph.add_node("softmax", [y], {}, (10,))
    c.targets.append(((), integers(0, 10)))
    c.graph.losses.append(Loss("sparse_categorical_crossentropy", y, 0))
    c.graph.metrics.append(Metric("sparse_categorical_accuracy", y, 0, weighted=True))
    # A penalty on the kernel, and one on what the softmax gives.
    sizes = c.reduce("sum", kernel, [0, 1], build=lambda w: apply("abs", w))
    c.loss(c.view(sizes, (-1,), [-1]), weight=0.01)
    entropy = c.map(lambda p: p * apply("log", p + 1e-3), y)
    c.loss(c.reduce("sum", entropy, [1]), target=0, weight=0.1)
    c.metric(entropy)
    c.finish(y, gate)
    return c


def large() -> Case:
    """Sums of many positions to few results, products of many tiles, long lines, batch by batch."""
    c = Case()
    x, w, line = c.drawn(700, 5), c.parameter(300, 240), c.parameter(5000)
    few = c.reduce("mean", c.map(lambda x: apply("tanh", x), x), [0, 1])
    best = c.reduce("arg_max", x, [0, 1])
    mean = c.reduce("mean", w, [0, 1], build=lambda w: w * w)
    for size in (mean, c.reduce("max", w, [0, 1])):
        c.loss(c.view(size, (-1,), [-1]), weight=0.1)
    wide = c.affine(c.view(x, (-1, 5), [0, 2], [0, 3, 0]), 300)
    h = c.product(wide, c.product(w, c.parameter(240, 70)))  # (-1, 70)
    pairs = c.product(h, c.transpose(h, 1, 0))  # all rows with all rows
    near = c.reduce("mean", pairs, [1], build=lambda p: apply("tanh", p))
    c.compare(c.map(lambda h, n: h + n, h, c.regroup(near, -1, 1)))
    lines = [c.scan(line, "sum", 0)]
    lines += [c.scan(line, kind, 0, 1) for kind in ("sort", "arg_sort", "max", "product")]
    lines.append(c.scan(c.view(line, (300,), [0], [9], [16]), "sort", 0))
    shown = [c.view(v, (-1, 7), [-1, 0], [5], [0, 40]) for v in lines]
    c.compare(shown[0], target=0)
    c.finish(h, *shown, *(c.view(v, (-1, 5), [-1, 0]) for v in (few, best)))
    return c


SMOOTH = """
abs sqrt exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfinv
sigmoid softplus
"""


def add_function(c: Case, name: str, shift: float, total: int, x: int, w: int) -> int:
    return c.map(lambda t, x, w: t * 0.5 + apply(name, x + shift) * w, total, x, w)


def functions() -> Case:
    """Every differentiable instruction, on arrays that are broadcast."""
    c = Case()
    x = c.map(lambda x: apply("tanh", x) * 0.9, c.affine(c.drawn(8), 31))
    w = c.parameter(31)
    total = c.map(lambda x: -x, x)
    for name in SMOOTH.split():
        shift = 2.5 if name in ("sqrt", "log", "acosh") else 0.0
        total = add_function(c, name, shift, total, x, w)
    pairs = c.map(
        lambda x, w: (
            apply("max", x, w)
            + apply("min", x, w * 0.5)
            + apply("pow", x + 2.0, w)
            + apply("atan2", x, w + 3.0)
            + apply("mod", x, 0.7)
            + apply("pow", x, 2.0)
            + apply("select", apply("less", x, w), x * w, x / (w * w + 1.0))
            + apply("floor", x * 3.0)
            + apply("sign", x)
            + Expression("batch") * 0.01
        ),
        x,
        w,
    )
    y = c.map(lambda a, b: a + b, total, pairs)
    c.finish(c.compare(y), total)
    return c


CASES = {
    f.__name__: f
    for f in (
        classifier,
        layer_norm,
        attention,
        views,
        lookup,
        scans,
        reductions,
        joins,
        noise,
        statistics,
        constrained,
        mixed,
        functions,
        large,
    )
}
