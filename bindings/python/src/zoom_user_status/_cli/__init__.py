"""Runs the command line."""

from __future__ import annotations

import signal
import sys
from typing import Optional, Sequence

from .._errors import UsageError
from . import arguments
from .check import check
from .run import Run
from .settings import start_logging
from .summary import DONE, FAILED, INTERRUPTED, USAGE_ERROR, TERMINATED
from .terminal import Console, CommandLineError, open_streams

__all__ = ["main"]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command line and returns its exit status."""
    open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    options = arguments.parse(words)
    console = Console()
    console.quiet = options.quiet
    try:
        start_logging(options)
        status = check(options, console) if options.command == "check" else Run(options, words, console).run()
        console.flush()
        if status in (INTERRUPTED, TERMINATED):
            # Python restores the default handlers as it ends. Another signal would then change the exit status.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        return FAILED if status == DONE and console.lost else status
    except KeyboardInterrupt:
        console.error("cancelled: no request is in flight")
        return INTERRUPTED
    except (CommandLineError, UsageError) as error:
        console.error(str(error.result.message) if isinstance(error, UsageError) else str(error))
        return USAGE_ERROR
