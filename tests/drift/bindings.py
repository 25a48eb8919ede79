"""Prints what the Python package says and binds, a line each, for tests/drift.rs."""

import ctypes

from zoom_user_status import Action, Code, _native, _options

for code in Code:
    print("code", code.name, int(code))
for action in Action:
    print("action", action.name, int(action))
for function in vars(_native).values():
    name = getattr(function, "__name__", "")
    if isinstance(function, ctypes._CFuncPtr) and name.startswith("zus_"):
        print("function", name)
connect, total = _options.TIMEOUT
first, most = _options.BACKOFF
for name, value in {
    "connect_ms": connect * 1000,
    "total_ms": total * 1000,
    "attempts": _options.RETRIES + 1,
    "first_ms": first * 1000,
    "most_ms": most * 1000,
    "requests": _options.RATE,
    "concurrency": _options.CONCURRENCY,
}.items():
    print("default", name, int(value))
