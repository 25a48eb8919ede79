"""libzus itself: where it is found, its functions, and owners that free what it gives."""

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
    """Loads the library and says from where: ZUS_LIBRARY when it is set, else beside this file."""
    override = os.environ.get("ZUS_LIBRARY")
    path = Path(override) if override else Path(__file__).parent / FILE_NAME
    if not path.is_file():
        raise ImportError(
            f"libzus was not found: looked for {path}"
            + (
                " (from the environment variable ZUS_LIBRARY)."
                if override
                else ", which every wheel of zoom-user-status carries. "
                "From a clone of the repository: pip install ./bindings/python, or set ZUS_LIBRARY to a libzus you have built."
            )
        )
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(f"libzus could not be loaded from {path}: {error}") from error
    return str(path)


PATH = _open()
_calls = ctypes.CDLL(PATH)  # for what may wait: the GIL is free meanwhile
_looks = ctypes.PyDLL(PATH)  # for getters: to let the GIL go costs more than they do


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    try:
        function = library[name]
    except AttributeError as error:
        raise ImportError(f"{PATH} has no {name}: it is not the libzus that this package was made for") from error
    function.restype = result
    function.argtypes = arguments
    return function


_p, _s, _i32, _u32, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_uint32, ctypes.c_size_t
_out = ctypes.POINTER(ctypes.c_void_p)

config_new = _function(_looks, "zus_config_new", _p)
config_free = _function(_looks, "zus_config_free", None, _p)
config_set_token = _function(_looks, "zus_config_set_token", _i32, _p, _s)
config_set_oauth = _function(_looks, "zus_config_set_oauth", _i32, _p, _s, _s, _s)
config_set_token_provider = _function(_looks, "zus_config_set_token_provider", _i32, _p, TOKEN_PROVIDER_FN, _p)
config_set_urls = _function(_looks, "zus_config_set_urls", _i32, _p, _s, _s)
config_set_encoding = _function(_looks, "zus_config_set_encoding", _i32, _p, _i32)
config_set_timeouts = _function(_looks, "zus_config_set_timeouts", _i32, _p, _u32, _u32)
config_set_retry = _function(_looks, "zus_config_set_retry", _i32, _p, _u32, _u32, _u32)
config_set_rate = _function(_looks, "zus_config_set_rate", _i32, _p, _u32, _u32)
config_set_concurrency = _function(_looks, "zus_config_set_concurrency", _i32, _p, _u32)
config_set_proxy = _function(_looks, "zus_config_set_proxy", _i32, _p, _s)
config_set_ca_pem = _function(_looks, "zus_config_set_ca_pem", _i32, _p, _s, _size)
config_set_user_agent = _function(_looks, "zus_config_set_user_agent", _i32, _p, _s)
config_set_attempt_timeout = _function(_looks, "zus_config_set_attempt_timeout", _i32, _p, _u32)
config_set_verify = _function(_looks, "zus_config_set_verify", _i32, _p, _u32)
config_set_events = _function(_looks, "zus_config_set_events", _i32, _p, _p, _i32)
config_set_log = _function(_looks, "zus_config_set_log", _i32, _p, _i32, LOG_FN, _p)
config_message = _function(_looks, "zus_config_message", _s, _p)

client_new = _function(_calls, "zus_client_new", _i32, _p, _out)
client_free = _function(_calls, "zus_client_free", None, _p)
update_status = _function(_calls, "zus_update_status", _i32, _p, _s, _i32, _p, _out)
update_status_many = _function(
    _calls, "zus_update_status_many", _i32, _p, ctypes.POINTER(_s), _size, _i32, _p, RESULT_FN, _p
)
get_user_status = _function(_calls, "zus_get_user_status", _i32, _p, _s, _p, _out)
get_user_status_many = _function(_calls, "zus_get_user_status_many", _i32, _p, ctypes.POINTER(_s), _size, _p, RESULT_FN, _p)
check_credentials = _function(_calls, "zus_check_credentials", _i32, _p, _p, _out)

update_status_start = _function(_looks, "zus_update_status_start", _i32, _p, _s, _i32, _p, _p, _p)
get_user_status_start = _function(_looks, "zus_get_user_status_start", _i32, _p, _s, _p, _p, _p)
check_credentials_start = _function(_looks, "zus_check_credentials_start", _i32, _p, _p, _p, _p)
client_cancel_started = _function(_calls, "zus_client_cancel_started", _i32, _p, _u32)
client_stop_started = _function(_calls, "zus_client_stop_started", None, _p, _p)

queue_new = _function(_looks, "zus_queue_new", _p)
queue_free = _function(_calls, "zus_queue_free", None, _p)
queue_wait = _function(_calls, "zus_queue_next", _p, _p, _u32)
queue_take = _function(_looks, "zus_queue_next", _p, _p, _u32)  # which doesn't wait
queue_wake = _function(_looks, "zus_queue_wake", None, _p)
queue_descriptor = _function(_looks, "zus_queue_descriptor", ctypes.c_int64, _p)

event_kind = _function(_looks, "zus_event_kind", _i32, _p)
event_userdata = _function(_looks, "zus_event_userdata", _p, _p)
event_result = _function(_looks, "zus_event_result", _p, _p)
event_log_level = _function(_looks, "zus_event_log_level", _i32, _p)
event_message = _function(_looks, "zus_event_message", _s, _p)
event_token_rejected = _function(_looks, "zus_event_token_rejected", _i32, _p)
event_set_token = _function(_looks, "zus_event_set_token", _i32, _p, _s)
event_free = _function(_looks, "zus_event_free", None, _p)

