"""Holds the calls of one ``AsyncClient`` that are in flight, and reads the native event queue, which says what became of them.

No thread of libzus calls into Python. The event loop watches the queue's descriptor while calls are in flight, and takes the events:
results, log lines, and requests for an access token.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import logging
import os
import socket
import threading
from typing import Any, Awaitable, Callable, Dict, FrozenSet, NamedTuple, Optional, Set, Tuple, Union

from . import _native as native
from ._codes import Action, Code
from ._options import LEVELS, to_bytes, usage_error
from ._result import Result

AsyncTokenProvider = Callable[[bool], Union[str, Awaitable[str]]]
"""Returns an access token, or an awaitable for one. The argument is True when Zoom rejected the last token."""

_EVENTS_AT_ONCE = 64  # after this many events, the loop can do something else
_RESULT, _LOG, _TOKEN = 1, 2, 3

# The queues whose token provider runs in this task: a call of such a client would wait for itself.
_providing: contextvars.ContextVar[FrozenSet[Any]] = contextvars.ContextVar("zoom_user_status_providing", default=frozenset())


class Started(NamedTuple):
    """A call in flight."""

    client: native.ClientHandle  # held until the call has ended
    user_id: str
    action: Optional[Action]
    position: int
    """The user's position in a batch."""
    ended: Callable[[Result, Optional[BaseException]], None]
    """Gets the result, and the token provider's exception if that is the reason for the failure."""


Start = Callable[[native.Canceller, native.QueueHandle, int], int]
"""Starts a native call with a zus_cancel, the queue, and the userdata. Returns the code of the start."""


