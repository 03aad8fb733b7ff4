"""Seeds: one number makes everything reproducible."""

from dnnfast.random.seed import generator, next_seed, set_seed

__all__ = ["generator", "next_seed", "set_seed"]
