"""The named workloads that dnnfast and every peer run, and the work each of them is made of.

All networks have 784 inputs and end in softmax over 10 classes with cross-entropy. A hidden block
is Dense -> activation, or Dense without bias -> batch normalization -> activation -> dropout.
Learning rates and all other optimizer settings are the defaults of Keras 3.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

INPUTS = 784
CLASSES = 10

# Floats of state per parameter beside the weight itself.
OPTIMIZER_SLOTS = {"sgd": 0, "rmsprop": 1, "adam": 2, "nadam": 2}
LEARNING_RATES = {"sgd": 0.01, "rmsprop": 0.001, "adam": 0.001, "nadam": 0.001}


@dataclass(frozen=True)
class Workload:
    """One thing to time.

    Args:
        name: The name used on the command line, in results and in tables.
        kind: "train" (unit: one step), "predict" (unit: one call) or "mc" (unit: one call).
        hidden: Widths of the hidden layers.
        activation: "relu" or "elu".
        batch: Rows per training step, or rows per call of predict.
        rows: Rows of the data set; a training run is one epoch over them.
        optimizer: Key of `OPTIMIZER_SLOTS`; empty when nothing is trained.
        batchnorm: Whether each hidden layer is normalized before its activation.
        dropout: Rate after each hidden activation.
        samples: Stochastic passes of a "mc" call.
        calls: Calls per measurement where the unit is a call.
    """

    name: str
    kind: str
    hidden: tuple[int, ...]
    activation: str
    batch: int
    rows: int
    optimizer: str = ""
    batchnorm: bool = False
    dropout: float = 0.0
    samples: int = 0
    calls: int = 1

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATES[self.optimizer]

    @property
    def widths(self) -> tuple[int, ...]:
        return (INPUTS, *self.hidden, CLASSES)

    @property
    def steps(self) -> int:
        """Steps of one epoch; every workload divides its rows exactly."""
        return self.rows // self.batch

    @property
    def units(self) -> int:
        """Units (steps or calls) in one measurement."""
        return self.steps if self.kind == "train" else self.calls

    @property
    def parameters(self) -> int:
        """Trainable parameters."""
        pairs = list(pairwise(self.widths))
        kernels = sum(i * o for i, o in pairs)
        # A normalized layer has gamma and beta instead of a bias.
        vectors = sum(self.hidden) * (2 if self.batchnorm else 1) + CLASSES
        return kernels + vectors

    def flops(self) -> float:
        """Multiply-adds of the matrix products of one unit, counted as two operations each.

        Training is forward, weight gradient and input gradient; the first layer needs no input
        gradient. A Monte Carlo call needs the first product once, because nothing random comes
        before it.
        """
        pairs = list(pairwise(self.widths))
        products = [2.0 * self.batch * i * o for i, o in pairs]
        if self.kind == "train":
            return 3 * sum(products) - products[0]
        if self.kind == "mc":
            return products[0] + self.samples * sum(products[1:])
        return sum(products)

    def bytes(self) -> float:
        """Memory that one unit cannot avoid touching: parameters, state, input rows and output
        rows.

        A training step reads and writes every weight and slot once and reads each input row once.
        Gradients could stay in registers in principle, so they are not counted.
        """
        rows = 4.0 * self.batch * INPUTS
        if self.kind == "train":
            return 8.0 * self.parameters * (1 + OPTIMIZER_SLOTS[self.optimizer]) + rows
        return 4.0 * self.parameters + rows + 4.0 * self.batch * CLASSES

    def describe(self) -> dict[str, object]:
        """The fields as plain data, for result lines."""
        return asdict(self)


def _train(name: str, hidden: tuple[int, ...], optimizer: str, **other: object) -> Workload:
    settings: dict[str, object] = {"activation": "relu", "batch": 32, "rows": 60000} | other
    return Workload(name=name, kind="train", hidden=hidden, optimizer=optimizer, **settings)  # type: ignore[arg-type]


_LECTURE = (300, 100)
_WIDE = (2048, 2048)
_NORMED = {"activation": "elu", "batchnorm": True}

WORKLOADS: dict[str, Workload] = {
    w.name: w
    for w in (
        _train("lecture", _LECTURE, "sgd"),
        _train("bndrop", _LECTURE, "adam", dropout=0.2, **_NORMED),
        _train("deep", (100,) * 20, "nadam", **_NORMED),
        _train("rms512", (512, 512), "rmsprop"),
        # An epoch of 8192 rows keeps a measurement near two seconds; the time of a step does not
        # depend on it.
        _train("wide", _WIDE, "adam", batch=512, rows=8192),
        _train("widebn", _WIDE, "nadam", batch=512, rows=8192, dropout=0.2, **_NORMED),
        Workload("predict", "predict", _LECTURE, "relu", batch=10000, rows=10000, calls=10),
        Workload("predict_one", "predict", _LECTURE, "relu", batch=1, rows=1, calls=2000),
        Workload(
            "mc_dropout",
            "mc",
            _LECTURE,
            "elu",
            batch=10000,
            rows=10000,
            batchnorm=True,
            dropout=0.2,
            samples=100,
        ),
    )
}

# Three hidden layers of a width, for GPUs only.
LARGE: dict[str, Workload] = {
    f"{width}-b{batch}": _train(
        f"{width}-b{batch}", (width,) * 3, "adam", batch=batch, rows=8 * batch
    )
    for width in (4096, 8192)
    for batch in (1024, 8192)
}


def reduced(work: Workload) -> Workload:
    """A few steps of a small network of the same kind, to try out how a workload runs."""
    batch = min(work.batch, 32)
    return replace(
        work,
        name=f"reduced-{work.name}",
        hidden=tuple(min(width, 48) for width in work.hidden[:3]),
        batch=batch,
        rows=2 * batch if work.kind == "train" else batch,
        calls=1,
        samples=min(work.samples, 3),
    )


# The points of scaling.py, kept apart from what run.py runs.
WIDTHS = (16, 64, 256, 1024, 4096)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)


def width_point(width: int) -> Workload:
    """Two hidden layers of a width; wide ones take fewer steps, so that none takes minutes."""
    parameters = _train("", (width, width), "adam").parameters
    # Keras runs 16 steps per execution: another number would compile the rest on its own.
    steps = 16 * max(1, min(64, (1 << 23) // parameters))
    return _train(f"width-{width}", (width, width), "adam", rows=32 * steps)


def batch_point(batch: int) -> Workload:
    """The network of `lecture` at a batch size."""
    steps = max(8, min(1024, (1 << 15) // batch))
    return _train(f"batch-{batch}", _LECTURE, "sgd", batch=batch, rows=batch * steps)


def scaling_point(name: str) -> Workload | None:
    """The workload called `width-N` or `batch-N`, or None if the name has another form."""
    match = re.fullmatch(r"(width|batch)-([1-9][0-9]{0,5})", name)
    if match is None:
        return None
    return {"width": width_point, "batch": batch_point}[match[1]](int(match[2]))


SCALING: dict[str, Workload] = {
    w.name: w for w in (*map(width_point, WIDTHS), *map(batch_point, BATCHES))
}


def find(name: str) -> Workload:
    """The workload of a name, a scaling point included.

    Raises:
        ValueError: if there is none.
    """
    if name.startswith("reduced-"):
        return reduced(find(name.removeprefix("reduced-")))
    work = WORKLOADS.get(name) or LARGE.get(name) or scaling_point(name)
    if work is None:
        raise ValueError(f"no workload is called {name!r}; known: {', '.join(WORKLOADS)}")
    return work