class Queue:
    """Starts the calls of one ``AsyncClient`` and passes on their events."""

    def __init__(self, provider: Optional[AsyncTokenProvider], log: logging.Logger) -> None:
        self.handle: native.QueueHandle = native.QueueHandle()
        self._provider = provider
        self._provider_error: Optional[BaseException] = None
        self._log = log
        self._process = os.getpid()
        self._numbers = itertools.count(1)
        self._calls: Dict[int, Started] = {}
        self._tasks: Set[asyncio.Task[None]] = set()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._watch: Union[_Reader, _Waiter, None] = None

    @property
    def is_forked(self) -> bool:
        return os.getpid() != self._process

    def start(self, start: Start, canceller: native.Canceller, call: Started) -> int:
        """Starts a call and returns the code of the start. ``ended`` is called only if the code is OK."""
        if self in _providing.get():
            return Code.REENTRANT
        if self.is_forked:
            return Code.FORKED
        self._use(asyncio.get_running_loop())
        number = next(self._numbers)
        code = start(canceller, self.handle, number)
        if code == Code.OK:
            if not self._calls and self._watch is not None:
                self._watch.begin(self)
            self._calls[number] = call
        return code

    async def call(
        self,
        client: native.ClientHandle,
        start: Start,
        user_id: str,
        action: Optional[Action],
    ) -> Result:
        """Starts a call, waits for its result and returns it, also the result of a failure. Cancelling the task cancels the call."""
        result, error = await self.end_of(client, start, user_id, action, native.Canceller())
        if error is not None:
            raise error
        return result

    async def end_of(
        self,
        client: native.ClientHandle,
        start: Start,
        user_id: str,
        action: Optional[Action],
        canceller: native.Canceller,
    ) -> Tuple[Result, Optional[BaseException]]:
        """Like `call`, and returns the token provider's exception beside the result."""
        future: asyncio.Future[Tuple[Result, Optional[BaseException]]] = asyncio.get_running_loop().create_future()

        def ended(result: Result, error: Optional[BaseException]) -> None:
            if not future.done():
                future.set_result((result, error))

        code = self.start(start, canceller, Started(client, user_id, action, 0, ended))
        if code != Code.OK:
            return Result(user_id, action, Code(code), message=native.text_of(code)), None
        try:
            return await future
        except BaseException:
            self.cancel(canceller)
            raise

    def cancel(self, canceller: native.Canceller) -> None:
        if not self.is_forked:
            canceller.cancel()

    def _use(self, loop: asyncio.AbstractEventLoop) -> None:
        """Switches to the event loop that runs now. It forgets the calls of a closed loop, because no task waits for them any more."""
        if loop is self._loop:
            return
        if self._loop is not None and self._calls:
            if not self._loop.is_closed():
                raise RuntimeError("this AsyncClient has calls in flight in another event loop: make a client for each loop")
            self._calls.clear()
            self._tasks.clear()
        if self._watch is not None:
            self._watch.end()
        self._loop = loop
        self._watch = _watch(self, loop)

    # ---- events

    def _take(self) -> None:
        for _ in range(_EVENTS_AT_ONCE):
            event = self.handle.next()
            if event is None:
                return
            self._handle(event)

    def _handle(self, event: native.EventHandle) -> None:
        kind = native.event_kind(event)
        if kind == _RESULT:
            self._end(event)
        elif kind == _LOG:
            level = LEVELS.get(native.event_log_level(event), logging.DEBUG)
            self._log.log(level, "%s", native.event_message(event).decode("utf-8", "replace"))
        elif kind == _TOKEN and self._loop is not None:
            task = self._loop.create_task(self._reply(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _end(self, event: native.EventHandle) -> None:
        call = self._calls.pop(native.event_userdata(event), None)
        if not self._calls and self._watch is not None:
            self._watch.end()
        if call is None:
            return
        handle = native.event_result(event)
        result = native.read_result(handle, native.result_code(handle), call.user_id, call.action, call.position, event)
        call.ended(result, self._provider_error if result.code is Code.TOKEN else None)

    async def _reply(self, event: native.EventHandle) -> None:
        _providing.set(_providing.get() | {self})
        try:
            assert self._provider is not None
            token = self._provider(bool(native.event_token_rejected(event)))
            if inspect.isawaitable(token):
                token = await token
            if native.event_set_token(event, to_bytes("the token of token_provider", token)) != Code.OK:
                raise usage_error(Code.ARGUMENT, "the token of token_provider is not allowed: return visible ASCII without \"Bearer \"")
            self._provider_error = None
        except Exception as error:
            self._provider_error = error  # the calls that now end without a token raise it
        finally:
            event.free()


class _Reader:
    """Lets the event loop watch the queue's descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop = loop
        self._descriptor = descriptor

    def begin(self, queue: Queue) -> None:
        self._loop.add_reader(self._descriptor, queue._take)

    def end(self) -> None:
        if not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)

    def __del__(self, close: Any = os.close, is_windows: bool = os.name == "nt") -> None:
        if is_windows:
            socket.socket(fileno=self._descriptor).close()
        else:
            close(self._descriptor)


class _Waiter:
    """Waits for events on a thread, for an event loop that can't watch a descriptor, such as the default loop of Windows."""

    _IDLE = 1000  # milliseconds; the thread ends when no call was in flight for this long

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._wanted = False
        self._runs = False

    def begin(self, queue: Queue) -> None:
        with self._lock:
            self._wanted = True
            if self._runs:
                return
            self._runs = True
        arguments = (queue.handle, queue._handle)
        threading.Thread(target=self._run, args=arguments, name="zoom_user_status-events", daemon=True).start()

    def end(self) -> None:
        self._wanted = False

    def _run(self, handle: native.QueueHandle, take: Callable[[native.EventHandle], None]) -> None:
        while True:
            event = handle.next(self._IDLE)
            try:
                if event is not None:
                    self._loop.call_soon_threadsafe(take, event)
                    continue
                is_closed = self._loop.is_closed()
            except RuntimeError:  # the loop was closed a moment ago
                is_closed = True
            with self._lock:
                if is_closed or not self._wanted:
                    self._runs = False
                    return


def _watch(queue: Queue, loop: asyncio.AbstractEventLoop) -> Union[_Reader, _Waiter]:
    descriptor: int = native.queue_descriptor(queue.handle)
    if descriptor < 0:  # the system has no descriptor left
        return _Waiter(loop)
    reader = _Reader(loop, descriptor)
    try:
        reader.begin(queue)
        reader.end()
    except NotImplementedError:
        return _Waiter(loop)
    return reader
