"""Training by several processes, each on its part of every batch."""

from dnnfast.distribution.current import distribution, is_writer, set_distribution
from dnnfast.distribution.data_parallel import DataParallel

__all__ = ["DataParallel", "distribution", "is_writer", "set_distribution"]
