"""The command line: `dnnfast demo`, `dnnfast info`, `dnnfast bench`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from dnnfast.version import __version__


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Example:
        >>> parser().parse_args(["demo", "--epochs", "3"]).epochs
        3
    """
    top = argparse.ArgumentParser(
        prog="dnnfast", description="Trains dense neural networks fast.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"dnnfast {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="train a network on Fashion-MNIST and report accuracy and speed",
        description="Trains 784-300-100-10 on Fashion-MNIST: the full set where it is on this "
        "machine, otherwise the excerpt that ships with the package.",
    )
    size = demo.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="the full set; download it if necessary")
    size.add_argument("--excerpt", action="store_true", help="the packaged excerpt in any case")
    demo.add_argument("--epochs", type=_positive, help="default: 10, or 20 on the excerpt")
    demo.add_argument("--batch-size", type=_positive, default=32, help="default: 32")
    demo.add_argument("--device", help="default: cpu")
    demo.add_argument("--threads", type=_positive, help="default: all processors")
    demo.add_argument("--seed", type=int, default=42, help="default: 42")

    info = commands.add_parser("info", help="print versions, processor features and settings")
    info.add_argument("--json", action="store_true", help="one JSON object")

    bench = commands.add_parser(
        "bench",
        help="time single kernels beside NumPy",
        description="Times single kernels beside the NumPy reference (float64) and beside plain "
        "NumPy in float32, and relates them to the measured peak of this machine.",
    )
    bench.add_argument("--threads", type=_positive, help="default: all processors")
    bench.add_argument("--repeats", type=_positive, default=9, help="median of (default: 9)")
    bench.add_argument("--json", action="store_true", help="one JSON object per line")
    bench.add_argument("kernels", nargs="*", help="default: all")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments without the program's name; those of the process if not given.

    Returns:
        The exit status: 0, or 1 after an error, which is one message on stderr.

    Example:
        >>> main(["bench", "no_such_kernel"])
        1
    """
    args = parser().parse_args(argv)
    # Only the command that runs is imported.
    try:
        if args.command == "demo":
            from dnnfast.cli import demo

            demo.run(args)
        elif args.command == "info":
            from dnnfast.cli import info

            info.run(args)
        else:
            from dnnfast.cli import bench

            bench.run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"dnnfast {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text!r}")
    return value
