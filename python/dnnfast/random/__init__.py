"""Seeds, from which everything random is reproducible, and random numbers as arrays."""

from dnnfast.random.continuous import beta, gamma, normal, truncated_normal, uniform
from dnnfast.random.discrete import binomial, categorical, dropout, randint, shuffle
from dnnfast.random.seed import generator as generator
from dnnfast.random.seed import next_seed as next_seed
from dnnfast.random.seed import set_seed
from dnnfast.random.seed_generator import SeedGenerator

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "set_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]
