"""Learning rates that change with the step."""

from dnnfast.optimizers.schedules.cycles import CyclicalLR, OneCycle, PowerDecay
from dnnfast.optimizers.schedules.decays import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    deserialize,
    serialize,
)
from dnnfast.optimizers.schedules.schedule import LearningRateSchedule

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "CyclicalLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "PowerDecay",
    "deserialize",
    "serialize",
]
