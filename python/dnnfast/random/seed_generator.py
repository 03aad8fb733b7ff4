"""A source of seeds with a state of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import naming
from dnnfast.name_scopes import name_scope
from dnnfast.random.seed import is_whole, next_seed
from dnnfast.variable import Variable


class SeedGenerator:
    """Gives a new seed at every call of a random function, from a state that can be saved.

    As an attribute of a layer its state counts among the layer's ``variables`` and
    ``non_trainable_variables``, not among its weights.

    Args:
        seed: an integer in [0, 2^32), or None for one of the global sequence (`random.set_seed`).
        name: default ``"seed_generator"``, numbered.

    Raises:
        ValueError: if ``seed`` is no such integer, or an argument is not known.

    Example:
        >>> import dnnfast
        >>> seeds = dnnfast.random.SeedGenerator(7)
        >>> seeds.next().tolist(), seeds.next().tolist()
        ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)
        if kwargs:
            raise ValueError(f"SeedGenerator: unknown argument {next(iter(kwargs))!r}.")
        if seed is not None and (not is_whole(seed) or not 0 <= seed < 1 << 32):
            raise ValueError(
                f"SeedGenerator: seed must be an integer in [0, 2**32) or None, got {seed!r}."
            )
        self.name = naming.auto_name("seed_generator") if name is None else name
        self._initial_seed = None if seed is None else int(seed)
        start = next_seed() & 0xFFFFFFFF if seed is None else int(seed)
        with name_scope(self.name):
            self.state = Variable(
                [start, 0], dtype="uint32", trainable=False, name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> np.ndarray:
        """Return the current state, two integers, and move it on.

        Args:
            ordered: count up; False: jump, as Keras's unseeded functions do. Default True.
        """
        state = self.state.numpy()
        if ordered:
            self.state.assign(state + np.array([0, 1], np.uint32))
        else:
            self.state.assign((state.astype(np.uint64) + 1) * 5387 % 933199)
        return state

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Create the generator, at its start, from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator name={self.name}, state={self.state.numpy().tolist()}>"