cancel_new = _function(_looks, "zus_cancel_new", _p)
cancel_trigger = _function(_calls, "zus_cancel_trigger", None, _p)
cancel_free = _function(_looks, "zus_cancel_free", None, _p)

result_free = _function(_looks, "zus_result_free", None, _p)
result_code = _function(_looks, "zus_result_code", _i32, _p)
result_http_status = _function(_looks, "zus_result_http_status", _i32, _p)
result_zoom_code = _function(_looks, "zus_result_zoom_code", _i32, _p)
result_message = _function(_looks, "zus_result_message", _s, _p)
result_tracking_id = _function(_looks, "zus_result_tracking_id", _s, _p)
result_header = _function(_looks, "zus_result_header", _s, _p, _s)
result_body = _function(_looks, "zus_result_body", _p, _p, ctypes.POINTER(_size))
result_retry_after = _function(_looks, "zus_result_retry_after", ctypes.c_int64, _p)
result_attempts = _function(_looks, "zus_result_attempts", _i32, _p)
result_delivery = _function(_looks, "zus_result_delivery", _i32, _p)
result_user_status = _function(_looks, "zus_result_user_status", _i32, _p)
result_is_fatal = _function(_looks, "zus_result_is_fatal", _i32, _p)

code_text = _function(_looks, "zus_code_text", _s, _i32)
version = _function(_looks, "zus_version", _s)
abi_version = _function(_looks, "zus_abi_version", _i32)


def text_of(code: int) -> str:
    """The library's sentence for a code."""
    text: bytes = code_text(code)
    return text.decode()


# Makes a method of a function of C.
_method = ctypes.pythonapi.PyInstanceMethod_New
_method.restype, _method.argtypes = ctypes.py_object, (ctypes.py_object,)


class Canceller(ctypes.c_void_p):
    """A zus_cancel. Once raised it stays so."""

    __slots__ = ("by_signal", "raised")

    # As for ResultHandle: each Ctrl-C leaves one behind, and the next may come just then.
    __del__: Any = _method(cancel_free)

    def __init__(self) -> None:
        super().__init__(cancel_new())
        self.raised: bool = False
        self.by_signal: bool = False

    def cancel(self) -> None:
        self.raised = True
        cancel_trigger(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Canceller can't be copied or pickled: the copy would be freed again")


class ResultHandle(ctypes.c_void_p):
    """A zus_result, or NULL. It is there before the call, so no exception can lose it, and is itself the out-parameter."""

    __slots__ = ()

    # A function of C: in one of Python's, run on the main thread after each call, a Ctrl-C that comes just then would be lost.
    __del__: Any = _method(result_free)

    def header(self, name: str) -> str:
        return _header(self, name)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (_kept_headers(self),)

    def __deepcopy__(self, memo: Dict[int, Any]) -> ResultHandle:
        return self  # it never changes


class QueueHandle(ctypes.c_void_p):
    """A zus_queue. Whoever waits for an event holds a reference."""

    __slots__ = ()

    __del__: Any = _method(queue_free)

    def __init__(self) -> None:
        super().__init__(queue_new())

    def next(self, wait_ms: int = 0) -> Optional[EventHandle]:
        """The next event; ``None`` where none came in time, or the queue was woken."""
        event = queue_wait(self, wait_ms) if wait_ms else queue_take(self, 0)
        return EventHandle(event) if event else None

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a QueueHandle can't be copied or pickled: the copy would be freed again")


class EventHandle(ctypes.c_void_p):
    """A zus_event, and with it what is borrowed from it."""

    __slots__ = ()

    __del__: Any = _method(event_free)

    def free(self) -> None:
        """Frees it now: whatever else holds a reference to this object."""
        event_free(self)
        super().__init__(None)

    def header(self, name: str) -> str:
        return _header(event_result(self), name)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Headers, (_kept_headers(event_result(self)),)

    def __deepcopy__(self, memo: Dict[int, Any]) -> EventHandle:
        return self  # it never changes


class ClientHandle:
    """A zus_client, freed when the last call on it has ended: each call holds a reference."""

    __slots__ = ("keep", "pid", "value")

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a ClientHandle can't be copied or pickled: the copy would be freed again")

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
        # In a forked child its locks may be held by threads that are not there.
        if self.value and self.pid == getpid():
            free(self.value)


_DELIVERIES = {int(delivery): delivery for delivery in Delivery}
_STATUSES = {int(status): status for status in Status}


def read_result(
    handle: Union[ResultHandle, int], code: int, user_id: str, action: Optional[Action], index: int = 0, event: Optional[EventHandle] = None
) -> Result:
    """A native result as plain data. Where the handle is only borrowed, a number, the known headers are copied, unless the event that
    owns it is given."""
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
    if code or fields["http_status"] != 204:  # else there is no more to ask for
        length = ctypes.c_size_t()
        body = result_body(handle, ctypes.byref(length))
        fields["zoom_code"] = result_zoom_code(handle)
        fields["is_fatal"] = bool(result_is_fatal(handle))
        fields["message"] = result_message(handle).decode()
        fields["body"] = ctypes.string_at(body, length.value)
    # What Result(...) does, which sets frozen fields one by one at many times the cost.
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
