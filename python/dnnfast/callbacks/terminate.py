"""What happens when the loss is not a number."""

from __future__ import annotations

from dnnfast.callbacks.callback import Callback
from dnnfast.config.messages import message


class TerminateOnNaN(Callback):
    """Ends training when the loss becomes NaN or infinite.

    Without it `fit` raises a `NonFiniteLossError`. In both cases the step in question is not
    applied: the model is as it was before it. With this callback the epoch ends there, with that
    loss in its logs, and the hooks of the end are called.

    Args:
        raise_error: raise a RuntimeError instead. Default False.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.TerminateOnNaN().raise_error
        False
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_non_finite_loss(self, batch: int, error: Exception) -> None:
        """Called by `fit` in place of raising ``error``; the model's training then ends.

        Args:
            batch: number of the step in its epoch, from 0.
            error: says what happened.

        Raises:
            RuntimeError: if it was asked for.
        """
        if self.raise_error:
            raise RuntimeError(f"Batch {batch}: training ends; {error}") from error
        message(f"Batch {batch}: the loss is not finite, training ends")
        self.model.stop_training = True
