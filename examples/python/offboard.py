"""offboard.py [FILE]

Deactivates every user in FILE (or on standard input), an id or e-mail address a line, and prints a line each as it ends.
Ctrl-C stops within moments; what was not done is printed at the end as LEFT lines. Exit status: 0 all done, 1 some failed,
2 usage error, 3 ended early, 130 stopped by Ctrl-C. For CSV files, a progress bar, a report and resuming there is the
command zoom-user-status.
"""

import signal
import sys
from typing import List, TextIO

from zoom_user_status import Client, Code, Result, UsageError, ZoomUserStatusError


def read_ids(file: TextIO) -> List[str]:
    return [line.strip() for line in file.read().lstrip("\ufeff").splitlines() if line.strip()]


def tell(result: Result) -> None:
    if result.ok:
        print("DONE", result.user_id, flush=True)
    elif result.code != Code.CANCELLED:  # a cancelled one may or may not have reached Zoom: it stays to be done
        why = f"{result.code.symbol} {result.http_status}/{result.zoom_code} {result.message}"
        print(f"FAIL {result.user_id} {why} [{result.tracking_id}]", flush=True)


def offboard(zoom: Client, users: List[str]) -> int:
    failed = 0
    left = dict.fromkeys(range(len(users)))
    batch = zoom.update_many(users, "deactivate")
    # No KeyboardInterrupt between a result and its line: the batch ends, and those in flight still have their say.
    signal.signal(signal.SIGINT, lambda number, frame: batch.stop())
    try:
        for result in batch:
            tell(result)
            if result.code != Code.CANCELLED:
                del left[result.index]
                failed += not result.ok
    except ZoomUserStatusError as error:  # fatal for the batch: every remaining user would fail the same way
        print(error, file=sys.stderr)
    for index in left:
        print("LEFT", users[index])
    if batch.code == Code.CANCELLED:
        return 130
    if batch.code not in (Code.OK, Code.PARTIAL):
        return 3
    return 1 if failed else 0


def main() -> int:
    if len(sys.argv) > 2:
        print(f"usage: {sys.argv[0]} [FILE]", file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], encoding="utf-8") if len(sys.argv) == 2 else sys.stdin as file:
            users = read_ids(file)
        with Client.from_env() as zoom:
            return offboard(zoom, users)
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
