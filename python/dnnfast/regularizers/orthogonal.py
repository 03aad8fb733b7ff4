"""A penalty on vectors that are not at right angles."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.regularizers.norms import Regularizer, checked_factor


class OrthogonalRegularizer(Regularizer):
    """The penalty ``factor * mean |cos(angle)|`` over all pairs of rows or of columns.

    Args:
        factor: at least 0, default 0.01.
        mode: ``"rows"`` (default) or ``"columns"``: which vectors shall be orthogonal.

    Raises:
        ValueError: if an argument is out of range; when called, if the weight has not two axes.

    Formula: with the vectors scaled to length 1 the mean of the absolute values of their
    n (n - 1) / 2 inner products, times ``factor``.

    Example:
        >>> import dnnfast
        >>> penalty = dnnfast.regularizers.OrthogonalRegularizer(0.5)
        >>> print(penalty([[1.0, 0.0], [3.0, 4.0]]).round(4))
        0.3
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = checked_factor("OrthogonalRegularizer", "factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'OrthogonalRegularizer: mode must be "rows" or "columns", got {mode!r}.'
            )
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array, a variable or a symbolic tensor of two axes."""
        shape = tuple(ops.shape(x))
        if len(shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: the weight must have 2 axes, got {shape}.")
        by_rows = self.mode == "rows"
        vectors = ops.normalize(x, axis=1 if by_rows else 0)
        flipped = ops.transpose(vectors)
        products = ops.matmul(*((vectors, flipped) if by_rows else (flipped, vectors)))
        count = int(shape[0 if by_rows else 1] or 0)  # of a weight, so it is known
        apart = ops.multiply(products, 1.0 - ops.eye(count))
        pairs = count * (count - 1.0) / 2.0
        return ops.multiply(self.factor * 0.5 / pairs, ops.sum(ops.absolute(apart)))
