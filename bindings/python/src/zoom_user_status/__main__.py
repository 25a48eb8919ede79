"""Runs the command line for ``python -m zoom_user_status``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
