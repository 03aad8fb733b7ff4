"""A training as one page of HTML."""

from dnnfast.reports.report import report

__all__ = ["report"]
