"""Loads libzus and declares its functions. The classes here own its handles and free them."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

from ._codes import Action, Code, Delivery, Status
from ._result import KEPT_HEADERS, Headers, Result

FILE_NAME = {"win32": "zus.dll", "darwin": "libzus.dylib"}.get(sys.platform, "libzus.so")

TOKEN_PROVIDER_FN = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t
)
LOG_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)
RESULT_FN = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


def _open() -> str:
    """Loads the library and returns its path: ZUS_LIBRARY if it is set, else the file beside this one."""
    override = os.environ.get("ZUS_LIBRARY")
    path = Path(override) if override else Path(__file__).parent / FILE_NAME
    if not path.is_file():
        raise ImportError(
            f"libzus was not found: there is no file {path}"
            + (
                ". Set the environment variable ZUS_LIBRARY to the path of libzus, or unset it."
                if override
                else ", which every wheel of zoom-user-status contains. "
                "In a clone of the repository, run pip install ./bindings/python, or set ZUS_LIBRARY to the path of a libzus that you built."
            )
        )
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"libzus could not be loaded from {path}: {error}. Use a library that was built for this system and its architecture."
        ) from error
    return str(path)


PATH = _open()
_releasing_gil = ctypes.CDLL(PATH)  # for functions that may wait: other threads run meanwhile
_holding_gil = ctypes.PyDLL(PATH)  # for short functions: releasing the GIL would take longer than they do


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    try:
        function = library[name]
    except AttributeError as error:
        raise ImportError(f"{PATH} has no function {name}: it is not the libzus of this package. Use the libzus of the same version.") from error
    function.restype = result
    function.argtypes = arguments
    return function


_p, _s, _i32, _u32, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_uint32, ctypes.c_size_t
_out = ctypes.POINTER(ctypes.c_void_p)

config_new = _function(_holding_gil, "zus_config_new", _p)
config_free = _function(_holding_gil, "zus_config_free", None, _p)
config_set_token = _function(_holding_gil, "zus_config_set_token", _i32, _p, _s)
config_set_oauth = _function(_holding_gil, "zus_config_set_oauth", _i32, _p, _s, _s, _s)
config_set_token_provider = _function(_holding_gil, "zus_config_set_token_provider", _i32, _p, TOKEN_PROVIDER_FN, _p)
config_set_urls = _function(_holding_gil, "zus_config_set_urls", _i32, _p, _s, _s)
config_set_encoding = _function(_holding_gil, "zus_config_set_encoding", _i32, _p, _i32)
config_set_timeouts = _function(_holding_gil, "zus_config_set_timeouts", _i32, _p, _u32, _u32)
config_set_retry = _function(_holding_gil, "zus_config_set_retry", _i32, _p, _u32, _u32, _u32)
config_set_rate = _function(_holding_gil, "zus_config_set_rate", _i32, _p, _u32, _u32)
config_set_concurrency = _function(_holding_gil, "zus_config_set_concurrency", _i32, _p, _u32)
config_set_proxy = _function(_holding_gil, "zus_config_set_proxy", _i32, _p, _s)
config_set_ca_pem = _function(_holding_gil, "zus_config_set_ca_pem", _i32, _p, _s, _size)
config_set_user_agent = _function(_holding_gil, "zus_config_set_user_agent", _i32, _p, _s)
config_set_attempt_timeout = _function(_holding_gil, "zus_config_set_attempt_timeout", _i32, _p, _u32)
config_set_verify = _function(_holding_gil, "zus_config_set_verify", _i32, _p, _u32)
config_set_events = _function(_holding_gil, "zus_config_set_events", _i32, _p, _p, _i32)
config_set_log = _function(_holding_gil, "zus_config_set_log", _i32, _p, _i32, LOG_FN, _p)
config_message = _function(_holding_gil, "zus_config_message", _s, _p)

client_new = _function(_releasing_gil, "zus_client_new", _i32, _p, _out)
client_free = _function(_releasing_gil, "zus_client_free", None, _p)
update_status = _function(_releasing_gil, "zus_update_status", _i32, _p, _s, _i32, _p, _out)
update_status_many = _function(
    _releasing_gil, "zus_update_status_many", _i32, _p, ctypes.POINTER(_s), _size, _i32, _p, RESULT_FN, _p
)
get_user_status = _function(_releasing_gil, "zus_get_user_status", _i32, _p, _s, _p, _out)
get_user_status_many = _function(_releasing_gil, "zus_get_user_status_many", _i32, _p, ctypes.POINTER(_s), _size, _p, RESULT_FN, _p)
check_credentials = _function(_releasing_gil, "zus_check_credentials", _i32, _p, _p, _out)

update_status_start = _function(_holding_gil, "zus_update_status_start", _i32, _p, _s, _i32, _p, _p, _p)
get_user_status_start = _function(_holding_gil, "zus_get_user_status_start", _i32, _p, _s, _p, _p, _p)
check_credentials_start = _function(_holding_gil, "zus_check_credentials_start", _i32, _p, _p, _p, _p)
client_cancel_started = _function(_releasing_gil, "zus_client_cancel_started", _i32, _p, _u32)
client_stop_started = _function(_releasing_gil, "zus_client_stop_started", None, _p, _p)

queue_new = _function(_holding_gil, "zus_queue_new", _p)
queue_free = _function(_releasing_gil, "zus_queue_free", None, _p)
queue_wait = _function(_releasing_gil, "zus_queue_next", _p, _p, _u32)
queue_take = _function(_holding_gil, "zus_queue_next", _p, _p, _u32)  # for calls that don't wait
queue_wake = _function(_holding_gil, "zus_queue_wake", None, _p)
queue_descriptor = _function(_holding_gil, "zus_queue_descriptor", ctypes.c_int64, _p)

event_kind = _function(_holding_gil, "zus_event_kind", _i32, _p)
event_userdata = _function(_holding_gil, "zus_event_userdata", _p, _p)
event_result = _function(_holding_gil, "zus_event_result", _p, _p)
event_log_level = _function(_holding_gil, "zus_event_log_level", _i32, _p)
event_message = _function(_holding_gil, "zus_event_message", _s, _p)
event_token_rejected = _function(_holding_gil, "zus_event_token_rejected", _i32, _p)
event_set_token = _function(_holding_gil, "zus_event_set_token", _i32, _p, _s)
event_free = _function(_holding_gil, "zus_event_free", None, _p)

cancel_new = _function(_holding_gil, "zus_cancel_new", _p)
cancel_trigger = _function(_releasing_gil, "zus_cancel_trigger", None, _p)
cancel_free = _function(_holding_gil, "zus_cancel_free", None, _p)

result_free = _function(_holding_gil, "zus_result_free", None, _p)
result_code = _function(_holding_gil, "zus_result_code", _i32, _p)
result_http_status = _function(_holding_gil, "zus_result_http_status", _i32, _p)
result_zoom_code = _function(_holding_gil, "zus_result_zoom_code", _i32, _p)
result_message = _function(_holding_gil, "zus_result_message", _s, _p)
result_tracking_id = _function(_holding_gil, "zus_result_tracking_id", _s, _p)
result_header = _function(_holding_gil, "zus_result_header", _s, _p, _s)
result_body = _function(_holding_gil, "zus_result_body", _p, _p, ctypes.POINTER(_size))
result_retry_after = _function(_holding_gil, "zus_result_retry_after", ctypes.c_int64, _p)
result_attempts = _function(_holding_gil, "zus_result_attempts", _i32, _p)
result_delivery = _function(_holding_gil, "zus_result_delivery", _i32, _p)
result_user_status = _function(_holding_gil, "zus_result_user_status", _i32, _p)
result_is_fatal = _function(_holding_gil, "zus_result_is_fatal", _i32, _p)

code_text = _function(_holding_gil, "zus_code_text", _s, _i32)
version = _function(_holding_gil, "zus_version", _s)
abi_version = _function(_holding_gil, "zus_abi_version", _i32)

# The number in the library's name, libzus.so.0: with another one the same functions may take other arguments.
_ABI = 0
if abi_version() != _ABI:
    raise ImportError(f"{PATH} has the ABI {abi_version()}, and this package was made for {_ABI}. Use the libzus of the same version.")


def text_of(code: int) -> str:
    """Returns the library's text for a code."""
    text: bytes = code_text(code)
    return text.decode()


