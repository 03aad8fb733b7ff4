"""`python -m dnnfast`: the command line."""

import sys

from dnnfast.cli import main

if __name__ == "__main__":
    sys.exit(main())
