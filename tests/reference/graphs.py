"""Builds the small graphs of these tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import reference
from dnnfast.graph import Graph, Loss, Optimizer, Parameter


class Builder:
    """A graph in the making; every method returns a tensor id."""

    def __init__(self, optimizer: str | None = None, **options: Any) -> None:
        self.graph = Graph(optimizer=Optimizer(optimizer, options) if optimizer else None)

    def input(self, *shape: int) -> int:
        return self.graph.add_input(f"x{len(self.graph.inputs)}", shape)

    def parameter(self, *shape: int, **options: Any) -> int:
        return self.graph.add_parameter(
            Parameter(f"p{len(self.graph.parameters)}", shape, **options)
        )

    def node(self, op: str, inputs: list[int], **attrs: Any) -> int:
        shapes = [self.graph.tensors[i].shape for i in inputs]
        return self.graph.add_node(op, inputs, attrs, reference.infer_shape(op, shapes, attrs))

    def dense(self, x: int, units: int, **options: Any) -> int:
        size = self.graph.tensors[x].shape[-1]
        return self.node(
            "dense", [x, self.parameter(size, units, **options), self.parameter(units, **options)]
        )

    def batchnorm(self, x: int, **attrs: Any) -> int:
        size = self.graph.tensors[x].shape[-1]
        trained = [self.parameter(size) for _ in range(2)]
        moving = [self.parameter(size, trainable=False) for _ in range(2)]
        return self.node("batchnorm", [x, *trained, *moving], **attrs)

    def loss(self, kind: str, prediction: int, **options: Any) -> None:
        self.graph.losses.append(Loss(kind, prediction, **{"target": 0, **options}))

    def session(self, seed: int = 0) -> reference.Session:
        """Return a session with random parameters (positive ones where they are not trained)."""
        session = reference.Session(self.graph)
        rng = np.random.default_rng(seed)
        for i, parameter in enumerate(self.graph.parameters):
            values = rng.normal(size=parameter.shape) * 0.5
            session.set_parameter(i, values if parameter.trainable else 0.5 + np.abs(values))
        return session


def train(session: reference.Session, data: reference.Dataset, batch: int, **options: Any) -> int:
    """Run one epoch in the order of the data; returns the number of steps."""
    steps = -(-data.rows // batch)
    rates = np.full(steps, options.get("learning_rate", 0.01))
    return session.train(data, options.get("order"), 0, steps, batch, rates)


def parameters(session: reference.Session) -> list[np.ndarray]:
    """Return copies of all parameters."""
    return [session.get_parameter(i) for i in range(len(session.graph.parameters))]