# Makes a method from a C function.
_method = ctypes.pythonapi.PyInstanceMethod_New
_method.restype, _method.argtypes = ctypes.py_object, (ctypes.py_object,)


class Canceller(ctypes.c_void_p):
    """Owns a zus_cancel. It can be triggered once and stays triggered."""

    __slots__ = ("by_signal", "triggered")

    # A C function, as for ResultHandle: each Ctrl-C leaves a canceller to free, and the next Ctrl-C may come at that moment.
    __del__: Any = _method(cancel_free)

    def __init__(self) -> None:
        super().__init__(cancel_new())
        self.triggered: bool = False
        self.by_signal: bool = False

    def cancel(self) -> None:
        self.triggered = True
        cancel_trigger(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Canceller can't be copied or pickled: the copy would be freed twice")


class ResultHandle(ctypes.c_void_p):
    """Owns a zus_result, or is NULL. It exists before the call and is the call's out-parameter, so that no exception can lose the result."""

    __slots__ = ()

    # A C function: __del__ runs on the main thread after each call, and Python ignores the exception of a Ctrl-C in a Python __del__.
    __del__: Any = _method(result_free)

    def header(self, name: str) -> str:
        return _header(self, name)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (_kept_headers(self),)

    def __deepcopy__(self, memo: Dict[int, Any]) -> ResultHandle:
        return self  # it is immutable


class QueueHandle(ctypes.c_void_p):
    """Owns a zus_queue. A thread that waits for an event holds a reference."""

    __slots__ = ()

    __del__: Any = _method(queue_free)

    def __init__(self) -> None:
        super().__init__(queue_new())

    def next(self, wait_ms: int = 0) -> Optional[EventHandle]:
        """Returns the next event, or ``None`` when none came in time or the queue was woken."""
        event = queue_wait(self, wait_ms) if wait_ms else queue_take(self, 0)
        return EventHandle(event) if event else None

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a QueueHandle can't be copied or pickled: the copy would be freed twice")


class EventHandle(ctypes.c_void_p):
    """Owns a zus_event, and with it everything that is borrowed from the event."""

    __slots__ = ()

    __del__: Any = _method(event_free)

    def free(self) -> None:
        """Frees the event now, also when something else holds a reference to this object."""
        event_free(self)
        super().__init__(None)

    def header(self, name: str) -> str:
        return _header(event_result(self), name)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (_kept_headers(event_result(self)),)

    def __deepcopy__(self, memo: Dict[int, Any]) -> EventHandle:
        return self  # it is immutable


class ClientHandle:
    """Owns a zus_client, which is freed when its last call has ended: each call holds a reference."""

    __slots__ = ("keep", "pid", "value")

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a ClientHandle can't be copied or pickled: the copy would be freed twice")

    def __init__(self, keep: List[Any]) -> None:
        self.value: Optional[int] = None
        self.pid: int = os.getpid()
        self.keep: List[Any] = keep  # the callbacks, which must outlive the client

    def open(self, config: int) -> int:
        handle = ctypes.c_void_p()
        code: int = client_new(config, ctypes.byref(handle))
        self.value = handle.value
        return code

    def __del__(self, free: Any = client_free, getpid: Any = os.getpid) -> None:
        # In a forked child, threads that don't exist there may hold its locks.
        if self.value and self.pid == getpid():
            free(self.value)


_DELIVERIES = {int(delivery): delivery for delivery in Delivery}
_STATUSES = {int(status): status for status in Status}


def read_result(
    handle: Union[ResultHandle, int], code: int, user_id: str, action: Optional[Action], index: int = 0, event: Optional[EventHandle] = None
) -> Result:
    """Reads a native result into plain data. The handle is a number when it is only borrowed. Then this copies the known headers, unless
    the caller passes the event that owns the handle."""
    retry_after: int = result_retry_after(handle)
    fields: Dict[str, Any] = {
        "user_id": user_id,
        "action": action,
        "code": Code.OK if code == 0 else Code(code),
        "http_status": result_http_status(handle),
        "zoom_code": 0,
        "message": "",
        "tracking_id": result_tracking_id(handle).decode(),
        "retry_after": None if retry_after < 0 else retry_after,
        "attempts": result_attempts(handle),
        "body": b"",
        "index": index,
        "delivery": _DELIVERIES.get(result_delivery(handle), Delivery.UNKNOWN),
        "user_status": _STATUSES.get(result_user_status(handle), Status.UNKNOWN),
        "is_fatal": False,
        "_headers": event or (handle if isinstance(handle, ResultHandle) else Headers(_kept_headers(handle))),
    }
    if code or fields["http_status"] != 204:  # a 204 has no body and no error
        length = ctypes.c_size_t()
        body = result_body(handle, ctypes.byref(length))
        fields["zoom_code"] = result_zoom_code(handle)
        fields["is_fatal"] = bool(result_is_fatal(handle))
        fields["message"] = result_message(handle).decode()
        fields["body"] = ctypes.string_at(body, length.value)
    # This does what Result(...) does, but many times faster: Result(...) sets its frozen fields one by one.
    result = object.__new__(Result)
    vars(result).update(fields)
    return result


def _header(handle: Union[ResultHandle, int], name: str) -> str:
    try:
        value: bytes = result_header(handle, name.encode("ascii"))
    except UnicodeEncodeError:
        return ""
    return value.decode()


def _kept_headers(handle: Union[ResultHandle, int]) -> Dict[str, str]:
    values = ((name, result_header(handle, name.encode()).decode()) for name in KEPT_HEADERS)
    return {name: value for name, value in values if value}
