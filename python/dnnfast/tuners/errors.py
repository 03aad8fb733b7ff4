"""Errors of searches."""

from __future__ import annotations


class FailedTrialError(Exception):
    """Raise it in `HyperModel.build` or `fit` to reject hyperparameters; the search goes on.

    Example:
        >>> import dnnfast
        >>> issubclass(dnnfast.tuners.FailedTrialError, Exception)
        True
    """


class FatalError(Exception):
    """Raise it in `HyperModel.build` or `fit` to end the search.

    Example:
        >>> import dnnfast
        >>> issubclass(dnnfast.tuners.FatalError, Exception)
        True
    """


class ObjectiveError(FatalError, ValueError):
    """What was reported does not tell the objective."""


class SpaceError(FatalError, ValueError):
    """A hyperparameter is not what it was in the study that goes on."""

    def __init__(self, name: str, difference: object) -> None:
        super().__init__(name, difference)

    def __str__(self) -> str:
        name, difference = self.args
        return (
            f"hyperparameter {name!r} had other values in the study that goes on ({difference}); "
            "pass overwrite=True or another project_name."
        )


class SearchFailure(RuntimeError):
    """A search was given up, as one trial after the other failed.

    Example:
        >>> import dnnfast
        >>> issubclass(dnnfast.tuners.SearchFailure, RuntimeError)
        True
    """
