"""Where messages of training and callbacks go: to standard output, or to a logger."""

from __future__ import annotations

import logging
import sys

_interactive = True


def enable_interactive_logging() -> None:
    """Print progress and messages on standard output (the default).

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.enable_interactive_logging()
        >>> dnnfast.utils.is_interactive_logging_enabled()
        True
    """
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Send progress and messages to the logger ``"dnnfast"``, at level INFO.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.disable_interactive_logging()
        >>> dnnfast.utils.is_interactive_logging_enabled()
        False
        >>> dnnfast.utils.enable_interactive_logging()
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Tell whether messages are printed on standard output.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.is_interactive_logging_enabled()
        True
    """
    return _interactive


def write(text: str) -> None:
    """Print text as it is; a logger gets it line by line, without drawings that end in none."""
    if _interactive:
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:  # a terminal that knows no bars
            sys.stdout.write(text.replace("━", "=").replace("─", "-"))
        sys.stdout.flush()
    elif text.endswith("\n") and text.strip():
        logging.getLogger("dnnfast").info(text.strip())


def message(text: str) -> None:
    """Print a line."""
    write(f"{text}\n")
