"""offboard.py [FILE]

Deactivates every user in FILE (or on standard input), one user ID or e-mail address per line, and prints a line for each user
when that user's update has ended: DONE or FAIL. Ctrl-C cancels the batch. At the end, a REMAINS line names each user who was
not sent, or whose outcome is unknown. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 Ctrl-C. The
command zoom-user-status does the same with CSV files, a progress bar, a report and resuming.
"""

import signal
import sys
from typing import List, TextIO

from zoom_user_status import Client, Code, Result, UsageError, ZoomUserStatusError


def read_ids(file: TextIO) -> List[str]:
    return [line.strip() for line in file.read().lstrip("\ufeff").splitlines() if line.strip()]


def print_result(result: Result) -> None:
    if result.ok:
        print("DONE", result.user_id, flush=True)
    else:
        why = f"{result.code.symbol} {result.http_status}/{result.zoom_code} {result.message}"
        print(f"FAIL {result.user_id} {why} [{result.tracking_id}]", flush=True)


def offboard(zoom: Client, users: List[str]) -> int:
    done = failed = 0
    remaining = dict(enumerate(users))
    batch = zoom.update_many(users, "deactivate")
    # A KeyboardInterrupt could come between a result and its line. After cancel(), every user who was sent still has a result.
    signal.signal(signal.SIGINT, lambda number, frame: batch.cancel())
    try:
        for result in batch:
            if result.code == Code.CANCELLED:  # the update may have been applied: the user remains
                continue
            print_result(result)
            del remaining[result.index]
            done += result.ok
            failed += not result.ok
    except ZoomUserStatusError as error:  # fatal for the batch: every remaining user would fail the same way
        print(error, file=sys.stderr)
    for user in remaining.values():
        print("REMAINS", user)
    print(f"{done} done, {failed} failed, {len(remaining)} remaining", file=sys.stderr)
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
    except (UsageError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
