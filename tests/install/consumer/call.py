"""A caller in Python with the wheel."""

import zoom_user_status as zus

with zus.from_env() as zoom:
    assert zoom.deactivate("ada@example.com").http_status == 204
    try:
        zoom.deactivate("nobody@example.com")
    except zus.UserNotFound as refused:
        print(f"call: passed: {refused}")
    else:
        raise SystemExit("call: failed: nobody was found")
