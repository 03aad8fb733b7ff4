"""Mean differences."""

from dnnfast.metrics.metric import Metric


class MeanSquaredError(Metric):
    """Mean of squared differences.

    Args:
        name: default ``"mean_squared_error"``.
        dtype: ignored.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.MeanSquaredError()([[0.0]], [[2.0]])
        4.0
    """

    kind = "mean_squared_error"


class MeanAbsoluteError(Metric):
    """Mean of absolute differences.

    Args:
        name: default ``"mean_absolute_error"``.
        dtype: ignored.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.MeanAbsoluteError()([[0.0]], [[2.0]])
        2.0
    """

    kind = "mean_absolute_error"
