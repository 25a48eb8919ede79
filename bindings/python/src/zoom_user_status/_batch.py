"""Updates or reads many users: the native batch runs on its own thread and passes each result to the iterator here."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections import deque
from types import TracebackType
from typing import Callable, Deque, Generic, List, NoReturn, Optional, Type, TypeVar

from . import _native as native
from ._base import of_many
from ._calls import Cancel, Hooks, callback, perform
from ._codes import Action, Code
from ._errors import error_for
from ._result import Result
from ._typing import Self

T = TypeVar("T")
_AHEAD = 256  # the batch pauses when this many results wait to be taken
_POLL = 0.1  # seconds
# On Windows, Ctrl-C does not interrupt a wait for a lock.
_WAIT = _POLL if os.name == "nt" else None


class _Run:
    """Holds what the thread and the iterator share. The thread has no reference to the iterator, so that the iterator can be freed."""

    def __init__(
        self,
        client: native.ClientHandle,
        hooks: Hooks,
        users: List[str],
        action: Optional[Action],
        cancel: Optional[Cancel],
    ) -> None:
        self.client: Optional[native.ClientHandle] = client
        self.hooks = hooks
        self.users = users
        self.action = action
        self.cancel = cancel
        self.canceller = native.Canceller()  # the batch's own, so that cancel() cancels nothing else
        self.stopped = False
        self.results: Deque[Result] = deque()
        self.code: Optional[Code] = None  # set when the batch has ended
        self.error: Optional[BaseException] = None
        self.last_failure: Optional[Result] = None
        self.changed = threading.Event()  # a result came, or the batch ended
        self.taken = threading.Event()  # the iterator took a result

    def run(self) -> None:
        code = Code.PANIC
        try:
            users = (ctypes.c_char_p * len(self.users))(*map(of_many, self.users))
            on_result = native.RESULT_FN(callback(self.hooks, self._take, 1))
            client = self.client
            assert client is not None

            def send(cancel: native.Canceller, _result: native.ResultHandle) -> int:
                nonlocal code
                many = (client.value, users, len(self.users))
                how = (cancel, on_result, None)
                code = Code(
                    native.get_user_status_many(*many, *how)
                    if self.action is None
                    else native.update_status_many(*many, self.action, *how)
                )
                return code

            perform(self.hooks, send, self.cancel, self.canceller)
        except BaseException as error:
            self.error = error
            # The exception of a token provider cancels the batch, too.
            if self.last_failure is not None and self.last_failure.is_fatal:
                code = self.last_failure.code
        finally:
            self.client = None
            self.code = code
            self.changed.set()

    def _take(self, _userdata: object, index: int, handle: int) -> int:
        result = native.read_result(handle, native.result_code(handle), self.users[index], self.action, index)
        if not result.ok:
            self.last_failure = result
        while len(self.results) >= _AHEAD and not (self.stopped or self.canceller.triggered):
            self.taken.clear()
            self.taken.wait(_POLL)
        self.results.append(result)
        self.changed.set()
        return int(self.stopped)


class Batch(Generic[T]):
    """Gives the results of ``Client.update_many`` or ``Client.statuses``, in the order in which the users end.

    To end the batch early, call ``stop()``, which lets the users in flight finish, or ``cancel()``, which ends within moments; both from
    any thread or a signal handler. Leaving its ``with`` block cancels it. The users in flight still have results, and none is lost: go on
    iterating, or take ``list(batch)`` after ``close()``. A user without a result was never sent. When your code takes results slowly,
    the batch sends slowly.

    A Ctrl-C cancels the batch when it comes while the iteration waits for a result. A Ctrl-C that comes while your own code handles a
    result does not, and neither does ``break``: a batch that a variable names goes on sending. So write
    ``with client.update_many(...) as batch:``, or call ``cancel()``.

    A failure that is fatal for the batch (no token, a rejected token, a missing scope, the daily limit) ends it early: the iteration
    raises that failure's exception after the last result. The iteration raises an exception of a token provider or a log handler in the
    same way.

    Only one thread at a time may iterate over a batch.
    """

    def __init__(
        self,
        client: native.ClientHandle,
        hooks: Hooks,
        users: List[str],
        action: Optional[Action],
        convert: Callable[[Result], T],
        cancel: Optional[Cancel],
    ) -> None:
        self._convert = convert
        self._run = _Run(client, hooks, users, action, cancel)
        self._thread: Optional[threading.Thread] = None
        self._pid = os.getpid()
        self._over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        run = self._run
        if self._over:
            raise StopIteration
        try:
            self._start()
            while not run.results:
                if run.code is not None and not run.results:
                    self._end()
                run.changed.clear()
                if not run.results and run.code is None:
                    run.changed.wait(_WAIT)
            result = self._convert(run.results[0])
            run.taken.set()
            del run.results[0]  # the last step: an interrupt before it loses no result
        except BaseException:
            self.cancel()
            raise
        return result

    def stop(self) -> None:
        """Stops when the next user has ended, and lets the users in flight finish. Go on iterating to get their results."""
        self._run.stopped = True
        if self._thread is None:
            self._over = True

    def cancel(self) -> None:
        """Sends no further user and cancels the users in flight. Go on iterating to get their results."""
        if self._pid == os.getpid():
            self._run.canceller.cancel()

    def close(self) -> None:
        """Calls ``cancel()`` and waits until the users in flight have ended. You can still iterate over their results."""
        self.cancel()
        if self._thread is None:
            self._over = True
        elif self._pid == os.getpid():
            self._thread.join()

    @property
    def code(self) -> Optional[Code]:
        """How the batch ended: OK, PARTIAL, CANCELLED, or the code that was fatal for it. ``None`` while the batch runs."""
        return self._run.code

    def __repr__(self) -> str:
        run = self._run
        state = "running" if self._thread is not None else "closed" if self._over else "not started"
        if run.code is not None:
            state = f"ended {run.code}"
        return f"<{type(self).__name__} {run.action or 'status'} of {len(run.users)} users, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if self._thread is not None and self._run.code is None:
                self.cancel()

    def _start(self) -> None:
        if self._pid != os.getpid():
            text = native.text_of(Code.FORKED)
            raise error_for(Result("", self._run.action, Code.FORKED, message=text))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run.run, name="zoom_user_status-batch", daemon=True)
            self._thread.start()

    def _end(self) -> NoReturn:
        self._over = True
        run = self._run
        if run.error is not None:
            raise run.error
        code = run.code or Code.OK
        if code in (Code.OK, Code.PARTIAL) or (code == Code.CANCELLED and (run.stopped or run.canceller.triggered)):
            raise StopIteration
        last = run.last_failure
        if last is not None and last.code == code:
            raise error_for(last)
        raise error_for(Result("", run.action, code, message=native.text_of(code)))
