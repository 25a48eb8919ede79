"""update_status.py USER_ID deactivate|activate|clock_in|clock_out

Updates one user and prints the result. Exit status: 0 done, 1 failed, 2 usage error. The credentials come from the environment:
ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET.
"""

import sys

from zoom_user_status import Action, Client, UsageError, ZoomUserStatusError


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[2] not in [str(action) for action in Action]:
        print(f"usage: {sys.argv[0]} USER_ID {'|'.join(map(str, Action))}", file=sys.stderr)
        return 2
    user_id, action = sys.argv[1:]
    try:
        with Client.from_env() as zoom:
            result = zoom.update(user_id, Action.of(action))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except ZoomUserStatusError as error:
        result = error.result
    if result.http_status:
        print("HTTP", result.http_status)
    if not result.ok:
        print(f"{result.code.symbol}: {result.message}")
        if result.zoom_code:
            print("Zoom's code:", result.zoom_code)
        if result.tracking_id:
            print("tracking ID:", result.tracking_id)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
