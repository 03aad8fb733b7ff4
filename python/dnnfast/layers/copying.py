"""Copies of layers: `copy`, `deepcopy` and `pickle` give independent ones with the same weights."""

from __future__ import annotations

import copy
from typing import Any


class Copying:
    """Makes copies without the calls that a layer took part in: those belong to other models."""

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if "_inbound_nodes" in state:
            state["_inbound_nodes"] = []
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __copy__(self) -> Any:
        # A shallow copy would train the same weights.
        return copy.deepcopy(self)
