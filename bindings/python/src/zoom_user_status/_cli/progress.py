"""Shows the progress bar: speed, failures and remaining time. Without a terminal, or without tqdm, it shows none."""

from __future__ import annotations

import os
import sys
from typing import Any

from .._codes import Code
from .._result import Result
from .terminal import Console


class Bar:
    def __init__(self, total: int, console: Console) -> None:
        self._console = console
        self._failed = 0
        self._bar: Any = None
        if total < 2 or console.quiet or not sys.stderr.isatty():
            return
        try:
            from tqdm import tqdm
        except ImportError:
            console.notice("for a progress bar: pip install 'zoom-user-status[progress]'")
            return
        tqdm.monitor_interval = 0  # no thread
        # Some terminals say that their width is 0, and a bar of that width shows nothing.
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        self._bar = tqdm(
            total=total,
            unit=" users",
            file=sys.stderr,
            ncols=None if width else 80,
            dynamic_ncols=width > 0,
            postfix={"failed": 0},
        )

    def say(self, line: str, colour: str = "") -> None:
        if self._bar is None:
            self._console.say(line, colour)
        else:
            with self._bar.external_write_mode(file=sys.stdout):
                self._console.say(line, colour)

    def count(self, result: Result, failed: bool) -> None:
        if self._bar is not None and result.code is not Code.CANCELLED:
            if failed:
                self._failed += 1
                self._bar.set_postfix(failed=self._failed, refresh=False)
            self._bar.update()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
