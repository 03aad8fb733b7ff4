"""How a model was compiled."""

from __future__ import annotations

from typing import Any


class Plan:
    """The steps that an engine runs for a model; `Model.plan` returns it.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.plan().batch_size
        32
    """

    def __init__(self, session: Any, batch_size: int, program: str) -> None:
        self._session = session
        self.batch_size = batch_size
        self.program = program

    def describe(self) -> str:
        """Return every step, with the reason for its form."""
        return str(self._session.describe(self.batch_size, self.program))

    @property
    def activation_bytes(self) -> int:
        """Memory for the values between steps."""
        return int(self._session.activation_bytes(self.batch_size, self.program))

    @property
    def parameter_bytes(self) -> int:
        """Memory for weights, gradients and optimizer state."""
        return int(self._session.parameter_bytes)

    def __str__(self) -> str:
        return self.describe()
